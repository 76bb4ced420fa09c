"""What one search reads of a generation on a Qdrant server, each thing once, in as few requests as it can be.

A request costs more than what is asked in it. So candidates come with both scores and with what decides their posts'
places, several searches in one request, and a larger search asks only for what a smaller one did not bring.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import numpy as np
from qdrant_client import models

from retrieval.stores.contract import GenerationInfo
from retrieval.stores.hybrid_search import Side, SideQuery, in_order
from retrieval.stores.payload import DENSE, FOUND, SUMMED_UP, point_id, post_from_json
from retrieval.stores.post_summary import PostSummary, number_of_key, summary_of
from retrieval.stores.server.calls import ServerCalls
from retrieval.stores.server.filters import qdrant_filter
from retrieval.stores.server.layout import Layout
from retrieval.text.near_copies import SKETCHED, meeting
from retrieval.types import Candidate, Filters, Post, TermWeights, Vectors

SKETCH = "sketch"
_FIELDS = [*FOUND, *SUMMED_UP, SKETCH]
_POSTS_AT_ONCE = 4_000  # a search reads no more than 3,200
_LISTED = 1_600  # of filters alone a search counts so many, whatever its page shows
_Scores: TypeAlias = dict[int, float]


class Matching(Protocol):
    """Lists the newest posts."""

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]: ...


@dataclass(slots=True)
class _Found:
    """What one query brought so far: by side the passages, best first, and all their scores.

    Attributes:
        depth: Passages asked for on each side.
        ended: Sides of which there are no more.
    """

    depth: int = 0
    best: dict[Side, list[int]] = field(default_factory=lambda: {"dense": [], "terms": []})
    scores: dict[Side, _Scores] = field(default_factory=lambda: {"dense": {}, "terms": {}})
    ended: set[Side] = field(default_factory=set)


class OneSearch:
    """A Generation for the calls of one search. For one thread.

    Args:
        shards: Of the collection: each scores its own best ones.
        listing: Of the generation.
    """

    def __init__(
        self,
        calls: ServerCalls,
        collection: str,
        info: GenerationInfo,
        layout: Layout,
        shards: int,
        listing: Matching,
    ) -> None:
        self._calls, self._collection, self._info, self._layout = calls, collection, info, layout
        self._shards, self._listing = shards, listing
        self._payloads: dict[int, Mapping[str, Any]] = {}
        self._of_post: dict[str, Mapping[str, Any]] = {}
        self._posts: dict[str, Post | None] = {}
        self._reads_all = False
        self._listed: dict[Filters, tuple[list[str], int]] = {}
        self._found: dict[tuple[bytes, TermWeights, Filters], _Found] = {}

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def one_search(self) -> OneSearch:
        return self

    def prepare(
        self,
        vector: Vectors | None,
        terms: TermWeights,
        asked: Sequence[tuple[int, Filters]],
        posts: Sequence[str] = (),
    ) -> None:
        """See Generation.prepare."""
        if vector is None:
            for limit, filters in asked:
                self.posts(self.matching(filters, limit))
            return
        deeper: list[tuple[_Found, int, list[Side]]] = []
        requests: list[models.QueryRequest] = []
        for limit, filters in asked:
            self._reads_all |= bool(filters.phrases or filters.without)
            found = self._found_by(vector, terms, filters)
            sides: list[Side] = [side for side in _sides(terms) if side not in found.ended]
            if limit > found.depth and sides:
                deeper.append((found, limit, sides))
                requests += self._requests(found, vector, terms, limit, filters, sides)
        missing = [post_id for post_id in dict.fromkeys(posts) if post_id not in self._posts]
        if not requests:
            return
        if missing:
            ids: list[Any] = [point_id(post_id, 0) for post_id in missing]
            among = models.Filter(must=[models.HasIdCondition(has_id=ids)])
            requests.append(models.QueryRequest(filter=among, limit=len(ids), with_payload=["post"]))
        answers = iter(self._asked(requests))
        for found, limit, sides in deeper:
            self._take(found, limit, sides, answers, with_terms=bool(terms.indices))
            self._score_rest(found, vector, terms)
        if missing:
            self._take_posts(missing, [one.payload or {} for one in next(answers)])

    def candidates(
        self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters, *, alone: Sequence[Side] = ()
    ) -> list[Candidate]:
        if alone:
            return self._counted(vector, terms, limit, filters, [side for side in _sides(terms) if side in alone])
        self.prepare(vector, terms, [(limit, filters)])
        found = self._found_by(vector, terms, filters)
        cosines, lexicals = found.scores["dense"], found.scores["terms"]
        points = dict.fromkeys(point for side in _sides(terms) for point in found.best[side][:limit])
        return in_order(
            [
                Candidate._make(
                    [*(self._payloads[point][name] for name in FOUND), cosines[point], lexicals.get(point, 0.0)]
                )
                for point in points
                if point in cosines
            ]
        )

    def _counted(
        self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters, sides: Sequence[Side]
    ) -> list[Candidate]:
        """The best of the sides with the score of the side that found them, without what only their places need."""
        nearest, through = _nearest(vector, terms), qdrant_filter(filters)
        requests = [
            models.QueryRequest(
                query=nearest[side], using=side, limit=limit, filter=through,
                params=self._layout.search(SideQuery(side, limit, effort=1).hnsw_ef),
                with_payload=[*FOUND, *SUMMED_UP],
            )
            for side in sides
        ]  # fmt: skip
        scores: dict[int, list[float]] = {}
        for side, points in zip(sides, self._asked(requests) if requests else (), strict=True):
            for one in points:
                point, payload = UUID(str(one.id)).int, one.payload or {}
                self._payloads.setdefault(point, payload)
                self._of_post.setdefault(payload["post_id"], payload)
                scores.setdefault(point, [0.0, 0.0])[side == "terms"] = one.score
        return in_order(
            [
                Candidate._make([*(self._payloads[point][name] for name in FOUND), *both])
                for point, both in scores.items()
            ]
        )

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        """See Generation.matching. The longest list of a search begins with the shorter ones."""
        listed, asked_for = self._listed.get(filters, ([], 0))
        if offset + limit > asked_for:
            asked_for = max(offset + limit, _LISTED)
            listed = self._listing.matching(filters, asked_for)
            self._listed[filters] = (listed, asked_for)
        return listed[offset : offset + limit]

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        missing = [post_id for post_id in dict.fromkeys(ids) if post_id not in self._posts]
        if missing and self._reads_all:  # exact words are looked for in all that were found: in one request
            known = {*self._posts, *missing}
            missing += [post_id for post_id in self._of_post if post_id not in known]
        for at in range(0, len(missing), _POSTS_AT_ONCE):
            some = missing[at : at + _POSTS_AT_ONCE]
            points = [point_id(post_id, 0) for post_id in some]
            self._take_posts(some, list(self._calls.asked_payloads(self._collection, points, ["post"], len(points))))
        found = ((post_id, self._posts[post_id]) for post_id in ids)
        return {post_id: post for post_id, post in found if post is not None}

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        known = {post_id: _summary(self._of_post[post_id]) for post_id in ids if post_id in self._of_post}
        unknown = [post_id for post_id in ids if post_id not in known]
        others = self.posts(unknown) if unknown else {}
        return known | {post_id: summary_of(others[post_id]) for post_id in unknown if post_id in others}

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        written = [self._of_post.get(post_id, {}).get(SKETCH, "") for post_id in ids]
        if not all(written):  # they were written before sketches were, or not found by this search
            return ids
        sketched = np.frombuffer(b"".join(map(base64.b64decode, written)), np.uint16).reshape(-1, SKETCHED)
        return [ids[row] for row in meeting(sketched)]

    def warm(self) -> None:
        """Does nothing: the files are the server's."""

    def close(self) -> None:
        """Does nothing: the connection belongs to the store."""

    def _found_by(self, vector: Vectors, terms: TermWeights, filters: Filters) -> _Found:
        return self._found.setdefault((vector.tobytes(), terms, filters), _Found())

    def _requests(
        self,
        found: _Found,
        vector: Vectors,
        terms: TermWeights,
        limit: int,
        filters: Filters,
        sides: Sequence[Side],
    ) -> list[models.QueryRequest]:
        """For each side the best that are not known yet, and, where there are two, the other side's scores of them."""
        nearest = _nearest(vector, terms)
        requests = []
        for side in sides:
            known: list[Any] = [str(UUID(int=point)) for point in found.best[side]]
            besides = [models.HasIdCondition(has_id=known)] if known else []
            query = SideQuery(side, limit)
            search: dict[str, Any] = {
                "query": nearest[side], "using": side, "limit": limit - found.depth,
                "filter": qdrant_filter(filters, without=besides), "params": self._layout.search(query.hnsw_ef),
            }  # fmt: skip
            requests.append(models.QueryRequest(**search, with_payload=_FIELDS))
            if terms.indices:
                other: Side = "terms" if side == "dense" else "dense"
                # Each shard scores its own best ones: all of them are wanted, of which the best of all are some.
                requests.append(
                    models.QueryRequest(
                        prefetch=[models.Prefetch(**search)], query=nearest[other], using=other,
                        limit=(limit - found.depth) * self._shards, params=self._layout.exact(), with_payload=False,
                    )
                )  # fmt: skip
        return requests

    def _take(self, found: _Found, limit: int, sides: Sequence[Side], answers: Any, *, with_terms: bool) -> None:
        wanted = limit - found.depth
        others = dict[Side, _Scores]()
        for side in sides:
            best = next(answers)
            for one in best:
                point = UUID(str(one.id)).int
                payload = one.payload or {}
                self._payloads[point] = payload
                self._of_post.setdefault(payload["post_id"], payload)
                found.best[side].append(point)
                found.scores[side][point] = one.score
            if len(best) < wanted:
                found.ended.add(side)
            if with_terms:
                others["terms" if side == "dense" else "dense"] = {
                    UUID(str(one.id)).int: one.score for one in next(answers)
                }
        for side, scores in others.items():
            for point, score in scores.items():
                if point in self._payloads:  # of several shards, others than the best are scored too
                    found.scores[side].setdefault(point, score)
        found.depth = limit

    def _score_rest(self, found: _Found, vector: Vectors, terms: TermWeights) -> None:
        """The cosines of passages that the server found by their words and did not score: none, as a rule."""
        points = [point for point in found.best["terms"] if point not in found.scores["dense"]]
        if points:
            ids: list[Any] = [str(UUID(int=point)) for point in points]
            request = models.QueryRequest(
                query=_nearest(vector, terms)["dense"], using=DENSE, limit=len(ids), params=self._layout.exact(),
                filter=models.Filter(must=[models.HasIdCondition(has_id=ids)]), with_payload=False,
            )  # fmt: skip
            [scored] = self._asked([request])
            found.scores["dense"] |= {UUID(str(one.id)).int: one.score for one in scored}

    def _asked(self, requests: list[models.QueryRequest]) -> list[list[models.ScoredPoint]]:
        answers = self._calls.ask(lambda client: client.query_batch_points(self._collection, requests))
        return [answer.points for answer in answers]

    def _take_posts(self, ids: Sequence[str], payloads: Sequence[Mapping[str, Any]]) -> None:
        found = {post.id: post for post in (post_from_json(payload["post"]) for payload in payloads)}
        self._posts |= {post_id: found.get(post_id) for post_id in ids}


def _sides(terms: TermWeights) -> list[Side]:
    return ["dense", "terms"] if terms.indices else ["dense"]


def _nearest(vector: Vectors, terms: TermWeights) -> dict[Side, Any]:
    return {
        "dense": vector.tolist(), "terms": models.SparseVector(indices=list(terms.indices), values=list(terms.values)),
    }  # fmt: skip


def _summary(payload: Mapping[str, Any]) -> PostSummary:
    # Written before `created_s` was: to the second.
    created_s = payload.get("created_s", payload.get("created_at"))
    return PostSummary(
        payload["post_id"], number_of_key(payload["author"]), payload["likes"],
        None if created_s is None else float(created_s), payload["language"],
    )  # fmt: skip
