"""Slips of the keyboard are read as the posts' words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.question.spelling import corrected

POSTS = ["Harbour Museum with toddlers: the whale hall", "The station restaurant serves breakfast, 早餐不错"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("harbor musuem w a toddlr", "harbour museum w a toddlers"),
        ("brekfast at the station resturant?", "breakfast at the station restaurant?"),
        ("wht is in the wale hall", "what is in the wale hall"),  # too short to be sure
        ("where shud i eat", "where should i eat"),
        ("stations and museums", "stations and museums"),  # endings are no slips
        ("hotel", "hotel"),
        ("muscum", "muscum"),  # a letter for another: it may be another word
        ("早餐 brekfast", "早餐 breakfast"),
    ],
)
def test_slips_are_put_right_and_other_words_are_left(typed: str, meant: str) -> None:
    assert corrected(typed, POSTS) == meant


def test_a_word_that_a_post_holds_is_no_slip() -> None:
    assert corrected("musuem", ["The Musuem, a bar", "the museum"]) == "musuem"


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_nothing_but_words_changes_and_twice_is_once(typed: str, texts: list[str]) -> None:
    once = corrected(typed, texts)
    assert len(once.split()) == len(typed.split())
    assert corrected(once, [*texts, once]) == once
