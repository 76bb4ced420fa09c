"""Numbers agree however they are written, and disagree where they are others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.comparison.numerals import chinese_value, plain_number, with_digits
from app.answering.comparison.quantities import quantities, unmet

_DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """1 to 9,999 as one writes it: 1050 is 一千零五十."""
    written, skipped = "", False
    for step, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // step % 10
        if digit:
            written += ("零" if skipped and written else "") + _DIGITS[digit] + name
            skipped = False
        else:
            skipped = True
    return written


@given(st.integers(1, 9999))
def test_every_chinese_numeral_is_its_number(number: int) -> None:
    assert chinese_value(in_chinese(number)) == number


@given(st.integers(2, 10**8))
def test_a_number_agrees_with_itself_and_with_no_other(number: int) -> None:
    assert not unmet(f"it is {number:,} yuan", f"{number}元")
    assert unmet(f"it is {number + 1:,} yuan", f"{number}元")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a latte is 28 yuan", "拿铁二十八元"),
        ("rent is 1200", "rent 1,200 a month"),
        ("三百元", "300块"),
        ("two hundred and five people", "205人"),
        ("3.5万", "35,000"),
        ("2k", "2000"),
        ("一万二", "12000"),
        ("30%", "百分之三十"),
        ("30 percent", "三成"),
        ("90 minutes", "1.5 hours"),
        ("两个半小时", "150分钟"),
        ("half an hour", "30 min"),
        ("a week", "7天"),
        ("9:30", "九点半"),
        ("21:00", "9 pm"),
        ("opens at nine in the evening", "晚上九点开门"),
        ("opens at nine", "9点开门"),
        ("May 3", "5月3号"),
        ("2024-05-03", "二〇二四年五月三日"),
        ("in May", "五月"),
        ("$20", "20 dollars"),
        ("on the third floor", "三楼"),
        ("2 people", "two people"),
        ("rmb300", "300元"),
        ("15 dollars a day", "$15/day"),
        ("一天100元", "100块"),
    ],
)
def test_the_same_number_in_another_dress_agrees(one: str, other: str) -> None:
    assert quantities(one)
    assert not unmet(one, other)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("a latte is 82 yuan", "拿铁28元"),
        ("28 dollars", "28元"),
        ("30 minutes", "30 hours"),
        ("it takes an hour", "it takes two hours"),
        ("9 am", "9 pm"),
        ("9:30", "9:00"),
        ("80%", "三成"),
        ("3.5万元", "3500元"),
        ("May 3", "5月4号"),
        ("three cats", "two cats"),
        ("只要一张照片", "要交两张照片"),
        ("手冲1元", "手冲38元一杯"),
        ("第五层", "三层"),
    ],
)
def test_another_number_is_unmet(claim: str, evidence: str) -> None:
    assert unmet(claim, evidence)


@pytest.mark.parametrize(
    "text",
    ["一家店", "三里屯很大", "十分好吃", "千万别去", "万达广场", "周三休息", "one of them", "no number", "B2出口"],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert quantities(text) == []


@given(st.text(st.sampled_from("零一二两三十百千万亿点半个小时元块 0123.,:-%kw年月日 may am"), max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    assert not unmet(text, text)
    assert with_digits(plain_number(3.5)) == "3.5"
