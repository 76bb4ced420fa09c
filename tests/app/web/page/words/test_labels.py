from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime, timedelta, timezone

import pytest

from app.web.page.words.labels import EN, EXAMPLES, LABELS, ZH, Counted, Labels, choose_ui, day


def _phrases(labels: Labels) -> dict[str, list[str]]:
    found = {field.name: getattr(labels, field.name) for field in fields(labels)}
    return {name: [words.one, words.many] if isinstance(words, Counted) else [words] for name, words in found.items()}


def test_english_and_chinese_have_the_same_phrases_with_the_same_places_to_fill() -> None:
    english, chinese = _phrases(EN), _phrases(ZH)
    assert english.keys() == chinese.keys()
    for name in english:
        for one, other in zip(english[name], chinese[name], strict=True):
            assert one.strip() == one != ""
            assert other.strip() == other != ""
            assert sorted(re.findall(r"\{\w+", one)) == sorted(re.findall(r"\{\w+", other)), name


def test_chinese_phrases_are_chinese() -> None:
    foreign = {"html_lang", "other_ui", "other_ui_name"}
    for name, phrases in _phrases(ZH).items():
        assert name in foreign or all(re.search(r"[\u4e00-\u9fff]", phrase) for phrase in phrases), name


def test_both_languages_offer_as_many_examples() -> None:
    assert {len(examples) for examples in EXAMPLES.values()} == {3}
    assert EXAMPLES.keys() == LABELS.keys()


@pytest.mark.parametrize(
    ("header", "ui"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-Hant-TW,en;q=0.5", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("zh;q=0.1,en;q=0.9", "en"),
        ("fr,de;q=0.9", "en"),
        ("zh;q=0", "en"),
        ("zh;q=nonsense,,;;,*", "en"),
    ],
)
def test_the_page_speaks_the_language_the_browser_asks_for(header: str, ui: str) -> None:
    assert choose_ui(header) == ui


def test_one_like_is_not_1_likes() -> None:
    assert (EN.likes(1), EN.likes(1822), ZH.likes(1)) == ("1 like", "1,822 likes", "1 赞")


def test_a_day_is_that_of_the_place_where_the_post_was_written() -> None:
    moment = datetime(2025, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=8)))
    assert (day(moment, "en"), day(moment, "zh")) == ("1 Mar 2025", "2025年3月1日")
