"""UTF-8 that was read as Latin-1 or Windows-1252."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.mojibake import is_garbled, mended


@pytest.mark.parametrize("meant", ["大理的咖啡 ☕ 25 元", "Café à la crème", "Überraschung", "мы были в Дали", "🍜"])
def test_words_that_were_read_as_latin_1_are_mended(meant: str) -> None:
    assert mended(meant.encode().decode("latin-1")) == meant


@pytest.mark.parametrize("meant", ["‘naïve’ – said she", "the chef’s table", "25 €"])
def test_words_that_were_read_as_windows_1252_are_mended(meant: str) -> None:
    assert mended(meant.encode().decode("cp1252")) == meant


@pytest.mark.parametrize(
    "text", ["Café", "São Paulo, à pied", "Ångström © 2024", "大理", "£5 – ½ price", "Ã", "naïve", "Îles-de-France"]
)
def test_words_that_are_as_they_were_meant_stay_and_are_not_called_garbled(text: str) -> None:
    assert mended(text) == text
    assert not is_garbled(text)


def test_what_cannot_be_mended_for_certain_is_called_garbled() -> None:
    half = "大理 " + "洱海东岸".encode().decode("latin-1")
    assert mended(half) == half
    assert is_garbled(half)
    assert is_garbled("the price is \ufffd25")


@given(st.text(st.characters(min_codepoint=0x80, max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1))
def test_mending_restores_any_text_that_was_read_as_latin_1(text: str) -> None:
    assert mended(text.encode().decode("latin-1")) == text


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_chinese_is_never_changed(text: str) -> None:
    assert mended(text) == text
