"""One embedded generation: open for reading, or being filled. The only module that knows Qdrant Edge's shards."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import qdrant_edge as qdrant

from retrieval.errors import FixableError, IndexLocked
from retrieval.store import GenerationInfo, Identity, IndexedPost, TermWeights, Vectors
from retrieval.stores.candidates import Point, Question, gather_candidates
from retrieval.stores.catalog import Catalog, CatalogWriter
from retrieval.stores.disk import naming_disk_trouble, sync_tree
from retrieval.stores.manifest import MANIFEST, rebuilding, write_manifest
from retrieval.stores.newest import LISTED, Listing, newest_first
from retrieval.stores.payload import (
    DENSE,
    FILTERED,
    FOUND,
    TERMS,
    AnyOf,
    Between,
    NoneOf,
    Within,
    conditions,
    passage_payload,
    point_id,
)
from retrieval.types import Candidate, Filters, Post

CATALOG, _SHARD, _LOCK = "posts.sqlite", "edge", "open.lock"
_KINDS = {
    "keyword": qdrant.PayloadSchemaType.Keyword,
    "integer": qdrant.PayloadSchemaType.Integer,
    "geo": qdrant.PayloadSchemaType.Geo,
}
_POINTS_AT_ONCE = 1_000


class EdgeGeneration:
    """A finished generation, open in this process alone. Queries run beside each other, without Python's lock.

    Raises:
        IndexLocked: It is open already, in another process or in this one.
        FixableError: It is damaged, or cannot be read.
    """

    def __init__(self, folder: Path, info: GenerationInfo) -> None:
        self._info = info
        self._closing = Lock()
        with naming_disk_trouble(folder, rebuilding(folder)), contextlib.ExitStack() as opened:
            # The shard is written without a log of its own, and without one Qdrant Edge locks nothing.
            lock = opened.enter_context((folder / _LOCK).open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                problem = f"the index {info.name} is open in another process"
                raise IndexLocked(problem, "ask that process over HTTP, or stop it first") from None
            self._catalog = Catalog(folder / CATALOG)
            opened.callback(self._catalog.close)
            self._shard = qdrant.EdgeShard.load(str(folder / _SHARD))
            opened.callback(self._shard.close)
            # A shard that lost its files opens as an empty one.
            held = self._shard.count(qdrant.CountRequest(exact=True))
            if held != info.passages:
                problem = f"{folder} is damaged: it holds {held:,} of {info.passages:,} passages"
                raise FixableError(problem, rebuilding(folder))
            self._opened = opened.pop_all()

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def candidates(self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters) -> list[Candidate]:
        nearest = {
            DENSE: qdrant.Query.Nearest(vector.tolist(), using=DENSE),
            TERMS: qdrant.Query.Nearest(_sparse(terms), using=TERMS),
        }
        let_through = _filter(filters)

        def request(question: Question) -> qdrant.QueryRequest:
            among = question.among
            best = qdrant.SearchParams(hnsw_ef=question.hnsw_ef)
            only = None if among is None else qdrant.Filter(must=[qdrant.HasIdCondition(set(among))])
            return qdrant.QueryRequest(
                limit=question.limit,
                query=nearest[question.side],
                filter=let_through if among is None else only,
                params=best if among is None else qdrant.SearchParams(exact=True),
                with_payload=FOUND,
            )

        def ask(questions: Sequence[Question]) -> list[list[Point]]:
            answers = self._shard.query_batch(qdrant.QueryBatchRequest([request(question) for question in questions]))
            return [[Point(str(one.id), one.score, one.payload or {}) for one in answer] for answer in answers]

        return gather_candidates(ask, limit, with_terms=bool(terms.indices))

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        first_passage = qdrant.FieldCondition("ordinal", match=qdrant.MatchValue(0))

        def listed(listing: Listing) -> list[dict[str, Any]]:
            moment, order = listing.moment, None
            only: list[Any] = [first_passage]
            if moment == "newest":
                order = qdrant.OrderBy("created_at", direction=qdrant.Direction.Desc)
            elif moment == "undated":
                only = [first_passage, qdrant.IsEmptyCondition("created_at")]
            else:
                only = [first_passage, qdrant.FieldCondition("created_at", match=qdrant.MatchValue(moment))]
            request = qdrant.ScrollRequest(
                limit=listing.limit, filter=_filter(filters, only), with_payload=LISTED, order_by=order
            )
            return [point.payload or {} for point in self._shard.scroll(request)[0]]

        return newest_first(listed, limit, offset)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        return self._catalog.posts(ids)

    def close(self) -> None:
        with self._closing:
            self._opened.close()


class EdgeWriter:
    """Fills a generation's folder. Whoever comes upon the folder without a manifest may delete it."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self._folder, self._identity = folder, identity
        with naming_disk_trouble(folder):
            (folder / _SHARD).mkdir()
            self._catalog = CatalogWriter(folder / CATALOG)
            self._shard = qdrant.EdgeShard.create(str(folder / _SHARD), _config(identity.dimension))
            for field, kind in FILTERED.items():
                self._shard.update(qdrant.UpdateOperation.create_field_index(field, _KINDS[kind]))

    @property
    def name(self) -> str:
        return self._folder.name

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        latest = {one.stored.post.id: one for one in posts}  # of two of one id the last holds
        with naming_disk_trouble(self._folder):
            before = self._catalog.put([(one.stored, len(one.passages)) for one in latest.values()])
            leftover: list[Any] = [
                point_id(post_id, ordinal)
                for post_id, passages in before.items()
                for ordinal in range(len(latest[post_id].passages), passages)
            ]
            if leftover:
                self._shard.update(qdrant.UpdateOperation.delete_points(leftover))
            points = [point for one in latest.values() for point in _points(one)]
            for at in range(0, len(points), _POINTS_AT_ONCE):
                self._shard.update(qdrant.UpdateOperation.upsert_points(points[at : at + _POINTS_AT_ONCE]))

    def finish(self) -> GenerationInfo:
        with naming_disk_trouble(self._folder):
            self._shard.optimize()
            self._shard.flush()
            self._shard.close()
            posts, passages = self._catalog.finish()
            sync_tree(self._folder)
            info = GenerationInfo(self.name, self._identity, datetime.now(UTC), posts, passages)
            write_manifest(self._folder, info)
        return info

    def discard(self) -> None:
        with contextlib.suppress(Exception):  # a full disk may forbid even this; the folder goes either way
            self._shard.close()
        self._catalog.close()
        delete_generation(self._folder)


def delete_generation(folder: Path) -> None:
    """Delete a generation's folder, also where there is none. A process that has it open keeps its files to the end."""
    # The manifest first: what is half deleted must not be taken for finished.
    (folder / MANIFEST).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def _config(dimension: int) -> qdrant.EdgeConfig:
    return qdrant.EdgeConfig(
        vectors={DENSE: qdrant.EdgeVectorParams(size=dimension, distance=qdrant.Distance.Cosine)},
        sparse_vectors={TERMS: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
        # A generation that was not finished is thrown away whole: a log would only double its size on disk.
        wal_enabled=False,
    )


def _points(one: IndexedPost) -> Iterator[qdrant.Point]:
    post = one.stored.post
    for passage, vector, terms in zip(one.passages, one.vectors, one.terms, strict=True):
        vectors: dict[str, Any] = {DENSE: vector.tolist(), TERMS: _sparse(terms)}
        yield qdrant.Point(point_id(post.id, passage.ordinal), vectors, passage_payload(post, passage))


def _sparse(terms: TermWeights) -> qdrant.SparseVector:
    return qdrant.SparseVector(list(terms.indices), list(terms.values))


def _filter(filters: Filters, more: Sequence[Any] = ()) -> qdrant.Filter | None:
    must, must_not = list[Any](more), list[Any]()
    for one in conditions(filters):
        match one:
            case AnyOf():
                must.append(qdrant.FieldCondition(one.field, match=qdrant.MatchAny(list(one.values))))
            case NoneOf():
                must_not.append(qdrant.FieldCondition(one.field, match=qdrant.MatchAny(list(one.values))))
            case Between():
                must.append(qdrant.FieldCondition(one.field, range=qdrant.RangeFloat(gte=one.at_least, lt=one.below)))
            case Within():
                circle = qdrant.GeoRadius(qdrant.GeoPoint(one.longitude, one.latitude), one.radius_m)
                must.append(qdrant.FieldCondition(one.field, geo_radius=circle))
    return qdrant.Filter(must=must, must_not=must_not) if must or must_not else None
