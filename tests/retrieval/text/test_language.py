"""Which language a text is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.language import detect_language, knows, parse_languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("上海 brunch 推荐", "zh"),
        ("best brunch in Shanghai", "en"),
        ("best 小笼包 near People's Square?", "en"),
        ("大理有什么好吃的 local food", "zh"),
        ("すしを食べたい", "ja"),
        ("서울 카페", "ko"),
        ("🍜 28", "und"),
        ("", "und"),
        ("https://example.org/a-long-english-path 咖啡", "zh"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert detect_language(text) == language


@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    assert detect_language(text) in {"zh", "en", "ja", "ko", "ru", "ar", "th", "hi", "el", "he", "und"}


def test_a_star_means_every_language_but_not_text_without_letters() -> None:
    assert knows(parse_languages("*"), "zh")
    assert not knows(parse_languages("*"), "und")


def test_a_list_means_those_alone() -> None:
    assert parse_languages(" en, ZH ") == frozenset({"en", "zh"})
    assert not knows(parse_languages("en"), "zh")
