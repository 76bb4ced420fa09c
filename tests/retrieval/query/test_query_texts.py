"""Any text is a valid query: properties of everything that can be typed."""

from __future__ import annotations

import sys
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery, without_piece
from retrieval.types import Filters

TODAY = date(2026, 3, 1)
# What may mean something, and what may not, in any order.
SIGNS = [
    "from:", "FROM：", "作者:", "tag:", "#", "＃", "lang:zh", "语言：", "since:2026-01", "until:", "起:", "2026-13",
    "likes>", "赞>",
    "100", ">=", "near:", "附近：上海,10km", "31.2,121.4", ",5km", '"', "“", "”", "「", "」", "-", "－", " ", "\n",
    "咖啡", "cafe",
    "é", "🍜", "https://", "(", ")", ",", "，", ".", "@mo", "\u200b", "\x00", "\ud800",
]  # fmt: skip
ANY_TEXT = st.text() | st.lists(st.sampled_from(SIGNS), max_size=30).map("".join)


@given(ANY_TEXT)
def test_every_text_is_a_query_whose_spans_lie_in_it(typed: str) -> None:
    parsed = parse_query(typed, today=TODAY)
    spans = [(piece.start, piece.end) for piece in parsed.pieces]
    for start, end in [*spans, *((mistake.start, mistake.end) for mistake in parsed.mistakes)]:
        assert 0 <= start < end <= len(typed)
    assert all(one[1] <= following[0] for one, following in pairwise(spans)), "pieces do not overlap"
    for mistake in parsed.mistakes:
        assert mistake.text("zh") == mistake.message_zh != mistake.message == mistake.text("en")


@given(ANY_TEXT)
def test_a_text_without_pieces_stays_as_it_is_and_asks_nothing_of_posts(typed: str) -> None:
    parsed = parse_query(typed)
    if not parsed.pieces:
        assert (parsed.text, parsed.filters) == (typed, Filters())
    else:
        assert not parsed.filters.is_empty()
        assert len(parsed.text) <= len(typed) + len(parsed.pieces)


@given(st.text(st.characters(categories=["L", "N", "Zs", "So"]) | st.sampled_from(".,!?;'/&%$，。！？、…")))
def test_plain_words_and_punctuation_are_text_alone(typed: str) -> None:
    assert parse_query(typed) == ParsedQuery(typed, Filters())


@given(ANY_TEXT)
def test_taking_out_piece_after_piece_leaves_none(typed: str) -> None:
    for _ in range(len(typed) + 1):
        parsed = parse_query(typed)
        if not parsed.pieces:
            return
        shorter = without_piece(typed, parsed.pieces[0])
        assert len("".join(shorter.split())) < len("".join(typed.split()))
        typed = shorter
    raise AssertionError("pieces without end")


@pytest.mark.parametrize(
    "piece", [*SIGNS, "-a ", "#a ", '" ', '"a" ', "likes>a ", "near:x ", "from:x ", "a", "咖", "-「", "#「"]
)
def test_5000_characters_of_anything_are_read_in_steps_that_grow_with_their_number(piece: str) -> None:
    """Counted in calls, of Python's functions and of C's: the same on every machine."""
    few, many = (_calls((piece * length)[:length]) for length in (1250, 5000))
    assert many <= 4 * few + 200
    assert many < 20 * 5000


def _calls(typed: str) -> int:
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:  # the arguments of a profiler
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse_query(typed)
    finally:
        sys.setprofile(before)
    return calls
