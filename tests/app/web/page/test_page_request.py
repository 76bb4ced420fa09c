from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.page.page_request import BadParameter, FilterName, PageRequest
from app.web.page.words.labels import EN, LABELS, ZH
from retrieval.query.parser import parse_query

_VALUE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).map(str.strip).filter(bool)
_VALUES = st.lists(_VALUE.filter(lambda value: value[0] not in "@#＠＃ "), max_size=3, unique=True).map(tuple)
ASKED = st.builds(
    PageRequest,
    text=st.text(st.sampled_from("ab 咖啡&=?#%+é😀"), max_size=12).map(str.strip),
    authors=_VALUES,
    tags=_VALUES,
    languages=st.just(("zh", "en")) | st.just(()),
    since=st.none() | st.dates(max_value=date(2020, 1, 1)),
    until=st.none() | st.dates(min_value=date(2020, 1, 1)),
    min_likes=st.none() | st.integers(0, 2**53),
    offset=st.integers(0, 1000),
    ui=st.none() | st.sampled_from(["en", "zh"]),
    scripted=st.booleans(),
)


def read(address: str) -> PageRequest:
    return PageRequest.read(parse_qsl(urlsplit(address).query, keep_blank_values=True))


@given(ASKED)
def test_an_address_asks_for_what_it_was_made_from(asked: PageRequest) -> None:
    assert read(asked.address()) == asked


@given(ASKED)
def test_following_every_chip_leaves_no_filter(asked: PageRequest) -> None:
    while asked.chips():
        left = read(asked.chips()[0].without)
        assert len(left.chips()) == len(asked.chips()) - 1
        assert (left.text, left.ui, left.scripted, left.offset) == (asked.text, asked.ui, asked.scripted, 0)
        asked = left
    assert asked.filters().is_empty()


@given(st.lists(st.tuples(st.sampled_from(["q", "author", "since", "until", "min_likes", "offset", "ui"]), st.text())))
def test_any_address_is_understood_or_refused_with_words(parameters: list[tuple[str, str]]) -> None:
    refused: BadParameter | None = None
    try:
        asked = PageRequest.read(parameters)
    except BadParameter as bad:
        refused = bad
    if refused is not None:
        assert refused.message(EN) != refused.message(ZH)
    else:
        assert asked.filters()
        assert 0 <= asked.query(asked.text, asked.filters(), 6).offset <= 1000


def test_a_typed_filter_is_a_chip_and_following_it_takes_it_out_of_the_text() -> None:
    asked = read('/search?q=dali+%23coffee+from:mo+-oat+"flat+white"&tag=tea&offset=10')
    parsed = parse_query(asked.text)
    chips = asked.typed_chips(parsed.pieces)
    assert [(chip.parameter, chip.value) for chip in chips] == [
        ("tag", "coffee"), ("author", "mo"), ("without", "oat"), ("phrase", "flat white"),
    ]  # fmt: skip
    left = [read(chip.without) for chip in chips]
    assert [one.text for one in left] == [
        'dali from:mo -oat "flat white"',
        'dali #coffee -oat "flat white"',
        'dali #coffee from:mo "flat white"',
        "dali #coffee from:mo -oat flat white",
    ]
    assert {(one.tags, one.offset) for one in left} == {(("tea",), 0)}


def test_every_filter_has_its_name_in_both_languages() -> None:
    names = [name for part in get_args(FilterName) for name in get_args(part)]
    assert len(names) == 13
    for labels in LABELS.values():
        assert all(getattr(labels, f"filter_{name}") for name in names)


def test_the_last_day_is_included() -> None:
    filters = read("/search?q=a&since=2025-03-01&until=2025-03-31").filters()
    assert filters.since == datetime(2025, 3, 1, tzinfo=UTC)
    assert filters.until == datetime(2025, 4, 1, tzinfo=UTC)


def test_the_last_day_of_the_calendar_has_none_after_it() -> None:
    assert PageRequest(until=date.max).filters().until is None


def test_signs_that_people_type_before_names_are_dropped() -> None:
    asked = read("/search?q=a&author=%40mochi&tag=%23cafe&tag=cafe&author=&language=ZH&language=zh-CN&language=english")
    assert (asked.authors, asked.tags, asked.languages) == (("mochi",), ("cafe",), ("zh", "en"))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/search?q=" + "a" * 2001, "That is 2,001 characters long; the limit is 2,000"),
        ("/search?q=a&since=2025-02-30", "“From (UTC)” is '2025-02-30': write a date as YYYY-MM-DD."),
        ("/search?q=a&since=2025-03-02&until=2025-03-01", "no post can satisfy both"),
        ("/search?q=a&language=xx", "“Language” is 'xx': write a language’s two-letter code"),
        ("/search?q=a&min_likes=-1", "“Likes, at least” is '-1'"),
        ("/search?q=a&min_likes=" + "9" * 5000, "write a whole number from 0 to"),
        ("/search?q=a&min_likes=²", "write a whole number"),
        ("/search?q=a&offset=1001", "write a whole number from 0 to 1,000"),
        ("/search?q=a" + "".join(f"&tag={n}" for n in range(51)), "More than 50 values for “Tag”."),
    ],
)
def test_what_cannot_be_understood_is_named_with_what_is_expected(address: str, words: str) -> None:
    with pytest.raises(BadParameter) as caught:
        read(address)
    assert words in caught.value.message(EN)
    assert len(caught.value.message(ZH)) < 200


@pytest.mark.parametrize("blank", ["", "   ", "\x00\x01", "\u200b\u202e", "\t\n"])
def test_a_question_of_nothing_visible_asks_nothing(blank: str) -> None:
    assert PageRequest.read([("q", blank)]).text == ""


def test_an_emoji_of_several_stays_one() -> None:
    assert PageRequest.read([("q", " 👩\u200d🍳 ")]).text == "👩\u200d🍳"
