"""The contract of filters, for candidates and for lists of all matches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from retrieval.stores.contract import Generation, IndexedPost, PostStore
from retrieval.types import Filters
from tests.retrieval.stores.conftest import LOCAL_MODE
from tests.retrieval.stores.generations import EVERYTHING, opened, same
from tests.retrieval.stores.offered import (
    DAY_0,
    FILTERS,
    a_post,
    a_query,
    fill,
    indexed,
    lets_through,
    newest_first,
)

pytestmark = LOCAL_MODE


def test_filters_let_through_what_their_description_says(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, posts = filled
    for filters in FILTERS:
        found = {one.post_id for one in generation.candidates(*a_query(0), EVERYTHING, filters)}
        assert found == {post.stored.post.id for post in posts if lets_through(filters, post.stored.post)}


def test_names_are_the_same_in_any_width_case_and_script(store: PostStore) -> None:
    posts = [a_post("trad", author="臺北小吃", tags=("臺北 美食",)), a_post("wide", author="ＭＯ", tags=("Ｃａｆé",))]
    fill(store, [indexed(post, seed) for seed, post in enumerate(posts)])
    with opened(store) as generation:
        asked = {
            "trad": [Filters(authors=("台北小吃",)), Filters(tags=("台北 美食",)), Filters(without_tags=("café",))],
            "wide": [Filters(authors=("mo",)), Filters(tags=("CAFÉ",)), Filters(without_authors=("台北小吃 ",))],
        }
        for expected, several in asked.items():
            for filters in several:
                found = {one.post_id for one in generation.candidates(*a_query(0), EVERYTHING, filters)}
                assert found == {expected} == set(generation.matching(filters, EVERYTHING))


def test_words_of_a_post_are_not_the_stores_to_look_at(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, _ = filled
    vector, terms = a_query(2)
    worded = Filters(phrases=("nobody said this",), without=("text",), min_likes=5)
    plain = Filters(min_likes=5)
    found = generation.candidates(vector, terms, EVERYTHING, worded)
    same(found, generation.candidates(vector, terms, EVERYTHING, plain))
    assert generation.matching(worded, EVERYTHING) == generation.matching(plain, EVERYTHING)


def test_matching_gives_every_post_that_filters_let_through_newest_first(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    for filters in FILTERS:
        expected = newest_first(posts, filters)
        assert generation.matching(filters, EVERYTHING) == expected
        for limit, offset in ((1, 0), (7, 3), (40, 20), (10, 140), (10, 5_000), (0, 0)):
            assert generation.matching(filters, limit, offset) == expected[offset : offset + limit]


def test_matching_pages_posts_of_one_second_without_gap_or_repeat(store: PostStore) -> None:
    dates = [
        DAY_0,
        DAY_0 + timedelta(microseconds=5),
        None,
        DAY_0 + timedelta(seconds=1),
        datetime(1960, 1, 1, tzinfo=UTC),
    ]
    posts = [indexed(a_post(f"p{n}", created_at=dates[n % 5]), seed=n, passages=1 + n % 2) for n in range(40)]
    fill(store, posts)
    with opened(store) as generation:
        expected = newest_first(posts, Filters())
        for size in (1, 3, 40):
            pages = [generation.matching(Filters(), size, at) for at in range(0, 40, size)]
            assert [post_id for page in pages for post_id in page] == expected


def test_moments_are_compared_with_their_time_zone(store: PostStore) -> None:
    moments = [DAY_0 + timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
    fill(store, [indexed(a_post(f"{number}", created_at=one), number) for number, one in enumerate(moments)])
    elsewhere = datetime.fromisoformat("2024-03-01T20:00:00+08:00")
    assert elsewhere == DAY_0
    with opened(store) as generation:

        def found(filters: Filters) -> set[str]:
            return {one.post_id for one in generation.candidates(*a_query(0), 10, filters)}

        assert found(Filters(since=elsewhere)) == {"1", "2"}
        assert found(Filters(until=elsewhere)) == {"0"}
        assert found(Filters(since=datetime(1960, 1, 1, tzinfo=UTC))) == {"0", "1", "2"}
