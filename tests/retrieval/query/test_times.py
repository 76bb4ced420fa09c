"""Times in ordinary words, and when they limit a query."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.query.filters import both
from retrieval.query.parser import parse_query
from retrieval.query.pieces import without_piece
from retrieval.query.times import read_time
from retrieval.types import Filters

TODAY = date(2026, 12, 1)  # a Tuesday


@pytest.mark.parametrize(
    ("typed", "text", "since", "until"),
    [
        ("what did a day pass cost last year?", "what did a day pass cost?", "2025-01-01", "2026-01-01"),
        ("noodle price back in 2024", "noodle price", "2024-01-01", "2025-01-01"),
        ("any news from last week", "any news", "2026-11-23", "2026-11-30"),
        ("concerts in March 2025", "concerts", "2025-03-01", "2025-04-01"),
        ("best ramen in the last 3 months", "best ramen", "2026-09-01", "2026-12-02"),
        ("where was the bakery two years ago", "where was the bakery", "2024-01-01", "2025-01-01"),
        ("who sang yesterday", "who sang", "2026-11-30", "2026-12-02"),
        ("price changes since 2025", "price changes", "2025-01-01", None),
        ("rules before 2024", "rules", None, "2024-01-01"),
        ("去年月卡多少钱", "月卡多少钱", "2025-01-01", "2026-01-01"),
        ("前年的面多少钱", "面多少钱", "2024-01-01", "2025-01-01"),
        ("上周的集市在哪", "集市在哪", "2026-11-23", "2026-11-30"),
        ("上个月房租", "房租", "2026-11-01", "2026-12-01"),
        ("2025年3月大理的天气", "大理的天气", "2025-03-01", "2025-04-01"),
        ("去年十月的花展", "花展", "2025-10-01", "2025-11-01"),
        ("最近三个月的新店", "新店", "2026-09-01", "2026-12-02"),
        ("2024年以后的签证规定", "签证规定", "2025-01-01", None),
    ],
)
def test_a_time_in_words_limits_the_query_and_leaves_its_text(
    typed: str, text: str, since: str | None, until: str | None
) -> None:
    parsed = parse_query(typed, today=TODAY)
    assert parsed.text == text
    bounds = (parsed.filters.since, parsed.filters.until)
    assert tuple(one.date().isoformat() if one else None for one in bounds) == (since, until)
    assert parsed.filters.in_words


@pytest.mark.parametrize(
    "typed",
    [
        # Compared with, not asked about; part of a story; part of another word; alone; two times; what is to come.
        "cheaper than last year?", "比去年贵多少", "is it as busy as last year", "今年和去年哪个贵",
        "I moved here last month, where do I register", "我去年买的车，现在值多少",
        "桌上周围的店", "过去年轻人爱去的店", "2024年款的相机", "这周末去哪", "上周五的活动",
        "last year's winner", "the last week of March", "last week", "昨天", "what's on this weekend", "明年的马拉松",
    ],
)  # fmt: skip
def test_other_words_limit_nothing(typed: str) -> None:
    parsed = parse_query(typed, today=TODAY)
    assert (parsed.text, parsed.filters) == (typed, Filters())


def test_no_time_is_read_where_the_day_is_not_known() -> None:
    assert parse_query("noodles last year").filters == Filters()


def test_taking_the_piece_away_lifts_the_limit() -> None:
    typed = "noodle price last year"
    [piece] = parse_query(typed, today=TODAY).pieces
    assert (piece.kind, piece.value) == ("time", "last year")
    assert parse_query(without_piece(typed, piece), today=TODAY).filters == Filters()


def test_a_time_beside_dates_is_words() -> None:
    parsed = parse_query("noodles last year since:2024", today=TODAY)
    assert parsed.text == "noodles last year"
    assert (parsed.filters.in_words, parsed.filters.until) == (False, None)


def test_dates_given_beside_a_query_hold_and_not_its_words() -> None:
    given_dates = Filters(since=datetime(2024, 5, 1, tzinfo=UTC))
    in_words = parse_query("noodles last year", today=TODAY).filters
    for joined in (both(given_dates, in_words), both(in_words, given_dates)):
        assert (joined.since, joined.until, joined.in_words) == (given_dates.since, None, False)


@given(
    st.sampled_from(
        ["last week", "last month", "last year", "yesterday", "上周", "上个月", "去年", "前天", "今年", "this month"]
    ),
    st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 1, 1)),
)
def test_a_time_in_words_begins_before_it_ends_and_not_after_today(phrase: str, today: date) -> None:
    read = read_time(phrase, today)
    assert read is not None
    since, until = read
    assert since is not None
    assert until is not None
    assert since < until
    assert since.date() <= today
    assert until - since <= timedelta(days=366)
