"""The server store: a collection of a Qdrant server or cluster per generation, an alias to the current one.

    <prefix>                      alias of the current generation's collection
    <prefix>-0001-<model>-s1      a generation: one point per passage, its identity in the collection's metadata

A post's JSON and hash are in the payload of its first passage. A generation is finished when its metadata has the time.
In a cluster BM25's document frequencies are those of a shard; with the default of one shard, of the generation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

from retrieval.disk import naming_folder_trouble
from retrieval.errors import FixableError, IndexMismatch, IndexMissing
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
from retrieval.stores.server.points import ServerPoints
from retrieval.stores.server.writer import ServerChanger, ServerWriter, require_indexes
from retrieval.types import Identity


def connect(settings: Settings) -> ServerStore:
    """The store that the settings describe. Does not contact the server yet.

    Raises:
        FixableError: STIPPLE_QDRANT_URL is not a URL.
    """
    url = settings.qdrant_url

    def client(timeout_s: float) -> QdrantClient:
        return QdrantClient(
            url=url, api_key=settings.qdrant_api_key or None, timeout=math.ceil(timeout_s),
            check_compatibility=False,  # it would contact the server now, and only warn
        )  # fmt: skip

    try:
        filling, asking = client(settings.qdrant_timeout_s), client(settings.qdrant_search_timeout_s)
    except ValueError as error:
        problem = f"STIPPLE_QDRANT_URL is {url!r}: {error}"
        raise FixableError(problem, "write it as http://host:6333") from error
    return ServerStore(
        filling, settings.qdrant_prefix, settings.data_dir, url=url, layout=layout_of(settings), asking=asking,
        retry=RetryPolicy(run_s=settings.qdrant_patience_s), in_place=settings.qdrant_small_changes == "in_place",
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
    ) -> None:
        self._calls = ServerCalls(client, url, retry, asking=asking)
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
        name = self.current()
        if name is None:
            raise IndexMissing(f"nothing is indexed in {self._url} yet", "run `stipple reindex PATH`")
        info = self._info(name)
        if info is None:
            problem = f"the collection {self._collection(name)} on {self._url} does not say what built it"
            raise FixableError(problem, f"delete the alias {self._prefix}, then run `stipple reindex PATH`")
        refuse_mismatch(info.identity, expected)
        self._refuse_dimension(name, expected)
        return ServerGeneration(self._calls, self._collection(name), info, self._layout)

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
            yield

    def begin(self, identity: Identity) -> ServerWriter:
        collections, current = self._collections(), self.current()
        for name in collections:
            if name != current and self._is_unfinished(name):
                self._delete(name)
        name = generation_name(identity, collections)
        collection, metadata = self._collection(name), identity_fields(identity)
        layout = self._layout.collection(identity)
        self._create(lambda client: client.create_collection(collection, **layout, metadata=metadata), collection)
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
                return self._writer(name, identity), True
        writer = self.begin(identity)
        collection = self._collection(writer.name)
        self._calls.write(lambda client: client.update_collection(collection, metadata={"source": source}))
        return writer, False

    @contextmanager
    def carried(self, name: str) -> Iterator[ServerGeneration]:
        """A generation, finished or not, to be read completely."""
        info = self._info(name)
        if info is None:
            info = GenerationInfo(name, Identity("", 0), datetime.now(UTC), 0, 0)
        yield ServerGeneration(self._calls, self._collection(name), info, self._layout)

    def wipe(self, ids: Sequence[str]) -> None:
        for name in self._collections():
            if self._info(name) is not None:
                self._points(name).delete(ids)

    def switch(self, name: str) -> None:
        if name not in self._collections() or self._info(name) is None:
            raise ValueError(f"{name} is not a finished generation of {self._url}")
        to_new = models.CreateAlias(collection_name=self._collection(name), alias_name=self._prefix)
        operations: list[models.AliasOperations] = [models.CreateAliasOperation(create_alias=to_new)]
        if self._aliased() is not None:  # both in one request, so that no reader finds the index missing
            from_old = models.DeleteAlias(alias_name=self._prefix)
            operations.insert(0, models.DeleteAliasOperation(delete_alias=from_old))
        self._calls.write(lambda client: client.update_collection_aliases(operations))

    def drop(self, name: str) -> None:
        if name == self.current():
            raise ValueError(f"{name} is the current generation: switch to another first")
        self._delete(name)

    def _create(self, call: Callable[[QdrantClient], object], collection: str) -> None:
        """Create a collection; also succeeds if an earlier try created it and its answer was lost."""
        try:
            self._calls.write(call)
        except FixableError as error:
            if "already exists" not in error.problem or collection not in self._all_collections():
                raise

    def _writer(self, name: str, identity: Identity, reached: Reached | None = None) -> ServerWriter:
        collection = self._collection(name)
        return ServerWriter(
            self._calls, collection, name, identity, self._layout, reached=reached, poll_s=self._poll_s
        )  # fmt: skip

    def _refuse_dimension(self, name: str, expected: Identity) -> None:
        vectors = self._calls.read(lambda client: client.get_collection(self._collection(name))).config.params.vectors
        held = vectors[DENSE].size if isinstance(vectors, dict) and DENSE in vectors else 0
        if held != expected.dimension:
            problem = (
                f"{self._collection(name)} on {self._url} keeps vectors of {held} dimensions, not {expected.dimension}"
            )
            raise IndexMismatch(problem, "run `stipple reindex PATH` to rebuild it")

    def _points(self, name: str) -> ServerPoints:
        return ServerPoints(self._calls, self._collection(name))

    def _aliased(self) -> str | None:
        aliases = self._calls.ask_or_read(lambda client: client.get_aliases()).aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self._prefix), None)

    def _collections(self) -> list[str]:
        """Names of our generations, finished or not, oldest first; other collections of the server are ignored."""
        names = [name for one in self._all_collections() if (name := self._name(one)) is not None]
        return sorted(names, key=lambda name: int(name.partition("-")[0]))

    def _all_collections(self) -> list[str]:
        return [one.name for one in self._calls.read(lambda client: client.get_collections()).collections]

    def _metadata(self, name: str) -> dict[str, Any]:
        return self._calls.read(lambda client: client.get_collection(self._collection(name))).config.metadata or {}

    def _info(self, name: str) -> GenerationInfo | None:
        try:
            return info_from_fields(name, self._metadata(name))
        except (KeyError, TypeError, ValueError):
            return None

    def _is_unfinished(self, name: str) -> bool:
        metadata = self._metadata(name)
        return "identity" in metadata and "created_at" not in metadata

    def _delete(self, name: str) -> None:
        self._calls.write(lambda client: client.delete_collection(self._collection(name)))

    def _collection(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _name(self, collection: str) -> str | None:
        name = collection.removeprefix(f"{self._prefix}-")
        return name if name != collection and NAME.fullmatch(name) else None
