"""Chinese for an embedder that cannot read it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.models.pinyin_spelling import respeller


def test_characters_that_the_tokenizer_lacks_are_spelled_and_the_rest_stays() -> None:
    respell = respeller(lambda text: text not in "中国大")
    assert respell is not None
    assert respell("中国 coffee 咖啡 28!").split() == ["中国", "coffee", "ka", "fei", "28!"]


def test_a_traditional_or_japanese_form_that_the_tokenizer_has_goes_before_sound() -> None:
    respell = respeller(lambda text: text not in "氣図")
    assert respell is not None
    assert (respell("气"), respell("图")) == ("氣", "図")


def test_a_tokenizer_that_has_the_common_characters_needs_no_help() -> None:
    assert respeller(lambda _: False) is None
    assert respeller(lambda text: text == "啡") is None


@settings(deadline=None)  # the dictionary is read in the first example
@given(st.text())
def test_any_text_can_be_respelled_and_one_without_chinese_stays_as_it_is(text: str) -> None:
    respell = respeller(lambda one: ord(one[0]) > 0x2E80)
    assert respell is not None
    respelled = respell(text)
    if all(ord(character) < 0x2E80 for character in text):
        assert respelled == text
