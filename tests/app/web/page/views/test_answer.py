"""What the page shows of an answer's sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.answering.types import AnswerSentence
from app.web.page.views.answer import sentence_shown
from app.web.page.words.labels import LABELS, Ui
from tests.app.web.page.invented_posts import a_hit, a_post, cited

QUOTE = "It has a second sentence."


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
