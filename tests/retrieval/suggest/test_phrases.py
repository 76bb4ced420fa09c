"""Phrases for completion: shortened titles, word beginnings, pinyin."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrieval.suggest.phrases import (
    WIDEST,
    folded_phrase,
    pinyin_keys,
    plain,
    starts,
    title_phrase,
    typed_prefix,
    width,
)


@pytest.mark.parametrize(
    ("title", "phrase"),
    [
        ("Coffee near me", "Coffee near me"),
        ("1-bed near the West Bund track: honest review", "1-bed near the West Bund track"),
        ("手冲小白照着做|一次就成功的参数都在这里", "手冲小白照着做"),
        ("【避雷】大理包车被带去银器店，大家小心这个套路", "【避雷】大理包车被带去银器店"),
        (
            "How to use open source and keep each of your old friends",
            "How to use open source and keep each of your old",
        ),
        ("Opens at 9:30, v1.2 and $3.50", "Opens at 9:30"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_long_title_is_cut_at_its_first_separator_or_between_words(title: str, phrase: str) -> None:
    assert title_phrase(title) == phrase


@given(st.text(max_size=200))
@example("啊" * 200)
@example("W" * 200)
def test_a_title_phrase_begins_the_title_and_is_never_wide(title: str) -> None:
    phrase = title_phrase(title)
    assert plain(title).startswith(phrase)
    assert width(phrase) <= WIDEST


@given(st.text())
def test_words_begin_in_order_and_none_on_a_space_or_punctuation(text: str) -> None:
    folded = folded_phrase(text)
    found = starts(folded)
    assert found == sorted(set(found))
    assert all(not folded[at].isspace() for at in found)
    assert all(one.isascii() and not one.isalnum() for one in folded) <= (found == [])


@given(st.text())
def test_folding_a_phrase_again_changes_nothing(text: str) -> None:
    assert folded_phrase(folded_phrase(text)) == folded_phrase(text)


@settings(deadline=None)  # the pinyin dictionary is read in some example
@given(st.text())
def test_any_text_has_a_prefix_to_complete_and_pinyin_of_letters_alone(text: str) -> None:
    prefix = typed_prefix(text)
    assert prefix == "" or starts(prefix)[0] == 0
    assert all(key.isascii() and key.isalnum() for key in pinyin_keys(folded_phrase(text)))


@pytest.mark.parametrize(
    ("phrase", "keys"),
    [
        ("咖啡", ("kafei", "kf")),
        ("重庆小面", ("chongqingxiaomian", "cqxm")),
        ("臺北 brunch", ("taibeibrunch", "tbbrunch")),
        ("【避雷】大理", ("bilei", "bl")),
        ("brunch 上海", ()),
        ("ラーメン", ()),
    ],
)
def test_a_chinese_phrase_is_typed_in_pinyin_or_by_its_initials(phrase: str, keys: tuple[str, ...]) -> None:
    assert pinyin_keys(folded_phrase(phrase)) == keys
