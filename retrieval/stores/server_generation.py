"""One generation on a Qdrant server: open for reading and changing, or being filled."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from qdrant_client import models

from retrieval.errors import StoreUnreachable
from retrieval.store import Changes, GenerationInfo, Identity, IndexedPost, Reached, StoredPost, TermWeights, Vectors
from retrieval.stores.candidates import Point, Question, gather_candidates
from retrieval.stores.generations import info_fields, reached_field, reached_from_fields
from retrieval.stores.newest import LISTED, Listing, newest_first
from retrieval.stores.payload import (
    DENSE,
    TERMS,
    AnyOf,
    Between,
    NoneOf,
    Within,
    conditions,
    counter_payload,
    passage_payload,
    point_id,
    post_from_json,
    post_to_json,
)
from retrieval.stores.server_calls import ServerCalls
from retrieval.types import Candidate, Filters, Post

# A request holds at most 32 MB: 256 points of 1,024 numbers are about 4, and the posts' own JSON is counted.
_POINTS_AT_ONCE = 256
_POST_BYTES_AT_ONCE = 8_000_000
_INDEXING_POLL_S = 0.5


class ServerGeneration:
    """A finished generation. It is named by its collection, not by the alias: a switch does not reach it."""

    def __init__(self, calls: ServerCalls, collection: str, info: GenerationInfo) -> None:
        self._calls, self._collection, self._info = calls, collection, info

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def candidates(self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters) -> list[Candidate]:
        query = {
            DENSE: vector.tolist(),
            TERMS: models.SparseVector(indices=list(terms.indices), values=list(terms.values)),
        }
        let_through = _filter(filters)

        def request(question: Question) -> models.QueryRequest:
            among = question.among
            only = let_through
            if among is not None:
                only = models.Filter(must=[models.HasIdCondition(has_id=[str(UUID(int=one)) for one in among])])
            best = models.SearchParams(hnsw_ef=question.hnsw_ef)
            return models.QueryRequest(
                query=query[question.side],
                using=question.side,
                limit=question.limit,
                filter=only,
                params=best if among is None else models.SearchParams(exact=True),
                with_payload=question.payload,
            )

        def ask(questions: Sequence[Question]) -> list[list[Point]]:
            requests = [request(question) for question in questions]
            answers = self._calls.read(lambda client: client.query_batch_points(self._collection, requests))
            return [
                [Point(UUID(str(one.id)).int, one.score, one.payload or {}) for one in answer.points]
                for answer in answers
            ]

        return gather_candidates(ask, limit, with_terms=bool(terms.indices))

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        first_passage = models.FieldCondition(key="ordinal", match=models.MatchValue(value=0))

        def listed(listing: Listing) -> list[dict[str, Any]]:
            moment, order = listing.moment, None
            only: list[models.Condition] = [first_passage]
            if moment == "newest":
                order = models.OrderBy(key="created_at", direction=models.Direction.DESC)
            elif moment == "undated":
                only.append(models.IsEmptyCondition(is_empty=models.PayloadField(key="created_at")))
            else:
                only.append(models.FieldCondition(key="created_at", match=models.MatchValue(value=moment)))
            points, _ = self._calls.read(
                lambda client: client.scroll(
                    self._collection, scroll_filter=_filter(filters, only), limit=listing.limit, order_by=order,
                    with_payload=LISTED,
                )
            )  # fmt: skip
            return [point.payload or {} for point in points]

        return newest_first(listed, limit, offset)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        payloads = self._calls.payloads(self._collection, [point_id(post_id, 0) for post_id in ids], ["post"])
        found = (post_from_json(payload["post"]) for payload in payloads)
        return {post.id: post for post in found}

    def change(self, changes: Changes) -> None:
        points = _Points(self._calls, self._collection)
        points.change(changes)
        posts, passages = points.count()
        self._info = replace(self._info, posts=posts, passages=passages)

    def settle(self, reached: Reached) -> None:
        # Each write was durable when it was answered.
        fields = info_fields(self._info) | reached_field({**self.reached(), **reached})
        self._calls.write(lambda client: client.update_collection(self._collection, metadata=fields))

    def reached(self) -> Reached:
        said = self._calls.read(lambda client: client.get_collection(self._collection)).config.metadata
        return reached_from_fields(said or {})

    def close(self) -> None:
        """Nothing is held: the connection is the store's."""


class ServerWriter:
    """A collection that is being filled."""

    def __init__(self, calls: ServerCalls, collection: str, name: str, identity: Identity) -> None:
        self._calls, self._collection, self._name, self._identity = calls, collection, name, identity

    @property
    def name(self) -> str:
        return self._name

    def reached(self) -> Reached:
        return {}

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        self.change(Changes(upsert=posts))

    def change(self, changes: Changes) -> None:
        _Points(self._calls, self._collection).change(changes)

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        self._wait_for_indexing()
        posts, passages = _Points(self._calls, self._collection).count()
        info = GenerationInfo(self.name, self._identity, datetime.now(UTC), posts, passages)
        fields = info_fields(info) | reached_field(reached or {})
        self._calls.write(lambda client: client.update_collection(self._collection, metadata=fields))
        return info

    def discard(self) -> None:
        self._calls.write(lambda client: client.delete_collection(self._collection))

    def _wait_for_indexing(self) -> None:
        """Until the server has built its search structures; what it has not is searched slowly, and correctly."""
        while True:
            said = self._calls.write(lambda client: client.get_collection(self._collection))
            if said.status == models.CollectionStatus.RED:
                problem = f"the Qdrant server failed at {self._collection}: {said.optimizer_status}"
                raise StoreUnreachable(problem, "look at its log and its free disk space, then reindex again")
            if said.status != models.CollectionStatus.YELLOW:
                return
            time.sleep(_INDEXING_POLL_S)


class _Points:
    """The points of a collection, and how posts in it change."""

    def __init__(self, calls: ServerCalls, collection: str) -> None:
        self._calls, self._collection = calls, collection

    def change(self, changes: Changes) -> None:
        self.delete(changes.delete)
        latest = {one.stored.post.id: one for one in changes.upsert}  # of two of one id the last holds
        before = self._passages(list(latest))
        self._delete({key: (len(latest[key].passages), count) for key, count in before.items()})
        for points in _batches(latest.values()):
            self._put(points)
        there = self._passages([stored.post.id for stored in changes.recount])
        for stored in changes.recount:
            self._recount(stored, there.get(stored.post.id, 0))

    def delete(self, ids: Sequence[str]) -> None:
        """Delete posts; an id that is not there is passed over."""
        self._delete({key: (0, count) for key, count in self._passages(ids).items()})

    def count(self) -> tuple[int, int]:
        """Numbers of posts and passages."""
        first_passage = models.FieldCondition(key="ordinal", match=models.MatchValue(value=0))
        return self._count(models.Filter(must=[first_passage])), self._count(None)

    def _passages(self, ids: Sequence[str]) -> dict[str, int]:
        """How many passages each of these posts has; an id that is not there is left out."""
        first_passages = [point_id(post_id, 0) for post_id in dict.fromkeys(ids)]
        payloads = self._calls.payloads(self._collection, first_passages, ["post_id", "passages"])
        return {payload["post_id"]: payload["passages"] for payload in payloads}

    def _delete(self, ordinals: Mapping[str, tuple[int, int]]) -> None:
        # The first passage, which says how many there are, goes last: a deletion that breaks off can be repeated.
        gone = [point_id(key, at) for key, (first, end) in ordinals.items() for at in range(max(first, 1), end)]
        gone += [point_id(key, 0) for key, (first, end) in ordinals.items() if first == 0 < end]
        for at in range(0, len(gone), _POINTS_AT_ONCE):
            selector = models.PointIdsList(points=[*gone[at : at + _POINTS_AT_ONCE]])
            self._calls.write(lambda client, some=selector: client.delete(self._collection, some, wait=True))  # type: ignore[misc]

    def _recount(self, stored: StoredPost, passages: int) -> None:
        written = {"post": post_to_json(stored.post).decode(), "content_hash": stored.content_hash}
        first, others = self._ids(stored.post.id, 0, min(1, passages)), self._ids(stored.post.id, 1, passages)
        for payload, ids in ((counter_payload(stored.post) | written, first), (counter_payload(stored.post), others)):
            if ids:
                self._calls.write(
                    lambda client, payload=payload, ids=ids: client.set_payload(  # type: ignore[misc]
                        self._collection, payload, ids, wait=True
                    )
                )

    def _ids(self, post_id: str, first: int, end: int) -> list[int | str]:
        return [point_id(post_id, ordinal) for ordinal in range(first, end)]

    def _put(self, points: list[models.PointStruct]) -> None:
        self._calls.write(lambda client: client.upsert(self._collection, points, wait=True))

    def _count(self, among: models.Filter | None) -> int:
        return self._calls.read(lambda client: client.count(self._collection, count_filter=among, exact=True)).count


def delete_posts(calls: ServerCalls, collection: str, ids: Sequence[str]) -> None:
    """Delete posts from a collection, whichever generation it is; an id that is not there is passed over."""
    _Points(calls, collection).delete(ids)


def _batches(posts: Iterable[IndexedPost]) -> Iterator[list[models.PointStruct]]:
    points: list[models.PointStruct] = []
    size_bytes = 0
    for one in posts:
        post = one.stored.post
        written = post_to_json(post).decode()
        size_bytes += len(written)
        for passage, vector, terms in zip(one.passages, one.vectors, one.terms, strict=True):
            if len(points) >= _POINTS_AT_ONCE or (points and size_bytes > _POST_BYTES_AT_ONCE):
                yield points
                points, size_bytes = [], len(written)
            payload: dict[str, Any] = passage_payload(post, passage)
            if passage.ordinal == 0:
                payload |= {"post": written, "content_hash": one.stored.content_hash, "passages": len(one.passages)}
            sparse = models.SparseVector(indices=list(terms.indices), values=list(terms.values))
            vectors: dict[str, Any] = {DENSE: vector.tolist(), TERMS: sparse}
            points.append(models.PointStruct(id=point_id(post.id, passage.ordinal), vector=vectors, payload=payload))
    if points:
        yield points


def _filter(filters: Filters, more: Sequence[models.Condition] = ()) -> models.Filter | None:
    must, must_not = list(more), list[models.Condition]()
    for one in conditions(filters):
        match one:
            case AnyOf():
                must.append(models.FieldCondition(key=one.field, match=models.MatchAny(any=list(one.values))))
            case NoneOf():
                must_not.append(models.FieldCondition(key=one.field, match=models.MatchAny(any=list(one.values))))
            case Between():
                must.append(models.FieldCondition(key=one.field, range=models.Range(gte=one.at_least, lt=one.below)))
            case Within():
                centre = models.GeoPoint(lat=one.latitude, lon=one.longitude)
                circle = models.GeoRadius(center=centre, radius=one.radius_m)
                must.append(models.FieldCondition(key=one.field, geo_radius=circle))
    return models.Filter(must=must, must_not=must_not) if must or must_not else None
