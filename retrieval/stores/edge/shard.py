"""How Stipple uses a Qdrant Edge shard: creating it, writing points, and translating filters."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

from retrieval.stores.contract import IndexedPost, StoredPost
from retrieval.stores.edge.columns import Slice
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
    counter_payload,
    passage_payload,
    point_number,
)
from retrieval.stores.transfer import StoredPoint
from retrieval.types import Filters, TermWeights

_KINDS = {
    "keyword": qdrant.PayloadSchemaType.Keyword,
    "integer": qdrant.PayloadSchemaType.Integer,
    "geo": qdrant.PayloadSchemaType.Geo,
}
_POINTS_AT_ONCE = 1_000
# Search structures are built over this many passages at a time, which bounds the memory of building (6 KB per passage
# of 384 dimensions, measured); each such segment is searched separately.
PIECE = 131_072


def create_shard(folder: Path, dimension: int, piece: int = PIECE) -> qdrant.EdgeShard:
    config = qdrant.EdgeConfig(
        # Cold: read from the file when a search needs it, and cached by the system. Loading everything takes
        # 1.7 KB per passage of this process's memory, and speeds up no search whose pages were read before.
        vectors={
            DENSE: qdrant.EdgeVectorParams(
                size=dimension,
                distance=qdrant.Distance.Cosine,
                memory=qdrant.Memory.Cold,
                # The graph search uses vectors of one byte per dimension; what it finds is scored by the full vectors
                # (docs/decisions/0019-bytes-for-the-graph.md).
                quantization_config=qdrant.ScalarQuantizationConfig(qdrant.ScalarType.Int8, memory=qdrant.Memory.Cold),
            )
        },
        sparse_vectors={TERMS: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
        # By default the engine builds on one thread, and examines 100 places for each passage.
        hnsw_config=qdrant.HnswIndexConfig(
            m=16,
            ef_construct=200,
            full_scan_threshold=10_000,
            max_indexing_threads=len(os.sched_getaffinity(0)),
            memory=qdrant.Memory.Cold,
        ),
        optimizers=qdrant.EdgeOptimizersConfig(max_segment_size=max(1, piece * dimension * 4 // 1024)),
        # An unfinished generation is thrown away whole, and changes of a finished one are in the
        # journal: a log here would only double the size on disk.
        wal_enabled=False,
        # Searches come from several threads already. With an additional thread pool, each takes twice the processor
        # time and half as long again (benchmarks/LOG.md).
        max_search_threads=1,
    )
    shard = qdrant.EdgeShard.create(str(folder), config)
    for field, kind in FILTERED.items():
        shard.update(qdrant.UpdateOperation.create_field_index(field, _KINDS[kind]))
    return shard


def count_points(shard: qdrant.EdgeShard) -> int:
    return int(shard.count(qdrant.CountRequest(exact=True)))


def all_slices(shard: qdrant.EdgeShard) -> Iterator[tuple[int, Slice]]:
    """The position of every passage, by point ID."""
    after = None
    while True:
        page = qdrant.ScrollRequest(limit=_POINTS_AT_ONCE, offset=after, with_payload=FOUND)
        points, after = shard.scroll(page)
        for point in points:
            of = point.payload or {}
            yield number_of(point), Slice(of["post_id"], of["ordinal"], of["comment"], of["start"], of["end"])
        if after is None:
            return


def number_of(point: qdrant.Record) -> int:
    assert isinstance(point.id, int), f"the point {point.id!r} has an ID that is not ours"
    return point.id


def slices_of(one: IndexedPost) -> dict[int, Slice]:
    """The positions of a post's passages, by point ID."""
    return {
        point_number(passage.post_id, passage.ordinal): Slice(
            passage.post_id, passage.ordinal, passage.comment, passage.start, passage.end
        )
        for passage in one.passages
    }


def upsert_points(shard: qdrant.EdgeShard, posts: Sequence[IndexedPost], before: Mapping[str, int]) -> None:
    """Write the passages of posts.

    Args:
        before: By post ID, how many passages of it the shard may contain.
    """
    leftover = {
        one.stored.post.id: (len(one.passages), before[one.stored.post.id])
        for one in posts
        if one.stored.post.id in before
    }
    _delete(shard, leftover)
    points = [point for one in posts for point in _points(one)]
    for at in range(0, len(points), _POINTS_AT_ONCE):
        shard.update(qdrant.UpdateOperation.upsert_points(points[at : at + _POINTS_AT_ONCE]))


def recount_points(shard: qdrant.EdgeShard, posts: Sequence[StoredPost], passages: Mapping[str, int]) -> None:
    """Update the counters in the passages of posts; a post that is not in `passages` is skipped."""
    for stored in posts:
        ids: list[Any] = [point_number(stored.post.id, ordinal) for ordinal in range(passages.get(stored.post.id, 0))]
        if ids:
            shard.update(qdrant.UpdateOperation.set_payload(ids, counter_payload(stored.post)))


def delete_points(shard: qdrant.EdgeShard, passages: Mapping[str, int]) -> None:
    """Delete posts, given how many passages of each the shard may contain."""
    _delete(shard, {post_id: (0, count) for post_id, count in passages.items()})


def read_points(shard: qdrant.EdgeShard, passages: Mapping[str, int]) -> dict[str, dict[int, StoredPoint]]:
    """The points of posts by post ID and ordinal, given how many passages of each there may be."""
    ids: list[Any] = [point_number(post_id, ordinal) for post_id, count in passages.items() for ordinal in range(count)]
    found: dict[str, dict[int, StoredPoint]] = {}
    for at in range(0, len(ids), _POINTS_AT_ONCE):
        for record in shard.retrieve(ids[at : at + _POINTS_AT_ONCE], with_payload=True, with_vector=True):
            payload, vectors = record.payload or {}, record.vector
            assert isinstance(vectors, dict), "a point came without its named vectors"
            terms: Any = vectors.get(TERMS)  # a passage without any term has none
            weights = TermWeights(tuple(terms.indices), tuple(terms.values)) if terms else TermWeights((), ())
            of_post = found.setdefault(payload["post_id"], {})
            of_post[payload["ordinal"]] = StoredPoint(payload, vectors[DENSE], weights)  # type: ignore[arg-type]  # the vector by this name is a plain one
    return found


def _delete(shard: qdrant.EdgeShard, ordinals: Mapping[str, tuple[int, int]]) -> None:
    ids: list[Any] = [
        point_number(post_id, ordinal) for post_id, (first, end) in ordinals.items() for ordinal in range(first, end)
    ]
    for at in range(0, len(ids), _POINTS_AT_ONCE):
        shard.update(qdrant.UpdateOperation.delete_points(ids[at : at + _POINTS_AT_ONCE]))


def _points(one: IndexedPost) -> Iterator[qdrant.Point]:
    post = one.stored.post
    for passage, vector, terms in zip(one.passages, one.vectors, one.terms, strict=True):
        vectors: dict[str, Any] = {DENSE: vector.tolist(), TERMS: sparse_vector(terms)}
        yield qdrant.Point(point_number(post.id, passage.ordinal), vectors, passage_payload(post, passage))


def sparse_vector(terms: TermWeights) -> qdrant.SparseVector:
    return qdrant.SparseVector(list(terms.indices), list(terms.values))


def shard_filter(filters: Filters, more: Sequence[Any] = ()) -> qdrant.Filter | None:
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
