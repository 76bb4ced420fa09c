"""Enough or not: what raises and lowers the confidence, what is decided, and what is said to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence.answerability import Answerability, AnswerSignals, assess, confidence_of, signals
from app.answering.evidence.selector import EvidenceSelector
from app.answering.types import Evidence
from retrieval.models.embedding import HashEmbedder
from retrieval.text.terms import TermWeigher
from retrieval.types import Hit, Passage, Post

SELECTOR = EvidenceSelector(HashEmbedder(256), TermWeigher())


def hits_of(*texts: str) -> list[Hit]:
    posts = [Post(f"p{rank}", "", text) for rank, text in enumerate(texts, start=1)]
    return [
        Hit(rank, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))
        for rank, post in enumerate(posts, start=1)
    ]


def seen(question: str, *texts: str) -> AnswerSignals:
    hits = hits_of(*texts)
    return signals(question, SELECTOR.select(question, hits), hits)


def decided(question: str, *texts: str, score: float = 0.9, gate: float = 0.5) -> Answerability:
    """The decision on texts that all are as like the question as `score` says."""
    hits = hits_of(*texts)
    evidence = [replace(one, score=score, likeness=score) for one in SELECTOR.select(question, hits)]
    return assess(question, evidence, hits, gate, known=True)


RELEASED = "Dune Racer was released worldwide on March 3, 2017, and sold well from the first week."


def test_two_posts_that_name_the_same_date_agree_however_it_is_spelled() -> None:
    alone = seen("When was Dune Racer released?", RELEASED, "Dune Racer has fine music and a very long winter track.")
    other = seen(
        "When was Dune Racer released?", RELEASED, "On 3 March 2017 Dune Racer was released, and I queued for it."
    )
    assert alone.agreement == 0
    assert other.agreement > 0.3


def test_a_surname_agrees_with_the_whole_name() -> None:
    both = (
        "The cup of 2019 was won by Mara Velin in the last race.",
        "Velin won the cup of 2019, to nobody's surprise.",
    )
    assert seen("Who won the cup of 2019?", *both).agreement > 0.3


def test_chinese_names_agree_without_capitals() -> None:
    both = ("电影《海边的灯》由陈远山执导，去年上映。", "听说《海边的灯》的导演是陈远山，很期待。")
    other = ("电影《海边的灯》由陈远山执导，去年上映。", "《海边的灯》的配乐很好听，导演很用心。")
    assert seen("《海边的灯》的导演是谁", *both).agreement > 0.2
    assert seen("《海边的灯》的导演是谁", *other).agreement == 0


def test_a_number_that_counts_something_else_agrees_less() -> None:
    question = "How many bridges does the town have?"
    right = seen(question, "The town has 14 bridges over the canal.", "In the town there are 14 bridges in all.")
    wrong = seen(
        question, "The town has 14 schools and bridges too.", "In the town 14 years passed without new bridges."
    )
    assert right.agreement > wrong.agreement


def test_what_is_said_of_another_year_agrees_less() -> None:
    question = "Who won the cup of 2021?"
    same = seen(question, "Mara Velin won the cup of 2021.", "The cup of 2021 went to Mara Velin.")
    other = seen(question, "Mara Velin won the cup of 2018.", "The cup of 2018 went to Mara Velin.")
    assert same.agreement > other.agreement > 0


@pytest.mark.parametrize(
    ("question", "text", "missing"),
    [
        (
            "How much is the ferry to the island?",
            "The ferry to the island leaves from the old pier, and it is blue.",
            "They mention “ferry to the island”; none mentions a price.",
        ),
        ("岛上的渡轮多少钱？", "去岛上的渡轮在老码头坐。", "帖子提到了“岛上的渡轮”，没有提到价格。"),
        ("Is there a sauna on the ferry?", "The ferry is blue.", "None of them mentions “sauna”."),
        ("渡轮上有桑拿房吗", "去岛上的渡轮在老码头坐。", "没有帖子提到“桑拿房”。"),
    ],
)
def test_what_is_missing_is_named_in_the_questions_language(question: str, text: str, missing: str) -> None:
    decision = decided(question, text, score=0.15)
    assert (decision.outcome, decision.missing) == ("declined", missing)


def test_a_question_of_two_things_of_which_one_is_there_is_answered_in_part() -> None:
    text = "The ferry to the island costs 15 yuan for each grown-up."
    decision = decided("How much is the ferry, and what time does it leave?", text)
    assert (decision.outcome, decision.missing) == ("partly", "None of them mentions a time.")
    whole = decided("How much is the ferry, and what time does it leave?", f"{text} It leaves at 9:30.")
    assert (whole.outcome, whole.missing) == ("answer", "")
    assert decided("渡轮票价多少钱，几点开？", "渡轮票价15元，很便宜。").missing == "帖子没有提到时间。"


def test_without_evidence_nothing_is_answered_whatever_the_gate() -> None:
    assert assess("anything", [], [], 0.0, known=True) == Answerability("declined", 0.0, "")


def test_the_gate_is_the_least_confidence_that_answers() -> None:
    sure = decided("How much is the ferry?", "The ferry costs 15 yuan.").confidence
    assert decided("How much is the ferry?", "The ferry costs 15 yuan.", gate=sure).outcome == "answer"
    assert decided("How much is the ferry?", "The ferry costs 15 yuan.", gate=sure + 1e-9).outcome == "declined"


shares = st.floats(0, 1)


@given(shares, shares, shares, shares, shares, shares, st.booleans())
def test_more_of_any_signal_never_makes_it_less_sure(
    fit: float, likeness: float, agreement: float, fitter: float, more: float, further: float, known: bool
) -> None:
    less = confidence_of(AnswerSignals(fit, likeness, agreement), known)
    assert 0 < less < 1
    greater = AnswerSignals(max(fit, fitter), max(likeness, more), max(agreement, further))
    assert confidence_of(greater, known) >= less


@given(st.text(max_size=40), st.lists(st.text(max_size=120), max_size=4), shares)
def test_any_question_on_any_posts_is_decided(question: str, texts: Sequence[str], gate: float) -> None:
    hits = hits_of(*texts)
    evidence: Sequence[Evidence] = SELECTOR.select(question, hits)
    decision = assess(question, evidence, hits, gate, known=False)
    assert 0 <= decision.confidence <= 1
    assert (decision.outcome == "declined") == (not evidence or decision.confidence < gate)
    assert bool(decision.missing) or decision.outcome != "partly"
