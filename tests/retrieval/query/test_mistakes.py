"""Mistakes in a query are explained in both languages, and searched as text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from retrieval.query.filters import MOST_VALUES
from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery
from retrieval.types import Filters, Near

TODAY = date(2026, 3, 1)


def codes(parsed: ParsedQuery) -> list[str]:
    return [mistake.code for mistake in parsed.mistakes]


@pytest.mark.parametrize(
    ("typed", "code", "piece"),
    [
        ("cafe likes>abc", "bad_likes", "likes>abc"),
        ("likes:-5", "bad_likes", "likes:-5"),
        ("likes<0", "bad_likes", "likes<0"),
        ("likes:20..10", "bad_likes", "likes:20..10"),
        ("赞>很多", "bad_likes", "赞>很多"),
        ("since:2026-13", "bad_date", "since:2026-13"),
        ("until:yesterday", "bad_date", "until:yesterday"),
        ("since:2025-02-30", "bad_date", "since:2025-02-30"),
        ("起:0000", "bad_date", "起:0000"),
        ('an "exact phrase', "unbalanced_quote", '"'),
        ("「手冲", "unbalanced_quote", "「"),
        ('-"oat milk', "unbalanced_quote", '"'),
        ('from:"mo', "unbalanced_quote", '"'),
        ("from: mo", "empty_value", "from:"),
        ("from:@ x", "empty_value", "from:@"),
        ("lang:klingon", "unknown_language", "lang:klingon"),
        ("lang:zh,xx", "unknown_language", "lang:zh,xx"),
        ("near:Atlantis,10km", "unknown_place", "near:Atlantis,10km"),
        ("near:91,0,5km", "bad_near", "near:91,0,5km"),
        ("near:31.2,121.4,0km", "bad_near", "near:31.2,121.4,0km"),
        ('near:"Shanghai,10 parsecs"', "bad_near", 'near:"Shanghai,10 parsecs"'),
        ("near:上海,99999km", "bad_near", "near:上海,99999km"),
        ("-lang:zh", "cannot_exclude", "-lang:zh"),
        ("-likes>5", "cannot_exclude", "-likes>5"),
    ],
)
def test_a_mistake_is_explained_and_taken_as_text(typed: str, code: str, piece: str) -> None:
    parsed = parse_query(typed, today=TODAY)
    (mistake,) = parsed.mistakes
    assert (mistake.code, typed[mistake.start : mistake.end]) == (code, piece)
    assert parsed.text == typed
    assert parsed.filters.is_empty()
    assert "text" in mistake.message
    assert "按文字搜索" in mistake.message_zh


def test_a_mistake_leaves_the_other_pieces_alone() -> None:
    parsed = parse_query('#coffee likes>abc "flat white" "')
    assert codes(parsed) == ["bad_likes", "unbalanced_quote"]
    assert parsed.text == 'likes>abc flat white "'
    assert parsed.filters == Filters(tags=("coffee",), phrases=("flat white",))


def test_the_future_is_no_mistake_but_noted() -> None:
    parsed = parse_query("since:2026-04", today=TODAY)
    assert codes(parsed) == ["future"]
    assert parsed.filters.since == datetime(2026, 4, 1, tzinfo=UTC)
    assert codes(parse_query("since:2026-03-01 until:2030", today=TODAY)) == []


@pytest.mark.parametrize("typed", ["since:2026 until:2025", "until:2025-05 since:2025-06-01", "likes>10 likes<5"])
def test_bounds_that_leave_nothing_are_noted_and_hold(typed: str) -> None:
    parsed = parse_query(typed)
    assert codes(parsed) == ["empty_range"]
    assert len(parsed.pieces) == 2


def test_of_two_places_the_last_holds() -> None:
    parsed = parse_query("near:上海 near:Dali,3km")
    assert codes(parsed) == ["repeated"]
    assert parsed.near == Near(25.69, 100.16, 3)


def test_more_values_than_a_filter_takes_are_text() -> None:
    typed = " ".join(f"#tag{n}" for n in range(MOST_VALUES + 10))
    parsed = parse_query(typed)
    assert len(parsed.filters.tags) == MOST_VALUES
    assert codes(parsed) == ["too_many"]
    assert parsed.text == " ".join(f"#tag{n}" for n in range(MOST_VALUES, MOST_VALUES + 10))


def test_a_long_piece_is_not_repeated_whole() -> None:
    (mistake,) = parse_query("since:" + "9" * 1000).mistakes
    assert len(mistake.message) < 200
