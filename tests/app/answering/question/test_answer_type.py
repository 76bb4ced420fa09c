"""What a question wants, and what in a text may be that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.question.answer_type import AnswerType, answer_type, candidates, holds
from app.answering.question.folded_text import FoldedText, asked_words, places


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much is a flat white?", "price"),
        ("一杯拿铁多少钱", "price"),
        ("How many stalls are there?", "amount"),
        ("这里有多少个摊位？", "amount"),
        ("In which year did it open?", "year"),
        ("哪年开业的", "year"),
        ("When was it released?", "date"),
        ("什么时候上映", "date"),
        ("What time do they close?", "time"),
        ("几点关门", "time"),
        ("Who runs the place?", "person"),
        ("老板是谁", "person"),
        ("Where is the pier?", "place"),
        ("码头在哪", "place"),
        ("Is it any good?", None),
        ("好吃吗", None),
    ],
)
def test_a_question_wants_one_kind_of_thing(question: str, kind: AnswerType | None) -> None:
    assert answer_type(question) == kind


@pytest.mark.parametrize(
    ("kind", "text", "names"),
    [
        ("price", "It was 1,200 yuan in May 2019.", ["1200yuan"]),
        ("price", "门票80元，2019年5月涨的", ["80元"]),
        ("amount", "12 stalls since May 12, at 9:30", ["12"]),
        ("date", "Jan 22, 2021 ... opened on May 1st, 2019", ["1 2019 may"]),
        ("date", "2019年5月1日开业", ["2019年5月1日"]),
        ("time", "opens at 9:30", ["930"]),
        ("year", "founded in 1987 with 300 people", ["1987"]),
        ("person", "It is run by Mara Velin.", ["mara velin"]),
    ],
)
def test_things_are_found_in_one_form_and_dates_count_nothing(kind: AnswerType, text: str, names: list[str]) -> None:
    found = [one.name for one in candidates(kind, FoldedText.of(text), "?") if one.name != "it"]
    assert [name.replace(" ", "") for name in found] == [name.replace(" ", "") for name in names]


def test_what_the_question_names_is_no_answer_to_it() -> None:
    assert candidates("person", FoldedText.of("Mara Velin smiled."), "Who is Mara Velin?") == []
    assert candidates("year", FoldedText.of("the cup of 2019"), "In which year after 2019 did they win?") == []


@given(
    st.sampled_from(["price", "amount", "date", "time", "year", "person", "place"]),
    st.text(max_size=80),
    st.text(max_size=30),
)
def test_candidates_stand_where_they_say(kind: AnswerType, text: str, question: str) -> None:
    folded = FoldedText.of(text)
    for one in candidates(kind, folded, question):
        assert 0 <= one.start < one.end <= len(folded.folded)
        assert 0 < one.fit <= 1
        assert one.name


@given(st.text(max_size=30), st.text(max_size=80))
def test_words_of_the_question_stand_where_they_are_found(question: str, text: str) -> None:
    folded, words = FoldedText.of(text), asked_words(question)
    for word, spans in places(folded, words).items():
        assert word in words
        assert all(0 <= start < end <= len(folded.folded) for start, end in spans)


@pytest.mark.parametrize("dated", ["closed on 11/24", "from 11-24 on", "3.15打假", "12月开业", "It closes on Mondays"])
def test_a_day_is_seen_where_one_is_told(dated: str) -> None:
    assert holds(frozenset({"date"}), dated) == 1


@pytest.mark.parametrize("other", ["6.8 kg, target 5.5.", "全长1.5公里", "$4.50 a cup", "评分4.8分", "version 2.3.4"])
def test_weights_prices_and_versions_are_no_days(other: str) -> None:
    assert holds(frozenset({"date"}), other) == 0
