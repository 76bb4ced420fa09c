"""One sentence by the model, on its way to the asker: shown with citations, or withheld with a reason."""

from __future__ import annotations

import pytest

from app.answering.checking.citations import SupportChecker
from app.answering.checking.sentence_check import SentenceChecker, is_sentence
from app.answering.evidence.sentence_units import sentences_of
from app.answering.types import AnswerSentence, WithheldReason
from retrieval.models.embedding import HashEmbedder
from retrieval.types import Post


def checked(sentence: str, question: str, text: str, title: str = "") -> AnswerSentence | WithheldReason:
    checker = SentenceChecker(SupportChecker(HashEmbedder(64, languages=frozenset({"en"}))), question, 0.5, "5eedf00d")
    return checker.check(sentence, list(sentences_of(Post("p", title, text), 1)), ())


@pytest.mark.parametrize(
    ("sentence", "question", "text"),
    [
        ("高铁可以带猫。[1]", "高铁可以带猫吗？", "现在试点站的高铁可以带猫了"),
        ("鹿角咖啡手冲现在38元一杯。[1]", "鹿角咖啡手冲现在多少钱？", "鹿角咖啡手冲从32涨到38了"),
        ("老市场是1835年开放的。[1]", "老市场是何时开放的？", "老市场在1835年开放，是城里的第一个室内市场。"),
    ],
)
def test_a_right_answer_is_shown_though_it_repeats_the_question(sentence: str, question: str, text: str) -> None:
    assert isinstance(checked(sentence, question, text), AnswerSentence)


@pytest.mark.parametrize(
    ("sentence", "question", "text"),
    [
        (
            "一国影响另一国的准则，这称为什么？[1]",
            "一国影响另一国的准则，这称为什么？",
            "一国影响另一国的准则，称为文化影响。",
        ),
        ("竹里咖啡的手冲很好喝。[1]", "竹里咖啡手冲多少钱？", "竹里咖啡的手冲很好喝，38元。"),
    ],
)
def test_a_question_again_and_a_price_without_a_number_are_beside_the_point(
    sentence: str, question: str, text: str
) -> None:
    assert checked(sentence, question, text) == "beside the point"


def test_what_the_title_denies_is_not_affirmed() -> None:
    text, title = "Owl Cafe is where I used to study, a quiet place with sockets.", "Owl Cafe isn't quiet any more"
    question = "is Owl Cafe still a quiet place to study?"
    assert checked("Owl Cafe is still a quiet place to study. [1]", question, text, title) == "unsupported"


def test_one_word_again_and_again_is_no_sentence() -> None:
    assert not is_sentence("moat moat moat moat moat moat")
    assert is_sentence("the moat loop is lit until eleven")


@pytest.mark.parametrize(
    ("sentence", "question", "text"),
    [
        ("蓝鲸搬家会坐地起价。", "蓝鲸搬家会坐地起价吗", "蓝鲸搬家我觉得挺好，说好480，实收480，没有多要一分钱。"),
        (
            "Yes, the Fern bakery is a tourist trap.",
            "is the Fern bakery a tourist trap?",
            "The Fern bakery is where my whole street buys bread.",
        ),
    ],
)
def test_a_sentence_that_only_affirms_the_question_needs_the_posts_own_words(
    sentence: str, question: str, text: str
) -> None:
    assert checked(sentence, question, text) == "unsupported"


def test_a_short_chinese_sentence_with_a_number_is_one() -> None:
    assert is_sentence("小锅米线15元。")
    assert not is_sentence("120块")
