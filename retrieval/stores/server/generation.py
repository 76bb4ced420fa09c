"""One generation on a Qdrant server, open for reading and changing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any
from uuid import UUID

from qdrant_client import models

from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, Reached
from retrieval.stores.generations import info_fields, reached_field, reached_from_fields
from retrieval.stores.hybrid_search import SideQuery, gather_scored, in_order
from retrieval.stores.newest_posts import ORDER_FIELDS, Listing, newest_first
from retrieval.stores.payload import (
    DENSE,
    FOUND,
    TERMS,
    AnyOf,
    Between,
    NoneOf,
    Within,
    conditions,
    point_id,
    post_from_json,
)
from retrieval.stores.post_summary import PostSummary, summary_of
from retrieval.stores.server.calls import ServerCalls
from retrieval.stores.server.layout import Layout
from retrieval.stores.server.points import FIRST_PASSAGE, ServerPoints
from retrieval.stores.server.writer import update_metadata
from retrieval.types import Candidate, Filters, Post, TermWeights, Vectors


class ServerGeneration:
    """A finished generation, addressed by its collection and not by the alias, so that a switch does not affect it."""

    def __init__(self, calls: ServerCalls, collection: str, info: GenerationInfo, layout: Layout) -> None:
        self._calls, self._collection, self._info, self._layout = calls, collection, info, layout
        self._points, self._changing = ServerPoints(calls, collection), Lock()

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def candidates(self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters) -> list[Candidate]:
        nearest = {
            DENSE: vector.tolist(),
            TERMS: models.SparseVector(indices=list(terms.indices), values=list(terms.values)),
        }
        let_through = _filter(filters)

        def request(query: SideQuery) -> models.QueryRequest:
            among = query.among
            only = let_through
            if among is not None:
                only = models.Filter(must=[models.HasIdCondition(has_id=[str(UUID(int=one)) for one in among])])
            how = self._layout.search(query.hnsw_ef) if among is None else self._layout.exact()
            return models.QueryRequest(
                query=nearest[query.side],
                using=query.side,
                limit=query.limit,
                filter=only,
                params=how,
                with_payload=query.payload,
            )

        payloads: dict[int, Mapping[str, Any]] = {}

        def ask(queries: Sequence[SideQuery]) -> list[list[tuple[int, float]]]:
            requests = [request(query) for query in queries]
            answers = self._calls.ask(lambda client: client.query_batch_points(self._collection, requests))
            scored = [[(UUID(str(one.id)).int, one.score) for one in answer.points] for answer in answers]
            for answer, points in zip(answers, scored, strict=True):
                for one, (point, _) in zip(answer.points, points, strict=True):
                    payloads.setdefault(point, one.payload or {})  # fetched only the first time
            return scored

        found = gather_scored(ask, limit, with_terms=bool(terms.indices))
        return in_order(
            [
                Candidate._make([*(payloads[point][field] for field in FOUND), cosine, lexical])
                for point, cosine, lexical in zip(*found, strict=True)
            ]
        )

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        def listed(listing: Listing) -> list[dict[str, Any]]:
            moment, order = listing.moment, None
            only: list[models.Condition] = [FIRST_PASSAGE]
            if moment == "newest":
                order = models.OrderBy(key="created_at", direction=models.Direction.DESC)
            elif moment == "undated":
                only.append(models.IsEmptyCondition(is_empty=models.PayloadField(key="created_at")))
            else:
                only.append(models.FieldCondition(key="created_at", match=models.MatchValue(value=moment)))
            points, _ = self._calls.ask(
                lambda client: client.scroll(
                    self._collection, scroll_filter=_filter(filters, only), limit=listing.limit, order_by=order,
                    with_payload=ORDER_FIELDS,
                )
            )  # fmt: skip
            return [point.payload or {} for point in points]

        return newest_first(listed, limit, offset)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        payloads = self._calls.asked_payloads(self._collection, [point_id(post_id, 0) for post_id in ids], ["post"])
        found = (post_from_json(payload["post"]) for payload in payloads)
        return {post.id: post for post in found}

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        return {post_id: summary_of(post) for post_id, post in self.posts(ids).items()}

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        return ids

    def change(self, changes: Changes) -> None:
        with self._changing:
            posts, passages = self._points.change(changes)
            info = self._info
            # Counting on the server reads all posts, so only the rare deletions do it: `wipe`, which deletes from every
            # generation, may have deleted the post before.
            held = self._points.count() if changes.delete else (info.posts + posts, info.passages + passages)
            self._info = replace(info, posts=held[0], passages=held[1])

    def settle(self, reached: Reached) -> None:
        # Each write was durable when the server answered.
        with self._changing:
            posts, passages = self._points.counted((self._info.posts, self._info.passages))
            self._info = replace(self._info, posts=posts, passages=passages)
        update_metadata(
            self._calls, self._collection, info_fields(self._info) | reached_field({**self.reached(), **reached})
        )

    def reached(self) -> Reached:
        read = self._calls.read(lambda client: client.get_collection(self._collection)).config.metadata or {}
        return reached_from_fields(self._calls.recent.metadata(self._collection, read))

    def ids(self) -> Iterator[str]:
        for payload in self._points.first_passages(["post_id"]):
            yield payload["post_id"]

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        first_passages = [point_id(post_id, 0) for post_id in ids]
        payloads = self._calls.payloads(self._collection, first_passages, ["post_id", "content_hash"])
        return {payload["post_id"]: payload["content_hash"] for payload in payloads}

    def indexed_posts(self, ids: Sequence[str]) -> dict[str, IndexedPost]:
        return self._points.whole(ids)

    def warm(self) -> None:
        """Does nothing: the files are the server's."""

    def close(self) -> None:
        """Does nothing: the connection belongs to the store."""


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
