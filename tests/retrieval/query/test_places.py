from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.query.places import CITIES, Places, city
from retrieval.types import Place, Post


def places(*held: tuple[str, float, float]) -> Places:
    return Places(Post(str(n), "", "x", place=Place(*one)) for n, one in enumerate(held))


def test_every_city_has_a_name_in_both_languages_and_lies_on_the_earth() -> None:
    points = set(CITIES.values())
    assert len(points) >= 60
    for point in points:
        names = [name for name, at in CITIES.items() if at == point]
        assert any(name.isascii() for name in names), names
        assert any(not name.isascii() for name in names), names
        assert -90 <= point[0] <= 90
        assert -180 <= point[1] <= 180


@pytest.mark.parametrize("name", ["Shanghai", "SHANGHAI", "上海", "上海市", " 上海 "])
def test_a_city_is_known_by_its_names(name: str) -> None:
    assert city(name) == (31.23, 121.47)


def test_south_and_west_are_negative() -> None:
    assert city("São Paulo") == city("sao paulo") == (-23.55, -46.63)


def test_the_posts_know_better_and_a_stray_does_not_move_the_middle() -> None:
    known = places(
        ("Yuyuan Road, Shanghai", 31.22, 121.43), ("Shanghai", 31.23, 121.47), ("Shanghai Lounge, Oslo", 59.9, 10.7)
    )
    assert known.locate("shanghai") == (31.23, 121.43)
    assert known.locate("Yuyuan  Road") == (31.22, 121.43)
    assert known.locate("Dali") == city("Dali")


def test_a_place_is_named_whole_in_scripts_with_spaces_and_in_two_characters_at_least() -> None:
    known = places(("Balijing village", 1, 1), ("大理古城", 25.7, 100.2))
    assert known.locate("Bali") == city("Bali")
    assert known.locate("大理") == (25.7, 100.2)
    assert known.locate("大") is None
    assert known.locate("Nowhere") is None
    assert Places([Post("1", "", "x", place=Place("Somewhere"))]).locate("Somewhere") is None


@given(st.text())
def test_any_name_is_answered(name: str) -> None:
    point = places(("大理古城", 25.7, 100.2)).locate(name)
    assert point is None or len(point) == 2
