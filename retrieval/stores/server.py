"""The server store: a collection of a Qdrant server or cluster per generation, an alias to the current one.

    <prefix>                      alias of the current generation's collection
    <prefix>-0001-<model>-s1      a generation: one point per passage, its identity in the collection's metadata

A post's JSON and hash lie in the payload of its first passage. A generation is finished when the metadata says when.
In a cluster BM25's document frequencies are those of a shard; with the one shard of the defaults, of the generation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

from retrieval.errors import FixableError, IndexMissing
from retrieval.settings import Settings
from retrieval.store import GenerationInfo, Identity, Reached, StoredPost
from retrieval.stores.disk import naming_disk_trouble
from retrieval.stores.generations import (
    NAME,
    generation_name,
    holding,
    identity_fields,
    info_from_fields,
    reached_from_fields,
    refuse_mismatch,
)
from retrieval.stores.payload import DENSE, FILTERED, TERMS, point_id, post_from_json
from retrieval.stores.server_calls import ServerCalls
from retrieval.stores.server_generation import ServerGeneration, ServerWriter, delete_posts

_READ_AT_ONCE = 256
_KINDS = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
    "geo": models.PayloadSchemaType.GEO,
}


def connect(settings: Settings) -> ServerStore:
    """The store that the settings name. Nothing is asked of the server yet.

    Raises:
        FixableError: STIPPLE_QDRANT_URL is no address.
    """
    url = settings.qdrant_url
    try:
        client = QdrantClient(
            url=url, api_key=settings.qdrant_api_key or None, timeout=math.ceil(settings.qdrant_timeout_s),
            check_compatibility=False,  # it would ask the server now, and only warn
        )  # fmt: skip
    except ValueError as error:
        problem = f"STIPPLE_QDRANT_URL is {url!r}: {error}"
        raise FixableError(problem, "write it as http://host:6333") from error
    return ServerStore(client, settings.qdrant_prefix, settings.data_dir, url=url)


class ServerStore:
    """A PostStore on a Qdrant server, 1.16 or newer.

    Args:
        prefix: Of the collections' names, and the alias itself.
        data_dir: Holds the lock of `writing`, which therefore keeps apart the writers of one machine alone.
        url: For messages.
        pauses_s: How long to wait before each further try of a write that the server did not answer.
    """

    def __init__(
        self,
        client: QdrantClient,
        prefix: str,
        data_dir: Path,
        *,
        url: str = "the Qdrant server",
        pauses_s: Sequence[float] = (0.5, 1.0, 2.0),
    ) -> None:
        self._calls = ServerCalls(client, url, pauses_s)
        self._prefix, self._data_dir, self._url = prefix, data_dir, url

    def current(self) -> str | None:
        collection = self._aliased()
        if collection is None:
            return None
        name = self._name(collection)
        if name is None:
            raise FixableError(
                f"the alias {self._prefix} on {self._url} names {collection}, which is no index of Stipple",
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
        return ServerGeneration(self._calls, self._collection(name), info)

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
        place: Any = None
        while True:
            points, place = self._first_passages(name, place, ["post", "content_hash"])
            for point in points:
                payload = point.payload or {}
                yield StoredPost(post_from_json(payload["post"]), payload["content_hash"])
            if place is None:
                return

    def stored_ids(self) -> Iterator[str]:
        name = self.current()
        if name is None:
            return
        place: Any = None
        while True:
            points, place = self._first_passages(name, place, ["post_id"])
            yield from ((point.payload or {})["post_id"] for point in points)
            if place is None:
                return

    def reached(self, name: str = "") -> Reached:
        found = name or self.current()
        return {} if found is None or found not in self._collections() else reached_from_fields(self._said(found))

    @contextmanager
    def writing(self) -> Iterator[None]:
        with ExitStack() as held:
            with naming_disk_trouble(self._data_dir):
                self._data_dir.mkdir(parents=True, exist_ok=True)
                held.enter_context(holding(self._data_dir / "qdrant-writing.lock", self._url))
            yield

    def begin(self, identity: Identity) -> ServerWriter:
        collections, current = self._collections(), self.current()
        for name in collections:
            if name != current and self._is_unfinished(name):
                self._delete(name)
        name = generation_name(identity, collections)
        collection = self._collection(name)
        self._calls.write(
            lambda client: client.create_collection(
                collection,
                vectors_config={DENSE: models.VectorParams(size=identity.dimension, distance=models.Distance.COSINE)},
                sparse_vectors_config={TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata=identity_fields(identity),
            )
        )
        if not self._is_unfinished(name):
            self._delete(name)
            raise FixableError(f"the Qdrant at {self._url} keeps no metadata", "upgrade it to 1.16 or newer")
        for field, kind in (FILTERED | {"ordinal": "integer"}).items():
            self._index(collection, field, kind)
        return ServerWriter(self._calls, collection, name, identity)

    def begin_copy(self, identity: Identity) -> None:
        """A server copies no collection: None."""

    def wipe(self, ids: Sequence[str]) -> None:
        for name in self._collections():
            if self._info(name) is not None:
                delete_posts(self._calls, self._collection(name), ids)

    def switch(self, name: str) -> None:
        if name not in self._collections() or self._info(name) is None:
            raise ValueError(f"{name} is no finished generation of {self._url}")
        to_new = models.CreateAlias(collection_name=self._collection(name), alias_name=self._prefix)
        operations: list[models.AliasOperations] = [models.CreateAliasOperation(create_alias=to_new)]
        if self._aliased() is not None:  # both in one request: a reader between them would find no index
            from_old = models.DeleteAlias(alias_name=self._prefix)
            operations.insert(0, models.DeleteAliasOperation(delete_alias=from_old))
        self._calls.write(lambda client: client.update_collection_aliases(operations))

    def drop(self, name: str) -> None:
        if name == self.current():
            raise ValueError(f"{name} is the current generation: switch to another first")
        self._delete(name)

    def _index(self, collection: str, field: str, kind: str) -> None:
        self._calls.write(lambda client: client.create_payload_index(collection, field, _KINDS[kind]))

    def _first_passages(self, name: str, place: Any, fields: list[str]) -> tuple[list[models.Record], Any]:
        """Some of the points that hold a post's JSON, and where the next ones begin; None after the last."""
        first_passage = models.FieldCondition(key="ordinal", match=models.MatchValue(value=0))
        return self._calls.read(
            lambda client: client.scroll(
                self._collection(name), scroll_filter=models.Filter(must=[first_passage]), limit=_READ_AT_ONCE,
                offset=place, with_payload=fields,
            )
        )  # fmt: skip

    def _aliased(self) -> str | None:
        aliases = self._calls.read(lambda client: client.get_aliases()).aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self._prefix), None)

    def _collections(self) -> list[str]:
        """Names of our generations, finished or not, oldest first; other collections of the server are let alone."""
        found = self._calls.read(lambda client: client.get_collections()).collections
        names = [name for one in found if (name := self._name(one.name)) is not None]
        return sorted(names, key=lambda name: int(name.partition("-")[0]))

    def _said(self, name: str) -> dict[str, Any]:
        return self._calls.read(lambda client: client.get_collection(self._collection(name))).config.metadata or {}

    def _info(self, name: str) -> GenerationInfo | None:
        try:
            return info_from_fields(name, self._said(name))
        except (KeyError, TypeError, ValueError):
            return None

    def _is_unfinished(self, name: str) -> bool:
        said = self._said(name)
        return "identity" in said and "created_at" not in said

    def _delete(self, name: str) -> None:
        self._calls.write(lambda client: client.delete_collection(self._collection(name)))

    def _collection(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _name(self, collection: str) -> str | None:
        name = collection.removeprefix(f"{self._prefix}-")
        return name if name != collection and NAME.fullmatch(name) else None
