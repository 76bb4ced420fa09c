"""Dense and lexical search joined into candidates with both scores. Shared by both stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from retrieval.types import Candidate

Side = Literal["dense", "terms"]
# A 64-bit number in the embedded store, a UUID as a number on a server.
PointId: TypeAlias = int

# Places that HNSW examines for each passage wanted. Of the 100 nearest it then finds .998, at worst .84; with Qdrant's
# default of 100 places in all .982, at worst .33. Costs 0.3 ms (19,558 MiniLM passages, 300 queries). Among 103,414
# passages of two languages it finds .965 (docs/decisions/0019-bytes-for-the-graph.md).
_HNSW_EFFORT = 4


@dataclass(frozen=True, slots=True)
class SideQuery:
    """One side's search: the `limit` best that satisfy the filters, or the scores of the points in `among`."""

    side: Side
    limit: int
    among: frozenset[PointId] | None = None
    effort: float = _HNSW_EFFORT

    @property
    def hnsw_ef(self) -> int:
        return round(self.effort * self.limit)


class ScoredPoints(NamedTuple):
    """Passages found by one or both sides, each once, with both scores; lists of equal length."""

    points: list[PointId]
    cosines: list[float]
    lexicals: list[float]


# Runs several queries at once and returns points with scores for each, in order.
Search = Callable[[Sequence[SideQuery]], list[list[tuple[PointId, float]]]]


def gather_scored(ask: Search, limit: int, *, with_terms: bool, alone: Sequence[Side] = ()) -> ScoredPoints:
    """The `limit` best of each side, in no order.

    A passage found by only one side is then scored by the other, exactly, so that fusion compares like with like: a
    passage just below one side's limit does not count as unknown to it.

    Args:
        alone: Only the best of these sides, each with the score of the side that found it and 0 for the other: much
            faster, to count them.
    """
    sides: list[Side] = ["dense", "terms"] if with_terms else ["dense"]
    if alone:
        sides = [side for side in sides if side in alone]
    effort = 1 if alone else _HNSW_EFFORT  # what is only counted need not be the very best
    answers = ask([SideQuery(side, limit, effort=effort) for side in sides])
    scores = {side: dict(answer) for side, answer in zip(sides, answers, strict=True)}
    found = frozenset[PointId]().union(*scores.values())
    missing = {side: found.difference(scores[side]) for side in sides} if not alone else {}
    second = [SideQuery(side, len(points), points) for side, points in missing.items() if points]
    for query, answer in zip(second, ask(second) if second else [], strict=True):
        scores[query.side].update(answer)
    cosines, lexical = scores.get("dense", {}), scores.get("terms", {})
    # A passage without terms of the query has no score there.
    points = list(found) if alone else list(cosines)
    return ScoredPoints(
        points, [cosines.get(point, 0.0) for point in points], [lexical.get(point, 0.0) for point in points]
    )


def in_order(candidates: list[Candidate]) -> list[Candidate]:
    """In the order of Generation.candidates: best cosine first; ties by post ID, then by ordinal."""
    return sorted(candidates, key=lambda one: (-one.cosine, one.post_id, one.ordinal))
