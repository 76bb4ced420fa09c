"""Places that a text names, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.gazetteer import named_places, names_in_both_languages


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("quiet cafe in Paris with wifi", ["Paris"]),
        ("cheap ramen in osaka", ["Osaka"]),
        ("从昆明到Dali要多久", ["Kunming", "Dali"]),
        ("東京租房貴嗎", ["Tokyo"]),
        ("visa for japan", ["Japan"]),
        ("泰国签证多少钱", ["Thailand"]),
        ("is reading nice in the bath", []),
        ("奋斗三年终于胜利", []),
        ("", []),
    ],
)
def test_places_are_found_in_either_language(text: str, names: list[str]) -> None:
    assert [place.name for place in named_places(text)] == names


def test_what_is_near_or_within_is_told_of_a_place_too() -> None:
    [shanghai], [xuhui], [suzhou], [china], [japan] = (
        named_places(text) for text in ("in Shanghai", "徐汇", "苏州", "中国", "日本")
    )
    assert shanghai.holds(shanghai)
    assert shanghai.holds(xuhui)
    assert china.holds(suzhou)
    assert not shanghai.holds(suzhou)
    assert not shanghai.holds(china)
    assert not japan.holds(shanghai)


def test_a_place_is_looked_for_by_its_names_in_both_languages() -> None:
    assert names_in_both_languages("带娃去伦敦玩什么") == "伦敦 London"
    assert names_in_both_languages("coffee") == ""


@given(st.text(max_size=60))
def test_every_name_found_stands_in_the_text(text: str) -> None:
    assert all(words in text for words in named_places(text).values())
