"""The points of a collection on a Qdrant server, and changes of its posts in repeatable batches."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from qdrant_client import models

from retrieval.stores.contract import Changes, IndexedPost, StoredPost
from retrieval.stores.payload import (
    DENSE,
    TERMS,
    counter_payload,
    passage_payload,
    point_id,
    post_from_json,
    post_to_json,
)
from retrieval.stores.server.calls import ServerCalls
from retrieval.stores.server.one_search import SKETCH
from retrieval.stores.transfer import StoredPoint, indexed_post
from retrieval.text.near_copies import sketches
from retrieval.types import TermWeights

# A request has at most 32 MB: 256 points of 1,024 numbers are about 4, and the posts' JSON is counted.
POINTS_AT_ONCE = 256
_POST_BYTES_AT_ONCE = 8_000_000
# Passages that are deleted of a post which no node shows; more of them have only long ones.
_LATELY_WRITTEN = 16
FIRST_PASSAGE = models.FieldCondition(key="ordinal", match=models.MatchValue(value=0))


class ServerPoints:
    """Reads and writes the points of one collection."""

    def __init__(self, calls: ServerCalls, collection: str) -> None:
        self._calls, self._collection = calls, collection

    def change(self, changes: Changes) -> tuple[int, int]:
        """Make changes; returns by how many the posts and passages increased."""
        posts, passages = self.delete(changes.delete)
        latest = {one.stored.post.id: one for one in changes.upsert}  # the last of several with one ID counts
        before = self.passages(list(latest))
        recent = self._calls.recent
        self._delete({key: (len(latest[key].passages), count) for key, count in before.items()})
        for points in _batches(latest.values()):
            self.put(points)
        recent.put(self._collection, {post_id: len(one.passages) for post_id, one in latest.items()})
        self._recount(changes.recount, self.passages([stored.post.id for stored in changes.recount]))
        posts += len(latest) - len(before)
        passages += sum(len(one.passages) for one in latest.values()) - sum(before.values())
        return posts, passages

    def delete(self, ids: Sequence[str]) -> tuple[int, int]:
        """Delete posts; an ID that is not there is skipped. Returns as `change` does."""
        there = self.passages(ids)
        gone = {key: (0, count) for key, count in there.items()}
        if ids and self._calls.is_cluster:
            # A replica that is behind does not know yet what another server has just written.
            gone = {key: (0, max(there.get(key, 0), _LATELY_WRITTEN)) for key in dict.fromkeys(ids)}
        self._delete(gone)
        self._calls.recent.put(self._collection, dict.fromkeys(ids, 0))
        return -len(there), -sum(there.values())

    def passages(self, ids: Sequence[str]) -> dict[str, int]:
        """The number of passages of each of these posts; an ID that is not there is left out."""
        first_passages = [point_id(post_id, 0) for post_id in dict.fromkeys(ids)]
        payloads = self._calls.payloads(self._collection, first_passages, ["post_id", "passages"])
        read = {payload["post_id"]: payload["passages"] for payload in payloads}
        recent = self._calls.recent
        counts = {post_id: recent.passages(self._collection, post_id, read.get(post_id, 0)) for post_id in ids}
        return {post_id: count for post_id, count in counts.items() if count}

    def counted(self, expected: tuple[int, int]) -> tuple[int, int]:
        """As `count`, when all nodes of a cluster show what was written: these numbers, unless others wrote too."""
        if self._calls.is_cluster and self.count() != expected:
            self._calls.wait(self._calls.recent.unseen_s(), "until all nodes show what was written")
        return self.count()

    def count(self) -> tuple[int, int]:
        """Numbers of posts and passages, counted one by one: slow if there are many."""
        return self._count(models.Filter(must=[FIRST_PASSAGE])), self._count(None)

    def put(self, points: list[models.PointStruct]) -> None:
        self._calls.write(lambda client: client.upsert(self._collection, points, wait=True))

    def copy_from(self, collection: str) -> Iterator[tuple[int, tuple[int, int]]]:
        """Copy all points of another collection of this server in batches; yields how many points so far, and by how
        many the posts and passages increased.
        """
        place: Any = None
        copied = 0
        while True:
            points, place = self._calls.read(
                lambda client, place=place: client.scroll(  # type: ignore[misc]  # mypy infers no lambda with defaults
                    collection, limit=POINTS_AT_ONCE, offset=place, with_payload=True, with_vectors=True
                )
            )
            if points:
                self.put([models.PointStruct(id=one.id, vector=one.vector, payload=one.payload) for one in points])
                copied += len(points)
                firsts = [one.payload for one in points if one.payload and one.payload.get("ordinal") == 0]
                counts = {payload["post_id"]: payload["passages"] for payload in firsts}
                self._calls.recent.put(self._collection, counts)
                yield copied, (len(firsts), len(points))
            if place is None:
                return

    def first_passages(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        """These fields of every post's first passage, in the order of the point IDs."""
        place: Any = None
        while True:
            points, place = self._calls.read(
                lambda client, place=place: client.scroll(  # type: ignore[misc]  # mypy infers no lambda with defaults
                    self._collection, scroll_filter=models.Filter(must=[FIRST_PASSAGE]), limit=POINTS_AT_ONCE,
                    offset=place, with_payload=fields,
                )
            )  # fmt: skip
            yield from (point.payload or {} for point in points)
            if place is None:
                return

    def whole(self, ids: Sequence[str]) -> dict[str, IndexedPost]:
        """Posts with everything that was written of them; one with a missing passage is left out."""
        firsts = self._points([point_id(post_id, 0) for post_id in dict.fromkeys(ids)])
        counts = {point.payload["post_id"]: point.payload["passages"] for point in firsts}
        others = [point_id(post_id, ordinal) for post_id, count in counts.items() for ordinal in range(1, count)]
        points: dict[str, dict[int, StoredPoint]] = {post_id: {} for post_id in counts}
        for point in (*firsts, *self._points(others)):
            points[point.payload["post_id"]][point.payload["ordinal"]] = point
        found = {}
        for first in firsts:
            stored = StoredPost(post_from_json(first.payload["post"]), first.payload["content_hash"])
            post_id = stored.post.id
            if (one := indexed_post(stored, counts[post_id], points[post_id])) is not None:
                found[post_id] = one
        return found

    def _points(self, ids: Sequence[str]) -> list[StoredPoint]:
        found = []
        for at in range(0, len(ids), POINTS_AT_ONCE):
            some = list(ids[at : at + POINTS_AT_ONCE])
            for point in self._calls.read(
                lambda client, some=some: client.retrieve(  # type: ignore[misc]  # mypy infers no lambda with defaults
                    self._collection, some, with_payload=True, with_vectors=True
                )
            ):
                vectors: Any = point.vector
                sparse = vectors.get(TERMS)  # a passage without any term has none
                terms = TermWeights(tuple(sparse.indices), tuple(sparse.values)) if sparse else TermWeights((), ())
                found.append(StoredPoint(point.payload or {}, vectors[DENSE], terms))
        return found

    def _delete(self, ordinals: Mapping[str, tuple[int, int]]) -> None:
        # The first passage, which has their number, is deleted last, so that an interrupted deletion can be repeated.
        gone = [point_id(key, at) for key, (first, end) in ordinals.items() for at in range(max(first, 1), end)]
        gone += [point_id(key, 0) for key, (first, end) in ordinals.items() if first == 0 < end]
        for at in range(0, len(gone), POINTS_AT_ONCE):
            selector = models.PointIdsList(points=[*gone[at : at + POINTS_AT_ONCE]])
            self._calls.write(lambda client, some=selector: client.delete(self._collection, some, wait=True))  # type: ignore[misc]  # mypy infers no lambda with defaults

    def _recount(self, posts: Sequence[StoredPost], passages: Mapping[str, int]) -> None:
        operations: list[Any] = []
        for stored in posts:
            count = passages.get(stored.post.id, 0)
            ids: list[Any] = [point_id(stored.post.id, ordinal) for ordinal in range(count)]
            written = {"post": post_to_json(stored.post).decode(), "content_hash": stored.content_hash}
            for payload, some in (
                (counter_payload(stored.post) | written, ids[:1]),
                (counter_payload(stored.post), ids[1:]),
            ):
                if some:
                    operations.append(
                        models.SetPayloadOperation(set_payload=models.SetPayload(payload=payload, points=some))
                    )
        for at in range(0, len(operations), POINTS_AT_ONCE):
            batch = operations[at : at + POINTS_AT_ONCE]
            self._calls.write(lambda client, some=batch: client.batch_update_points(self._collection, some, wait=True))  # type: ignore[misc]  # mypy infers no lambda with defaults

    def _count(self, among: models.Filter | None) -> int:
        return self._calls.read(lambda client: client.count(self._collection, count_filter=among, exact=True)).count


def _batches(posts: Iterable[IndexedPost]) -> Iterator[list[models.PointStruct]]:
    points: list[models.PointStruct] = []
    size_bytes = 0
    writing = list(posts)
    for one, sketch in zip(writing, sketches([one.stored.post for one in writing]), strict=True):
        post = one.stored.post
        written = post_to_json(post).decode()
        for_searches: dict[str, Any] = {SKETCH: base64.b64encode(sketch.tobytes()).decode()}
        if post.created_at is not None and post.created_at.microsecond:
            for_searches["created_s"] = post.created_at.timestamp()
        size_bytes += len(written)
        for passage, vector, terms in zip(one.passages, one.vectors, one.terms, strict=True):
            if len(points) >= POINTS_AT_ONCE or (points and size_bytes > _POST_BYTES_AT_ONCE):
                yield points
                points, size_bytes = [], len(written)
            payload = passage_payload(post, passage) | for_searches
            if passage.ordinal == 0:
                payload |= {"post": written, "content_hash": one.stored.content_hash, "passages": len(one.passages)}
            sparse = models.SparseVector(indices=list(terms.indices), values=list(terms.values))
            vectors: dict[str, Any] = {DENSE: vector.tolist(), TERMS: sparse}
            points.append(models.PointStruct(id=point_id(post.id, passage.ordinal), vector=vectors, payload=payload))
    if points:
        yield points
