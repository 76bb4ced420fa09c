"""Marks of every kind that models write are read; numbers in brackets that are none stay words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.marks import MARK, split_marks


@pytest.mark.parametrize(
    ("raw", "text", "marks"),
    [
        ("It is 28 yuan [2][2, 3].", "It is 28 yuan.", (2, 3)),
        ("It is 28 yuan. [1] [2]", "It is 28 yuan.", (1, 2)),
        ("拿铁28元【1】。", "拿铁28元。", (1,)),
        ("去大理［2，3］", "去大理", (2, 3)),
        ("去大理〔1〕", "去大理", (1,)),
        ("It opens at nine [^1].", "It opens at nine.", (1,)),
        ("It opens at nine^[1].", "It opens at nine.", (1,)),
        ("It opens at nine [Post 1].", "It opens at nine.", (1,)),
        ("It opens at nine [posts 1 and 3].", "It opens at nine.", (1, 3)),
        ("九点开门[帖子1]。", "九点开门。", (1,)),
        ("九点开门【来源：2、3】。", "九点开门。", (2, 3)),
        ("It opens at nine 【1†source】.", "It opens at nine.", (1,)),
        ("It opens at nine【4:0†L1-L9】.", "It opens at nine.", (4,)),
        ("It opens at nine [1-3].", "It opens at nine.", (1, 2, 3)),
        ("It opens at nine [1, 3–5].", "It opens at nine.", (1, 3, 4, 5)),
        ("It opens at nine [[2]](https://a.example/1).", "It opens at nine.", (2,)),
        ("It opens at nine (1).", "It opens at nine.", (1,)),
        ("It opens at nine. (1, 2)", "It opens at nine.", (1, 2)),
        ("九点开门（2）。", "九点开门。", (2,)),
        ("[0] is a mark like any other", "is a mark like any other", (0,)),
        ("no mark [a] here", "no mark [a] here", ()),
        ("year [2024] is no mark", "year [2024] is no mark", ()),
        ("a table for (4) people", "a table for (4) people", ()),
        ("costs [28 yuan] a cup", "costs [28 yuan] a cup", ()),
        ("(1) comes first", "(1) comes first", ()),
    ],
)
def test_marks_are_taken_out_and_numbered_in_reading_order(raw: str, text: str, marks: tuple[int, ...]) -> None:
    assert split_marks(raw) == (text, marks)


def test_a_range_without_end_names_its_ends_alone() -> None:
    assert split_marks("all of them [1-99]") == ("all of them", (1, 99))


@given(st.text(st.sampled_from("ab1 [](（)【】^†,-:帖postsource\n"), max_size=60))
def test_no_mark_is_left_and_no_word_is_lost(text: str) -> None:
    bare, marks = split_marks(text)
    assert all(0 <= number <= 99 for number in marks)
    assert len(set(marks)) == len(marks)
    letters = "".join(filter(str.isalpha, MARK.sub("", text)))
    assert "".join(filter(str.isalpha, bare)) == letters


@pytest.mark.parametrize("unit", ["[", " ", "[1 ", "(1", "[1,", "†", "[1](a"])
def test_ten_thousand_characters_of_half_marks_take_no_time(unit: str) -> None:
    split_marks(unit * (10_000 // len(unit)))  # the suite's time-out is the judge: what backtracks takes minutes
