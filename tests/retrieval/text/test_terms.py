"""Term weights, the same for both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.terms import TermWeigher

WEIGHER = TermWeigher()


def shared(query: str, passage: str) -> float:
    """Sum of the passage's weights over the query's terms."""
    (weights,) = WEIGHER.passages([passage])
    by_term = dict(zip(weights.indices, weights.values, strict=True))
    return sum(by_term.get(term, 0.0) for term in WEIGHER.query(query).indices)


@pytest.mark.parametrize(
    ("query", "passage"),
    [
        ("咖啡", "我们在大理古城喝咖啡"),  # the tokenizer treats 喝咖啡 as one word
        ("咖", "这家咖啡不错"),
        ("臺北", "台北的雨"),
        ("running", "I run every day"),
        ("🍜", "好吃🍜"),
        ("１２", "only 12 left"),
        ("BRUNCH", "周末brunch"),
    ],
)
def test_a_query_meets_a_passage_that_says_it_in_another_form(query: str, passage: str) -> None:
    assert shared(query, passage) > 0


def test_a_whole_word_counts_more_than_its_characters_scattered() -> None:
    assert shared("咖啡", "一杯咖啡") > shared("咖啡", "咖喱和啤酒，啡")


def test_a_query_of_punctuation_has_no_terms() -> None:
    assert WEIGHER.query("?!。…").indices == ()


def test_a_query_of_stop_words_still_has_terms() -> None:
    assert WEIGHER.query("to be or not to be").indices


@given(st.text(max_size=100))
def test_any_text_can_be_weighed_and_no_term_comes_twice(text: str) -> None:
    (weights,) = WEIGHER.passages([text])
    assert len(set(weights.indices)) == len(weights.indices) == len(weights.values)
    assert all(value > 0 for value in weights.values)
