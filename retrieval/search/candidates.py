"""Candidates whose posts satisfy all filters, including exact words, or just the newest posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from retrieval.search.hits import opening
from retrieval.stores.contract import Generation
from retrieval.stores.hybrid_search import Side
from retrieval.text.exact_words import Wording
from retrieval.types import Candidate, Filters, TermWeights, Vectors


class Gathered(NamedTuple):
    """Candidates whose posts satisfy all filters, and how far the search for them went.

    Attributes:
        found: Those before exact words were looked at.
        more: Whether there may be more passages after them.
        cosine, lexical: The most that a passage after them can have.
    """

    candidates: list[Candidate]
    found: list[Candidate]
    more: bool
    cosine: float
    lexical: float


def gather(
    generation: Generation,
    vector: Vectors,
    terms: TermWeights,
    wanted: int,
    filters: Filters,
    *,
    alone: Sequence[Side] = (),
) -> Gathered:
    """The candidates whose posts satisfy all filters.

    Stores ignore phrases and excluded words, so candidates that fail these are dropped here.

    Args:
        wanted: Passages to fetch from each side of the search.
        alone: As in Generation.candidates.
    """
    found = generation.candidates(vector, terms, wanted, filters, alone=alone)
    kept = _with_wording(generation, [one.post_id for one in found], Wording(filters))
    through = list(found) if kept is None else [one for one in found if one.post_id in kept]
    if len(found) < wanted:
        return Gathered(through, found, False, -1.0, 0.0)
    nth = wanted - 1
    return Gathered(
        through,
        found,
        True,
        sorted((one.cosine for one in found), reverse=True)[nth],
        sorted((one.lexical for one in found), reverse=True)[nth],
    )


def newest(generation: Generation, wanted: int, filters: Filters) -> tuple[list[Candidate], bool]:
    """The posts that satisfy all filters, newest first, and whether there may be more after them.

    Each becomes a candidate without a score: its opening sentences.

    Args:
        wanted: Posts to look at.
    """
    found = generation.matching(filters, wanted)
    wording = Wording(filters)
    posts = generation.posts(found)
    listed = [posts[post_id] for post_id in found if post_id in posts]
    return [opening(post) for post in listed if wording.lets_through(post)], len(found) >= wanted


def matching(generation: Generation, wanted: int, filters: Filters) -> set[str]:
    """IDs of the posts that `newest` finds."""
    if Wording(filters).asks_nothing:
        return set(generation.matching(filters, wanted))
    return {one.post_id for one in newest(generation, wanted, filters)[0]}


def _with_wording(generation: Generation, ids: Sequence[str], wording: Wording) -> set[str] | None:
    """IDs of the posts that satisfy the wording; None if it asks for nothing."""
    if wording.asks_nothing:
        return None
    posts = generation.posts(list(dict.fromkeys(ids)))
    return {post_id for post_id, post in posts.items() if wording.lets_through(post)}
