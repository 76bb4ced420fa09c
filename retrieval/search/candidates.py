"""What may stand on a page: candidates whose posts say what is asked of their words, or just the newest posts."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.search.hits import opening
from retrieval.stores.contract import Generation
from retrieval.text.exact_words import Wording
from retrieval.types import Candidate, Filters, TermWeights, Vectors


def gather(
    generation: Generation, vector: Vectors, terms: TermWeights, wanted: int, filters: Filters
) -> tuple[list[Candidate], bool]:
    """The candidates whose posts satisfy all filters, and whether there may be more behind them.

    No store looks at phrases and excluded words, so that of the candidates that it brings some are left out here.

    Args:
        wanted: Passages that each side of the search brings.
    """
    found = generation.candidates(vector, terms, wanted, filters)
    kept = _saying(generation, [one.post_id for one in found], Wording(filters))
    through = found if kept is None else [one for one in found if one.post_id in kept]
    return through, len(found) >= wanted


def newest(generation: Generation, wanted: int, filters: Filters) -> tuple[list[Candidate], bool]:
    """The posts that satisfy all filters, newest first, and whether there may be more behind them.

    Each comes as a candidate of no score: its opening sentences.

    Args:
        wanted: Posts that are looked at.
    """
    found = generation.matching(filters, wanted)
    wording = Wording(filters)
    posts = generation.posts(found)
    listed = [posts[post_id] for post_id in found if post_id in posts]
    return [opening(post) for post in listed if wording.lets_through(post)], len(found) >= wanted


def _saying(generation: Generation, ids: Sequence[str], wording: Wording) -> set[str] | None:
    """Those of the posts that say what is asked; None where nothing is."""
    if wording.asks_nothing:
        return None
    posts = generation.posts(list(dict.fromkeys(ids)))
    return {post_id for post_id, post in posts.items() if wording.lets_through(post)}
