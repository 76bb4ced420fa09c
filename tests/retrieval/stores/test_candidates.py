"""The contract of candidates: the best by cosine and by BM25, with exact scores, in a fixed order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from retrieval.stores.contract import Generation, IndexedPost, PostStore
from retrieval.types import Candidate, Filters, TermWeights
from tests.retrieval.stores.conftest import LOCAL_MODE
from tests.retrieval.stores.generations import A_TERM, EVERYTHING, best, opened, same
from tests.retrieval.stores.offered import (
    FILTERS,
    a_post,
    a_query,
    brute_force,
    fill,
    indexed,
)

pytestmark = LOCAL_MODE


def test_candidates_are_the_best_by_cosine_and_by_bm25_each_once_with_exact_scores(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    for seed, filters in enumerate(FILTERS):
        vector, terms = a_query(seed)
        expected = brute_force(posts, vector, terms, filters)
        for limit in (1, 7, 40, EVERYTHING):
            same(generation.candidates(vector, terms, limit, filters), best(expected, limit))


def test_a_query_without_terms_is_dense_alone(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, posts = filled
    vector, _ = a_query(3)
    none = TermWeights((), ())
    found = generation.candidates(vector, none, 20, Filters(min_likes=3))
    same(found, brute_force(posts, vector, none, Filters(min_likes=3))[:20])
    assert {one.lexical for one in found} == {0.0}


def test_terms_that_no_passage_holds_find_nothing_and_score_nothing(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    vector, _ = a_query(4)
    found = generation.candidates(vector, A_TERM, 20, Filters())
    same(found, brute_force(posts, vector, A_TERM, Filters())[:20])


def test_equal_passages_come_in_the_order_of_their_ids(store: PostStore) -> None:
    twins = [indexed(a_post(name), seed=1) for name in ("c", "a", "b")]
    fill(store, twins)
    with opened(store) as generation:
        for _ in range(3):
            assert [one.post_id for one in generation.candidates(*a_query(0), 10, Filters())] == ["a", "b", "c"]


def test_several_threads_get_what_one_gets(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, _ = filled

    def ask(seed: int) -> tuple[list[Candidate], set[str]]:
        found = generation.candidates(*a_query(seed), 30, FILTERS[seed % len(FILTERS)])
        return found, set(generation.posts([one.post_id for one in found]))

    seeds = list(range(24))
    alone = [ask(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        for (found, posts), (expected, expected_posts) in zip(pool.map(ask, seeds), alone, strict=True):
            same(found, expected)
            assert posts == expected_posts
