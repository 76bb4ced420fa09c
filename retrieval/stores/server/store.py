"""The server store: a collection of a Qdrant server or cluster per generation, an alias to the current one.

    <prefix>                      alias of the current generation's collection
    <prefix>-0001-<model>-s1      a generation: one point per passage, its identity in the collection's metadata

A post's JSON and hash are in the payload of its first passage. A generation is finished when its metadata has the time.
In a cluster BM25's document frequencies are those of a shard; with the default of one shard, of the generation.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from qdrant_client import QdrantClient, models

from retrieval.disk import naming_folder_trouble
from retrieval.errors import FixableError, IndexMismatch, IndexMissing, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.contract import GenerationInfo, Reached, StoredPost, say_nothing
from retrieval.stores.generations import (
    NAME,
    generation_name,
    holding,
    identity_fields,
    info_from_fields,
    reached_from_fields,
    refuse_mismatch,
)
from retrieval.stores.payload import DENSE, point_id, post_from_json
from retrieval.stores.server.calls import RetryPolicy, ServerCalls
from retrieval.stores.server.generation import ServerGeneration
from retrieval.stores.server.layout import Layout, layout_of
from retrieval.stores.server.nodes import Nodes, limit_time
from retrieval.stores.server.points import ServerPoints
from retrieval.stores.server.writer import (
    ServerChanger,
    ServerWriter,
    delete_collection,
    require_indexes,
    update_metadata,
)
from retrieval.types import Identity

_CONNECTIONS = 32  # to each node
_POLLED_S = 0.1  # the first pause, where a node may be behind; each further one is twice as long
_NAMES = 8  # tried, where another writer took one that was not listed yet


def connect(settings: Settings) -> ServerStore:
    """The store that the settings describe. Does not contact the server yet.

    Raises:
        FixableError: STIPPLE_QDRANT_URL is not a URL.
    """
    urls = [url.strip() for url in settings.qdrant_url.split(",") if url.strip()]
    url = ", ".join(urls)

    def client(timeout_s: float) -> QdrantClient:
        several: dict[str, Any] = {}
        if len(urls) > 1:  # one alone is reached through a proxy too, if the environment names one
            limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
            several["transport"] = Nodes(urls, httpx.HTTPTransport(limits=limits))
        return QdrantClient(
            url=urls[0], api_key=settings.qdrant_api_key or None, timeout=math.ceil(timeout_s),
            check_compatibility=False,  # it would contact the server now, and only warn
            event_hooks={"request": [limit_time]}, **several,
        )  # fmt: skip

    try:
        if len({httpx.URL(one).path.strip("/") for one in urls}) != 1:
            raise ValueError("its addresses have different paths")
        filling, asking = client(settings.qdrant_timeout_s), client(settings.qdrant_search_timeout_s)
    except (ValueError, httpx.InvalidURL) as error:
        problem = f"STIPPLE_QDRANT_URL is {settings.qdrant_url!r}: {error}"
        fix = "write it as http://host:6333; several nodes of a cluster with commas between them"
        raise FixableError(problem, fix) from error
    retry = RetryPolicy(run_s=settings.qdrant_patience_s, ask_s=math.ceil(settings.qdrant_search_timeout_s))
    return ServerStore(
        filling, settings.qdrant_prefix, settings.data_dir, url=url, layout=layout_of(settings), asking=asking,
        retry=retry, in_place=settings.qdrant_small_changes == "in_place",
    )  # fmt: skip


class ServerStore:
    """A PostStore on a Qdrant server, 1.16 or newer.

    Args:
        prefix: Of the collections' names, and the alias itself.
        data_dir: Has the lock of `writing`, which therefore excludes only writers on the same machine.
        url: For messages.
        layout: Of new generations.
        retry: How long to wait for the server.
        asking: The client for searches, with a shorter time limit.
        in_place: Whether small changes are made in the current generation, rather than in a copy of it.
        poll_s: How often to ask the server whether it has built its search structures.
        clock, sleep: Time, in seconds.
    """

    def __init__(
        self,
        client: QdrantClient,
        prefix: str,
        data_dir: Path,
        *,
        url: str = "the Qdrant server",
        layout: Layout = Layout(),  # noqa: B008  # frozen
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # frozen
        asking: QdrantClient | None = None,
        in_place: bool = False,
        poll_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = ServerCalls(client, url, retry, asking=asking, clock=clock, sleep=sleep)
        self._recent = self._calls.recent
        self._prefix, self._data_dir, self._url = prefix, data_dir, url
        self._layout, self._in_place, self._poll_s = layout, in_place, poll_s

    def current(self) -> str | None:
        collection = self._aliased()
        if collection is None:
            return None
        name = self._name(collection)
        if name is None:
            raise FixableError(
                f"the alias {self._prefix} on {self._url} names {collection}, which is not an index of Stipple",
                "set STIPPLE_QDRANT_PREFIX to a name of its own, or delete the alias",
            )
        return name

    def generations(self) -> list[GenerationInfo]:
        return [info for info in map(self._info, self._collections()) if info is not None]

    def open(self, expected: Identity) -> ServerGeneration:
        since, pause_s = self._calls.now(), _POLLED_S
        while True:
            name = self.current()
            if name is None:
                raise IndexMissing(f"nothing is indexed in {self._url} yet", "run `stipple reindex PATH`")
            collection = self._collection(name)
            described = self._described(name)
            info = None if described is None else _info(name, self._recent.metadata(collection, _metadata(described)))
            if described is not None and info is not None:
                break
            # In a cluster the node that named it, or the one that does not know it, may be behind the others.
            if self._calls.now() - since + pause_s > self._recent.lag_s or not self._calls.is_cluster:
                problem = f"the collection {collection} on {self._url} does not say what built it"
                raise FixableError(problem, f"delete the alias {self._prefix}, then run `stipple reindex PATH`")
            self._calls.pause(pause_s)
            pause_s *= 2
        refuse_mismatch(info.identity, expected)
        vectors = described.config.params.vectors
        held = vectors[DENSE].size if isinstance(vectors, dict) and DENSE in vectors else 0
        if held != expected.dimension:
            problem = f"{collection} on {self._url} keeps vectors of {held} dimensions, not {expected.dimension}"
            raise IndexMismatch(problem, "run `stipple reindex PATH` to rebuild it")
        return ServerGeneration(self._calls, collection, info, self._layout, described.config.params.shard_number or 1)

    def stored_hashes(self, ids: Sequence[str]) -> dict[str, str]:
        name = self.current()
        if name is None or not ids:
            return {}
        first_passages = [point_id(post_id, 0) for post_id in ids]
        payloads = self._calls.payloads(self._collection(name), first_passages, ["post_id", "content_hash"])
        return {payload["post_id"]: payload["content_hash"] for payload in payloads}

    def stored_posts(self) -> Iterator[StoredPost]:
        name = self.current()
        if name is None:
            return
        for payload in self._points(name).first_passages(["post", "content_hash"]):
            yield StoredPost(post_from_json(payload["post"]), payload["content_hash"])

    def stored_ids(self) -> Iterator[str]:
        name = self.current()
        if name is None:
            return
        yield from (payload["post_id"] for payload in self._points(name).first_passages(["post_id"]))

    def reached(self, name: str = "") -> Reached:
        found = name or self.current()
        return {} if found is None or found not in self._collections() else reached_from_fields(self._metadata(found))

    @contextmanager
    def writing(self, tell: Callable[[str], None] = say_nothing) -> Iterator[None]:
        with ExitStack() as held:
            with naming_folder_trouble(self._data_dir):
                self._data_dir.mkdir(parents=True, exist_ok=True)
                held.enter_context(holding(self._data_dir / "qdrant-writing.lock", self._url))
            held.enter_context(self._calls.filling(tell))
            # Whoever wrote before may have ended just now, and what is deleted here depends on it.
            self._calls.wait(self._recent.lag_s, "until all nodes show what was written before")
            yield

    def begin(self, identity: Identity) -> ServerWriter:
        current = self.current()
        left = [name for name in self._collections() if name != current and self._is_unfinished(name)]
        if left:
            # A node that is behind shows as unfinished, and as not current, what was finished and switched to.
            self._calls.wait(self._recent.lag_s, "to be sure of what an interrupted run left")
            current = self.current()
        for name in left:
            if name != current and self._is_unfinished(name):
                self._delete(name)
        name = self._create(identity)
        collection = self._collection(name)
        if not self._is_unfinished(name):
            self._delete(name)
            raise FixableError(f"the Qdrant at {self._url} keeps no metadata", "upgrade it to 1.16 or newer")
        # Before the first passage is written: the search graph uses them too.
        require_indexes(self._calls, collection)
        return self._writer(name, identity)

    def begin_copy(self, identity: Identity) -> ServerWriter | ServerChanger | None:
        """See PostStore: copied from collection to collection, or changed in place if so configured."""
        name = self.current()
        info = None if name is None else self._info(name)
        if name is None or info is None or info.identity != identity:
            return None
        reached = self.reached(name)  # before anything is read: what is accepted meanwhile is applied at the end
        if self._in_place:
            return ServerChanger(self._calls, self._collection(name), info, reached)
        writer = self._writer(self.begin(identity).name, identity, reached)
        try:
            writer.copy(self._collection(name), info.passages)
        except BaseException:
            writer.discard()
            raise
        return writer

    def resume(self, identity: Identity, source: str) -> tuple[ServerWriter, bool]:
        """Continue what an earlier call with this source began and did not finish; otherwise as `begin`.

        Returns:
            The writer, and whether it may contain something.
        """
        for name in self._collections():
            metadata = self._metadata(name)
            of_source = metadata.get("source") == source and metadata | identity_fields(identity) == metadata
            if of_source and self._is_unfinished(name):
                require_indexes(self._calls, self._collection(name))
                return self._writer(name, identity, resumed=True), True
        writer = self.begin(identity)
        collection = self._collection(writer.name)
        update_metadata(self._calls, collection, {"source": source})
        return writer, False

    @contextmanager
    def carried(self, name: str) -> Iterator[ServerGeneration]:
        """A generation, finished or not, to be read completely."""
        info = self._info(name)
        if info is None:  # unfinished
            info = GenerationInfo(name, Identity("", 0), datetime.now(UTC), 0, 0)
        yield ServerGeneration(self._calls, self._collection(name), info, self._layout)

    def wipe(self, ids: Sequence[str]) -> None:
        for name in self._collections():
            if self._info(name) is not None:
                self._delete_posts(name, ids)

    def switch(self, name: str) -> None:
        if not self._calls.until_seen(lambda: self._is_finished(name), f"that {name} is finished"):
            raise ValueError(f"{name} is not a finished generation of {self._url}")
        # Readers ask any node for it from now on.
        self._calls.wait(self._recent.unseen_s(), "until all nodes show what was written")
        to_new = models.CreateAlias(collection_name=self._collection(name), alias_name=self._prefix)
        operations: list[models.AliasOperations] = [models.CreateAliasOperation(create_alias=to_new)]
        if self._aliased() is not None:  # both in one request, so that no reader finds the index missing
            from_old = models.DeleteAlias(alias_name=self._prefix)
            operations.insert(0, models.DeleteAliasOperation(delete_alias=from_old))
        self._calls.write(lambda client: client.update_collection_aliases(operations))
        self._recent.switched(self._collection(name))
        if self._calls.is_cluster:
            self._calls.until_seen(lambda: self._read_alias() == self._collection(name), f"the switch to {name}")

    def drop(self, name: str) -> None:
        if name == self.current():
            raise ValueError(f"{name} is the current generation: switch to another first")
        # Until then somebody may open it, having asked a node that still names it.
        self._calls.wait(self._recent.left(self._collection(name)), f"until no node names {name} any more")
        self._delete(name)

    def _delete_posts(self, name: str, ids: Sequence[str]) -> None:
        since, pause_s = self._calls.now(), _POLLED_S
        while True:
            try:
                self._points(name).delete(ids)
            except StoreUnreachable as error:
                if "doesn't exist" not in error.problem:
                    raise
                # The node that listed it is behind, and it was deleted; or this one, which does not know it yet.
                if self._calls.now() - since > self._recent.lag_s or not self._calls.is_cluster:
                    return
                self._calls.pause(pause_s)
                pause_s *= 2
                continue
            return

    def _create(self, identity: Identity) -> str:
        """Create the collection of a new generation, and return the generation's name.

        Also succeeds if an earlier try created it and its answer was lost; where another writer's is there already,
        which was not listed, its number is passed over.
        """
        taken, mine = self._collections(), {"writer": uuid.uuid4().hex}
        if self._calls.is_cluster:
            # A node that is behind still has what was deleted under these names, and would be written to and delete it.
            taken += [name for one in self._recent.just_dropped() if (name := self._name(one)) is not None]
        for _ in range(_NAMES):
            name = generation_name(identity, taken)
            collection, layout = self._collection(name), self._layout.collection(identity)
            metadata = identity_fields(identity) | mine
            try:
                self._calls.write(
                    lambda client, to=collection, said=metadata, how=layout: client.create_collection(  # type: ignore[misc]  # mypy infers no lambda with defaults
                        to, **how, metadata=said
                    )
                )
            except FixableError as error:
                if "already exists" not in error.problem:
                    raise
                if not self._calls.until_seen(partial(self._is_there, name), f"the collection {collection}"):
                    raise
                if self._metadata(name).get("writer") != mine["writer"]:
                    taken.append(name)
                    continue
            self._recent.created(collection)
            return name
        raise FixableError(f"others create collections on {self._url} all the time", "run it again when they are done")

    def _writer(
        self, name: str, identity: Identity, reached: Reached | None = None, *, resumed: bool = False
    ) -> ServerWriter:
        collection = self._collection(name)
        return ServerWriter(
            self._calls, collection, name, identity, self._layout, reached=reached, poll_s=self._poll_s, resumed=resumed
        )

    def _points(self, name: str) -> ServerPoints:
        return ServerPoints(self._calls, self._collection(name))

    def _aliased(self) -> str | None:
        asked_at = self._calls.now()
        read = self._read_alias()
        target, is_older = self._recent.aliased(read, asked_at)
        # On a single node nothing is behind: then it was switched back.
        return read if is_older and not self._calls.is_cluster else target

    def _read_alias(self) -> str | None:
        aliases = self._calls.ask_or_read(lambda client: client.get_aliases()).aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self._prefix), None)

    def _collections(self) -> list[str]:
        """Names of our generations, finished or not, oldest first; other collections of the server are ignored."""
        listed = [one.name for one in self._calls.read(lambda client: client.get_collections()).collections]
        names = [name for one in self._recent.collections(listed) if (name := self._name(one)) is not None]
        return sorted(names, key=lambda name: int(name.partition("-")[0]))

    def _described(self, name: str) -> models.CollectionInfo | None:
        """What the server says of a generation's collection; None if it is not there, also where it is still listed."""
        try:
            return self._calls.read(lambda client: client.get_collection(self._collection(name)))
        except StoreUnreachable as error:
            if "doesn't exist" in error.problem and not self._recent.made(self._collection(name)):
                return None
            raise

    def _is_there(self, name: str) -> bool:
        return self._described(name) is not None

    def _metadata(self, name: str) -> dict[str, Any]:
        described = self._described(name)
        return self._recent.metadata(self._collection(name), {} if described is None else _metadata(described))

    def _info(self, name: str) -> GenerationInfo | None:
        return _info(name, self._metadata(name))

    def _is_finished(self, name: str) -> bool:
        return name in self._collections() and self._info(name) is not None

    def _is_unfinished(self, name: str) -> bool:
        metadata = self._metadata(name)
        return "identity" in metadata and "created_at" not in metadata

    def _delete(self, name: str) -> None:
        delete_collection(self._calls, self._collection(name))

    def _collection(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _name(self, collection: str) -> str | None:
        name = collection.removeprefix(f"{self._prefix}-")
        return name if name != collection and NAME.fullmatch(name) else None


def _metadata(described: models.CollectionInfo) -> dict[str, Any]:
    return described.config.metadata or {}


def _info(name: str, metadata: Mapping[str, Any]) -> GenerationInfo | None:
    try:
        return info_from_fields(name, metadata)
    except (KeyError, TypeError, ValueError):
        return None
