"""A model that turns in a circle is noticed; a writer who repeats a word is not taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.writing.repetition import RepetitionGuard


def noticed_after(pieces: list[str]) -> int | None:
    """Code points until it was noticed; None: never."""
    guard, seen = RepetitionGuard(), 0
    for piece in pieces:
        seen += len(piece)
        if guard.repeats(piece):
            return seen
    return None


@given(st.text(min_size=1, max_size=200), st.integers(1, 30))
def test_whatever_is_repeated_for_ever_is_noticed_soon(unit: str, size: int) -> None:
    text = unit * (2000 // len(unit) + 1)
    after = noticed_after([text[at : at + size] for at in range(0, len(text), size)])
    assert after is not None
    assert after <= max(80, 4 * len(unit)) + 16 + size + len(unit)


@pytest.mark.parametrize(
    "text",
    [
        "A flat white at Blue Door is 28 yuan. [1] Oat milk is 3 yuan more. [1] They close at ten. [2] " * 1,
        "哈哈哈哈哈哈，手冲28元，拿铁22元，美式18元，都在人民路下段那条巷子里，下午四点以后院子里有太阳。[1]",
        "It is 28 yuan. [1] It is 28 yuan. [1] And that is all that the posts say about the price of a flat white.",
        "| a | b |\n|---|---|---|---|---|---|---|---|---|---|\n| 1 | 2 | and so on, as a table in Markdown does |",
        "Day 1: walk to the lake. Day 2: walk to the pass. Day 3: walk to the hut. Day 4: walk back to the village.",
    ],
)
def test_what_people_write_is_not_taken_for_a_circle(text: str) -> None:
    assert noticed_after(list(text)) is None
