"""What is right: all facts, from posts that carry them, nothing that must not be, on the right side of the gate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.types import Answer
from app.evaluation.everyday.question_file import EverydayQuestion
from app.evaluation.everyday.rightness import graded, measured_rightness, rightness_table
from app.evaluation.everyday.transcript import transcript
from tests.app.evaluation.everyday.answers import an_answer

PRICE = EverydayQuestion(
    "en-price", "en", "changed", "flat white?", True,
    must=(("32",),), should=(("since March",),), must_not=("free",), outdated=("28",), posts=("new", "copy"),
)  # fmt: skip
PARIS = EverydayQuestion("en-paris", "en", "near", "quiet cafe in paris", False, absent=("Paris",))
WEATHER = EverydayQuestion("en-off", "en", "off", "boiling point of tin", False)
ADVERT = replace(PRICE, id="en-advert", kind="advert", may_decline=True)

RIGHT = an_answer(("It is 32 yuan since March.", "new"))


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        an_answer(("32 yuan", "copy")),
        an_answer(("32, up from 28", "new")),
        an_answer(("32 yuan now.", "new"), ("28 yuan", "old")),
        an_answer(("Quiet and sunny.", "old"), ("32 yuan", "new")),
    ],
)
def test_the_value_of_now_is_right_alone_with_or_before_the_old_one(answer: Answer) -> None:
    assert graded(PRICE, answer).right


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (an_answer(), "declined"),
        (an_answer(("28 yuan", "old"), ("32 yuan", "new")), "outdated: 28"),
        (an_answer(("28 yuan", "old")), "unsaid: 32; outdated: 28"),
        (an_answer(("32 yuan", "another place")), "unsaid: 32"),
        (an_answer(("32 yuan, free on Monday", "new")), "must not: free"),
        (an_answer(("32 yuan", "new"), ("Oat milk is free", "advert")), "must not: free"),
    ],
)
def test_what_is_wrong_is_said(answer: Answer, why: str) -> None:
    judged = graded(PRICE, answer)
    assert (judged.right, judged.why()) == (False, why)


def test_what_the_posts_do_not_have_is_declined_or_said_to_be_missing() -> None:
    shanghai = ("Alley Owl in Shanghai is quiet.", "owl")
    assert graded(PARIS, an_answer()).right
    assert graded(PARIS, an_answer(shanghai, missing="No post is about Paris.")).right
    assert not graded(PARIS, an_answer(shanghai, missing="No post says when.")).right
    assert not graded(PARIS, an_answer(("Alley Owl in Paris is quiet.", "owl"))).right


def test_only_declining_is_right_off_the_topic() -> None:
    assert graded(WEATHER, an_answer()).right
    assert not graded(WEATHER, an_answer(("Tin boils.", "tin"), missing="No post is about tin.")).right


def test_a_question_that_only_an_advertisement_answers_may_be_declined() -> None:
    declined = graded(ADVERT, an_answer())
    assert declined.right
    assert measured_rightness("x", [declined])["wrongly_declined"] == 0
    assert not graded(ADVERT, an_answer(("It is free.", "new"))).right


def test_the_first_sentence_counts_as_first_only_where_it_states_the_fact_and_cites_its_post() -> None:
    assert graded(PRICE, RIGHT).first
    assert not graded(PRICE, an_answer(("Sunny.", "new"), ("32", "new"))).first
    assert not graded(PRICE, an_answer(("32", "another place"))).first
    assert not graded(PRICE, an_answer()).first


def test_figures_are_of_the_questions_that_they_are_about() -> None:
    result = measured_rightness("set", [
        graded(PRICE, RIGHT),
        graded(PRICE, an_answer()),
        graded(PARIS, an_answer(("Alley Owl", "owl"), missing="No post is about Paris.")),
        graded(WEATHER, an_answer()),
    ])  # fmt: skip
    assert (result["n"], result["right"], result["first"], result["should"]) == (4, 0.75, 0.5, 0.5)
    assert (result["wrongly_declined"], result["declined_near"], result["declined_or_said_near"]) == (0.5, 0, 1)
    assert (result["declined_off"], result["must_not_shown"]) == (1, 0)
    assert result["kinds"]["changed"]["n"] == result["kinds_by_language"]["changed en"]["n"] == 2
    assert result["kinds"]["off"]["wrongly_declined"] is None
    assert rightness_table(result).splitlines()[1].split()[:3] == ["all", "4", "0.75"]


@given(st.permutations(["28 yuan", "32 yuan", "Sunny."]))
def test_an_old_value_is_outdated_exactly_where_it_comes_first(order: list[str]) -> None:
    judged = graded(PRICE, an_answer(*((text, "new") for text in order)))
    assert bool(judged.outdated) == (order.index("28 yuan") < order.index("32 yuan"))


@given(st.lists(st.sampled_from(["28", "32 yuan", "free", "Sunny."])))
def test_a_sentence_more_that_says_nothing_changes_no_judgement(texts: list[str]) -> None:
    said = [(text, "new") for text in texts]
    less = graded(PRICE, an_answer(*said, ("Sunny.", "new")))
    more = graded(PRICE, an_answer(*said, ("Sunny.", "new"), ("Sunny.", "old")))
    assert (less.right, less.why()) == (more.right, more.why())


def test_a_transcript_holds_every_question_and_sentence_and_why_it_is_wrong() -> None:
    wrong = an_answer(("28 yuan", "old"))
    read = transcript("written by nobody", [graded(PRICE, RIGHT), graded(PRICE, wrong), graded(PARIS, an_answer())])
    assert read.startswith("# 2 of 3 right\n\nwritten by nobody\n")
    for shown in ("flat white?", "“It is 32 yuan since March.” [1]", "title of old", "wrong: unsaid: 32; outdated: 28"):
        assert shown in read
    assert "These posts don't say." in read
