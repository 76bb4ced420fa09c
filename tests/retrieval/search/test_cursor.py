"""Cursors: valid only for the query and generation that they were issued for."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.search.cursor import BadCursorError, Continuation, read_cursor, write_cursor
from retrieval.types import Filters, SearchQuery

QUERY = SearchQuery("quiet cafe", Filters(tags=("dali",)))
SIGNS = string.ascii_letters + string.digits + "-_=+/ .\u0101"


@given(st.text(), st.integers(1, 1000), st.text(max_size=80))
def test_a_cursor_leads_to_where_it_was_written(text: str, position: int, generation: str) -> None:
    query = SearchQuery(text)
    cursor = write_cursor(query, generation, position)
    assert read_cursor(cursor, query, generation) == Continuation(position)
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")
    other_page = replace(query, limit=50, explain=True, facets=("tags",), cursor=cursor)
    assert read_cursor(cursor, other_page, generation) == Continuation(position)


@given(st.permutations(range(200)), st.integers(0, 200))
def test_a_cursor_keeps_the_order_that_a_reranker_gave(shuffled: list[int], length: int) -> None:
    order = [place for place in shuffled if place < length]
    assert read_cursor(write_cursor(QUERY, "g1", 10, order), QUERY, "g1") == Continuation(10, tuple(order))


@given(st.data())
def test_one_changed_sign_is_refused(data: st.DataObject) -> None:
    cursor = write_cursor(QUERY, "g1", 10)
    at = data.draw(st.integers(0, len(cursor) - 1))
    sign = data.draw(st.sampled_from([sign for sign in SIGNS if sign != cursor[at]]))
    for tampered in (cursor[:at] + sign + cursor[at + 1 :], cursor[:at] + sign + cursor[at:], cursor[:at]):
        with pytest.raises(BadCursorError):
            read_cursor(tampered, QUERY, "g1")


@given(st.text(max_size=300))
@example("A" * 5000)
@example("\ud800")
@example("e30")
def test_no_text_but_a_cursor_is_one(text: str) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(text, QUERY, "g1")


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, text="loud cafe"),
        replace(QUERY, filters=Filters()),
        replace(QUERY, sort="newest"),
        replace(QUERY, fold=False),
        replace(QUERY, per_author=0),
        replace(QUERY, boosts=False),
    ],
)
def test_a_cursor_of_another_query_is_refused(other: SearchQuery) -> None:
    with pytest.raises(BadCursorError, match="another query"):
        read_cursor(write_cursor(QUERY, "g1", 10), other, "g1")


def test_a_cursor_of_a_generation_that_is_gone_is_refused() -> None:
    with pytest.raises(BadCursorError, match="index has changed"):
        read_cursor(write_cursor(QUERY, "g1", 10), QUERY, "g2")


def test_a_cursor_beyond_what_pages_reach_is_refused() -> None:
    with pytest.raises(BadCursorError, match="1,000 hits"):
        read_cursor(write_cursor(QUERY, "g1", 1001), QUERY, "g1")
