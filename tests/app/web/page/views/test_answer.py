"""What the page shows of an answer's sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from app.answering.types import Answer, AnswerSentence, Question, WithheldReason
from app.web.page.views.answer import answer_shown, sentence_shown
from app.web.page.words.labels import LABELS, Ui
from tests.app.web.page.invented_posts import a_hit, a_post, cited

QUOTE = "It has a second sentence."
HITS = (a_hit(a_post(1)),)
SENTENCES = (AnswerSentence("It has two.", (cited(HITS, 1, QUOTE),)),)
WRITTEN = Answer(Question("q"), "written", "en", SENTENCES, HITS, 0, "", "m", "", "g1", {})


@pytest.mark.parametrize(
    ("title", "ui", "source"),
    [
        ("Blue Door", "en", "Blue Door"),
        ("", "en", "author_1 · 18 Nov 2025"),
        ("", "zh", "author_1 · 2025年11月18日"),
        ("long " * 40, "en", "long " * 15 + "long…"),
    ],
)
def test_a_quote_is_shown_with_what_names_its_post(title: str, ui: Ui, source: str) -> None:
    hits = [a_hit(a_post(1, title=title))]
    sentence = AnswerSentence(QUOTE, (cited(hits, 1, QUOTE),), quoted=True)
    assert sentence_shown(sentence, hits, LABELS[ui]).source == source
    assert sentence_shown(replace(sentence, quoted=False), hits, LABELS[ui]).source == ""
    assert sentence_shown(sentence, [None], LABELS[ui]).source == ""


def test_a_title_that_is_quoted_is_not_said_twice() -> None:
    hits = [a_hit(a_post(1, title="Blue Door"))]
    sentence = AnswerSentence("Blue Door", (cited(hits, 1, "Blue Door"),), quoted=True)
    assert sentence_shown(sentence, hits, LABELS["en"]).source == "author_1 · 18 Nov 2025"


def test_whether_an_answer_is_written_quoted_or_both_is_said() -> None:
    hits = WRITTEN.hits
    quoted = AnswerSentence(QUOTE, (cited(hits, 1, QUOTE),), quoted=True)
    both = replace(WRITTEN, sentences=(*WRITTEN.sentences, quoted))
    assert answer_shown(WRITTEN, LABELS["en"]).basis == "Written by m; each sentence checked"
    assert answer_shown(both, LABELS["en"]).basis == "Written by m, then quoted; each sentence checked"
    assert answer_shown(replace(both, kind="quoted"), LABELS["zh"]).basis == "摘自帖子原文，一字未改"


def test_why_sentences_were_kept_back_is_said_the_most_frequent_reason_first() -> None:
    answer = replace(WRITTEN, withheld=3, withheld_by={"outdated": 1, "not a sentence": 2})
    shown = answer_shown(answer, LABELS["en"])
    assert shown.withheld == "3 sentences were not shown: they failed the check"
    assert shown.withheld_why == ("2 × it was not a sentence", "a newer post says otherwise")


@pytest.mark.parametrize("reason", get_args(WithheldReason))
def test_every_reason_has_words(reason: WithheldReason) -> None:
    for labels in LABELS.values():
        assert answer_shown(replace(WRITTEN, withheld=1, withheld_by={reason: 1}), labels).withheld_why


def test_two_quotes_of_one_post_after_each_other_name_it_once() -> None:
    hits = [a_hit(a_post(1)), a_hit(a_post(2))]
    sentences = tuple(AnswerSentence(QUOTE, (cited(hits, mark, QUOTE),), quoted=True) for mark in (1, 1, 2, 1))
    shown = answer_shown(replace(WRITTEN, hits=tuple(hits), sentences=sentences, kind="quoted"), LABELS["en"])
    assert [bool(one.source) for one in shown.sentences] == [True, False, True, True]


def test_a_quote_is_shown_in_its_context_and_a_source_that_is_gone_is_not() -> None:
    hits = [a_hit(a_post(1, text="x" * 200 + QUOTE + "y" * 200))]
    sentence = AnswerSentence("It has.", (cited(hits, 1, QUOTE),))
    source = sentence_shown(sentence, hits, LABELS["en"]).marks[0].source
    assert source is not None
    assert [(one.before, one.text, one.after) for one in source.quotes] == [("…" + "x" * 90, QUOTE, "y" * 90 + "…")]
    assert sentence_shown(sentence, [None], LABELS["en"]).marks[0].source is None
