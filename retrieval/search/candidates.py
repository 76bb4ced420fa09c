"""Candidates whose posts satisfy all filters, including exact words, or just the newest posts."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.search.hits import opening
from retrieval.stores.contract import Generation
from retrieval.text.exact_words import Wording
from retrieval.types import Candidate, Filters, TermWeights, Vectors


def gather(
    generation: Generation, vector: Vectors, terms: TermWeights, wanted: int, filters: Filters
) -> tuple[list[Candidate], bool]:
    """The candidates whose posts satisfy all filters, and whether there may be more after them.

    Stores ignore phrases and excluded words, so candidates that fail these are dropped here.

    Args:
        wanted: Passages to fetch from each side of the search.
    """
    found = generation.candidates(vector, terms, wanted, filters)
    kept = _with_wording(generation, [one.post_id for one in found], Wording(filters))
    through = found if kept is None else [one for one in found if one.post_id in kept]
    return through, len(found) >= wanted


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


def _with_wording(generation: Generation, ids: Sequence[str], wording: Wording) -> set[str] | None:
    """IDs of the posts that satisfy the wording; None if it asks for nothing."""
    if wording.asks_nothing:
        return None
    posts = generation.posts(list(dict.fromkeys(ids)))
    return {post_id for post_id, post in posts.items() if wording.lets_through(post)}
