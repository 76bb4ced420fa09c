"""A search is handed on once, soon, and not after a post was forgotten."""

from __future__ import annotations

from app.recent_searches import RecentSearches
from retrieval.types import SearchPage, SearchQuery

PAGE = SearchPage(SearchQuery("tea"), "en", (), 0, "g1", {})


def test_a_search_can_be_taken_once_by_its_id_alone() -> None:
    searches = RecentSearches()
    one, other = searches.keep(PAGE), searches.keep(PAGE)
    assert one != other
    assert searches.take("") is None
    assert searches.take(one) is PAGE
    assert searches.take(one) is None
    assert searches.take(other) is PAGE


def test_a_search_is_kept_for_seconds_and_only_the_last_ones_are() -> None:
    now = [0.0]
    searches = RecentSearches(most=2, seconds=60, clock=lambda: now[0])
    first, *others = (searches.keep(PAGE) for _ in range(3))
    assert searches.take(first) is None
    now[0] = 59.0
    assert searches.take(others[0]) is PAGE
    now[0] = 60.0
    assert searches.take(others[1]) is None


def test_no_search_outlives_the_forgetting_of_a_post() -> None:
    searches = RecentSearches()
    key = searches.keep(PAGE)
    searches.forget(["any"])
    assert searches.take(key) is None
