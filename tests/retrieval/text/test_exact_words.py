from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.exact_words import Wording, word_pattern
from retrieval.types import Comment, Filters, Post

POST = Post(
    "1", "Upstairs at Night Heron", "拿铁28元，手沖\n咖啡 too. Start  here: iPhone15, don't.",
    tags=("quiet cafe", "臺北"),
    comments=(Comment("jo", "There is a two\nhour limit"), Comment("al", "停车费30")),
)  # fmt: skip


def says(words: str) -> bool:
    return Wording(Filters(phrases=(words,))).lets_through(POST)


@pytest.mark.parametrize(
    "words",
    [
        "night heron", "NIGHT HERON", "拿鐵", "２８", "手冲 咖啡", "手冲", "start here", "iphone", "quiet cafe", "台北",
        "two hour limit",
        "停车", "30", "don't", "too.", "Heron",
    ],
)  # fmt: skip
def test_words_are_found_in_any_part_whatever_their_case_width_script_and_white_space(words: str) -> None:
    assert says(words)
    assert not Wording(Filters(without=(words,))).lets_through(POST)


@pytest.mark.parametrize(
    "words", ["art", "her", "8", "phone", "heron 拿铁", "cafe 台北", "limit 停车费", "3", "absent", "1"]
)
def test_parts_of_words_and_words_of_two_parts_are_not_found(words: str) -> None:
    assert not says(words)
    assert Wording(Filters(without=(words,))).lets_through(POST)


def test_every_phrase_is_asked_for_and_one_excluded_word_is_enough() -> None:
    assert Wording(Filters(phrases=("heron", "台北"))).lets_through(POST)
    assert not Wording(Filters(phrases=("heron", "absent"))).lets_through(POST)
    assert not Wording(Filters(phrases=("heron",), without=("absent", "limit"))).lets_through(POST)


@pytest.mark.parametrize("filters", [Filters(), Filters(authors=("x",)), Filters(phrases=(" ",), without=("",))])
def test_filters_without_words_ask_nothing_of_words(filters: Filters) -> None:
    assert Wording(filters).asks_nothing
    assert Wording(filters).lets_through(POST)


@given(st.text(min_size=1), st.text(), st.text())
def test_any_text_is_found_in_itself_and_between_spaces(words: str, before: str, after: str) -> None:
    if words.strip():
        post = Post("1", "", f"{before} {words} {after}")
        assert Wording(Filters(phrases=(words,))).lets_through(post)


@given(st.text())
def test_any_words_make_a_pattern(words: str) -> None:
    word_pattern(words).search("text")
