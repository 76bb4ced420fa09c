"""A fact is found however it is written, and not where it only looks so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.everyday.stated_facts import first_stating, plain, stated, states, unstated

NUMBERS = st.integers(1, 9_999_999)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("每晚 ２５８ 元", "258元"),
        ("It’s 1,100 yen now", "1100"),
        ("兩天一夜起", "两天一夜"),
        ("No longer takes DOGS", "no longer"),
        ("three  \n days ahead", "three days"),
        ("16:00–18:00", "16:00-18:00"),
        ("a laptop-free café", "café"),
        ("open 24h a day", "24h"),
        ("£4.20.", "4.20"),
        ("换成Tidewater吧", "tidewater"),
    ],
)
def test_a_fact_is_found_in_any_typography(text: str, way: str) -> None:
    assert states(text, way)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("from 12:28 on", "28"),
        ("28.5 yuan", "28"),
        ("1.28 m", "28"),
        ("1,280 yuan", "280"),
        ("shutters", "shut"),
        ("disclose", "clos*"),
        ("先到先得，不抽签", "抽签"),
        ("没恢复", "恢复"),
        ("", "28"),
    ],
)
def test_a_fact_is_not_found_inside_something_else(text: str, way: str) -> None:
    assert not states(text, way)


@given(NUMBERS, NUMBERS)
def test_a_number_is_stated_by_itself_alone(said: int, asked: int) -> None:
    for written in (f"{said} yuan", f"¥{said:,}", f"一晚{said}元"):
        assert states(written, str(asked)) == (said == asked)


@given(st.text(), st.text())
def test_the_one_form_is_a_form_of_itself_and_ignores_the_space_around(text: str, around: str) -> None:
    space = "".join(one for one in around if one.isspace())
    assert plain(plain(text)) == plain(text) == plain(space + text + space)


@given(st.text("ab 1不元", min_size=1).filter(str.strip))
def test_a_text_states_itself(text: str) -> None:
    assert states(text, text)


@given(st.lists(st.text("ab1", min_size=1)), st.text("ab 1"))
def test_ways_are_stated_or_not(ways: list[str], text: str) -> None:
    groups = tuple((way,) for way in ways)
    assert sorted([*stated(text, ways), *(group[0] for group in unstated(text, groups))]) == sorted(ways)


def test_the_first_text_that_states_a_fact_is_numbered_from_0() -> None:
    assert first_stating(["28 yuan", "32 yuan", "32"], ["32", "thirty-two"]) == 1
    assert first_stating(["28 yuan"], ["32"]) is None
