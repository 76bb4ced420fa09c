from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.types import Answer, AnswerKind, AnswerSentence, Question
from app.web.page.views.answer_markdown import answer_markdown, plain
from app.web.page.words.labels import EN, ZH
from retrieval.types import Hit
from tests.app.web.page.invented_posts import CAFES, HOSTILE, a_hit, a_post, cited


def an_answer(sentences: Sequence[AnswerSentence], hits: Sequence[Hit], kind: AnswerKind = "written") -> Answer:
    return Answer(Question("where is it *quiet*?"), kind, "en", tuple(sentences), tuple(hits), 0, "", "m", "", "g1", {})


def test_sentences_keep_their_marks_and_the_sources_are_named_under_them() -> None:
    hits = [a_hit(CAFES[0]), a_hit(CAFES[1]), a_hit(CAFES[2])]
    sentences = [
        AnswerSentence("Nobody talks there.", (cited(hits, 3, "Quiet, cold, cheap."), cited(hits, 1, "nobody talks."))),
        AnswerSentence("nobody talks.", (cited(hits, 1, "nobody talks."),), quoted=True),
    ]
    assert answer_markdown(an_answer(sentences, hits), hits, EN) == (
        "**where is it \\*quiet\\*?**\n\n"
        "Nobody talks there. [1][3]\n\n"
        "> nobody talks. [1]\n\n"
        "Sources:\n\n"
        "- [1] [Upstairs at Night Heron, exam week edition](https://posts.example/p/1) · @mochi\\_walks · 18 Nov 2025\n"
        "- [3] [Ranking every quiet corner I studied in this year](https://posts.example/p/3) · @exam\\_goblin"
        " · 18 Nov 2025\n"
    )


def test_an_answer_without_sentences_is_nothing_to_copy_and_a_gone_source_is_left_out() -> None:
    hits = [a_hit(a_post(1))]
    assert answer_markdown(an_answer([], hits, "declined"), hits, EN) == ""
    sentence = AnswerSentence("It has.", (cited(hits, 1, "It has a second sentence."),))
    assert answer_markdown(an_answer([sentence], hits), [None], ZH).endswith("出处:\n\n\n")


def test_a_hostile_source_makes_no_link_and_no_markup() -> None:
    hits = [a_hit(HOSTILE[0])]
    sentence = AnswerSentence("Coffee.", (cited(hits, 1, "coffee"),))
    made = answer_markdown(an_answer([sentence], hits), hits, EN)
    assert "](" not in made
    assert "<" not in made.replace("\\<", "")


@given(st.text())
def test_a_text_becomes_one_line_in_which_nothing_is_markup(text: str) -> None:
    line = plain(text)
    assert "\n" not in line
    assert "\r" not in line
    bare = line.replace("\\\\", "")
    for special in "`*_[]<>|~":
        assert bare.count(special) == bare.count("\\" + special)


@pytest.mark.parametrize("block", ["# head", "- item", "+ item", "1. one", "2) two", "=== line"])
def test_a_line_that_would_begin_a_block_does_not(block: str) -> None:
    assert "\\" in plain(block)
