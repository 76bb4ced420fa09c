"""Numbers as people's platforms show them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.counts import read_count


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("2.3万", 23_000), ("2.3 万", 23_000), ("30万+", 300_000), ("1.7亿", 170_000_000), ("3千+", 3_000),
        ("4.5w", 45_000), ("7,654,321", 7_654_321), ("7'654", 7_654), ("7 654", 7_654), ("1.5K", 1_500),
        ("2M", 2_000_000), ("99+", 99), ("１２３", 123), ("赞", 0), ("评论", 0), ("12.0", 12), ("-3", -3), ("56次", 56),
        ("1.2만", 12_000),
    ],
)  # fmt: skip
def test_a_count_is_read_as_its_platform_writes_it(written: str, count: int) -> None:
    assert read_count(written) == count


@pytest.mark.parametrize("written", ["", "12.5", "1,23", "many", "2024-05-12", "1.2.3", "万", "1,234,5", "十"])
def test_what_is_no_whole_number_for_certain_is_none(written: str) -> None:
    assert read_count(written) is None


@given(st.integers(-(10**12), 10**12))
def test_a_plain_number_is_itself_with_and_without_marks(number: int) -> None:
    assert read_count(str(number)) == read_count(f"{number:,}") == number


@given(st.text(max_size=40))
def test_no_text_makes_it_fail(text: str) -> None:
    assert read_count(text) is None or isinstance(read_count(text), int)
