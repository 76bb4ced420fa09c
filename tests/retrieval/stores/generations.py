"""An open generation, and what it must return."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from retrieval.stores.contract import ChangingGeneration, IndexedPost, PostStore
from retrieval.stores.post_summary import summary_of
from retrieval.text.near_copies import near_copies
from retrieval.types import Candidate, Filters, TermWeights
from tests.retrieval.stores.offered import IDENTITY, a_query, brute_force, newest_first

EVERYTHING = 1_000
A_TERM = TermWeights((7,), (1.0,))


@contextmanager
def opened(store: PostStore) -> Iterator[ChangingGeneration]:
    with closing(store.open(IDENTITY)) as generation:
        yield generation


def same(found: list[Candidate], expected: list[Candidate]) -> None:
    """The same passages in the same order, scores equal except for 32-bit rounding."""
    assert [(one.post_id, one.ordinal) for one in found] == [(one.post_id, one.ordinal) for one in expected]
    for one, by_definition in zip(found, expected, strict=True):
        assert one.cosine == pytest.approx(by_definition.cosine, abs=1e-5)
        assert one.lexical == pytest.approx(by_definition.lexical, rel=1e-5, abs=1e-6)
        assert one._replace(cosine=0, lexical=0) == by_definition._replace(cosine=0, lexical=0)


def best(candidates: list[Candidate], limit: int) -> list[Candidate]:
    """The `limit` best by cosine with the `limit` best by BM25, best cosine first."""
    by_terms = sorted((one for one in candidates if one.lexical > 0), key=lambda one: -one.lexical)[:limit]
    return [one for rank, one in enumerate(candidates) if rank < limit or one in by_terms]


def holds(generation: ChangingGeneration, posts: list[IndexedPost]) -> None:
    """The generation finds and returns exactly these posts."""
    vector, terms = a_query(1)
    found = generation.candidates(vector, terms, EVERYTHING, Filters())
    expected = brute_force(posts, vector, terms, Filters())
    # Deleted passages may still count towards how rare a term is, but not towards which passages have it.
    assert [one._replace(cosine=0.0, lexical=0.0) for one in found] == [
        one._replace(cosine=0.0, lexical=0.0) for one in expected
    ]
    assert [one.cosine for one in found] == pytest.approx([one.cosine for one in expected], abs=1e-6)
    assert [one.lexical > 0 for one in found] == [one.lexical > 0 for one in expected]
    assert generation.matching(Filters(), EVERYTHING) == newest_first(posts, Filters())
    ids = [one.stored.post.id for one in posts]
    by_id = {one.stored.post.id: one.stored.post for one in posts}
    assert generation.posts([*ids, "post-0", "post-3"]) == by_id
    assert generation.summaries([*ids, "post-0", "post-3"]) == {one: summary_of(post) for one, post in by_id.items()}
    copies = {ids[place] for pair in near_copies([by_id[one] for one in ids]) for place in pair}
    may_be = generation.may_be_copies(ids)
    assert copies <= set(may_be)
    assert list(may_be) == [one for one in ids if one in may_be]
    assert (generation.info.posts, generation.info.passages) == (len(posts), sum(len(one.passages) for one in posts))
