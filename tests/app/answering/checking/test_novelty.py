"""What a sentence adds to its question stands in the posts, clause by clause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.checking.novelty import new_content_is_supported

PAPERS = ["For the tourist visa I handed in my passport, two photos and a bank statement of three months."]
LOOP = ["The loop around the moat is five kilometres and lit until eleven at night."]
PARKING = ["苍山营地停车费一晚30元。"]


@pytest.mark.parametrize(
    ("sentence", "question", "texts"),
    [
        ("You need a passport and two photos for the visa.", "Which papers does the tourist visa need?", PAPERS),
        ("The moat loop is five kilometres long.", "How long is the moat loop?", LOOP),
        ("According to the posts, it is lit until eleven.", "Until when is the loop lit?", LOOP),
        ("停车费是一晚30元。", "苍山营地停车费多少钱", PARKING),
        ("苍山营地的停车费，一晚30元。", "停车多少钱", PARKING),
    ],
)
def test_what_the_posts_say_is_borne_out(sentence: str, question: str, texts: list[str]) -> None:
    assert new_content_is_supported(sentence, question, texts)


@pytest.mark.parametrize(
    ("sentence", "question", "texts"),
    [
        ("The tourist visa is free of papers.", "Which papers does the tourist visa need?", PAPERS),
        ("The moat loop is nine miles long.", "How long is the moat loop?", LOOP),
        ("Arr matey, the loop is five kilometres and lit until eleven.", "How long is the loop?", LOOP),
        ("启禀陛下，苍山营地停车费一晚30元。", "苍山营地停车费多少钱", PARKING),
        ("苍山营地停车免费随便停。", "苍山营地停车费多少钱", PARKING),
    ],
)
def test_what_only_the_question_and_nobody_says_is_not(sentence: str, question: str, texts: list[str]) -> None:
    assert not new_content_is_supported(sentence, question, texts)


@given(st.text(min_size=1, max_size=80), st.text(max_size=40))
def test_a_posts_own_words_are_always_borne_out(text: str, question: str) -> None:
    assert new_content_is_supported(text, question, [text])
