"""Reading a judged folder of questions: what is wrong with a line is said with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.evaluation.judged_questions import read_questions
from retrieval.errors import FixableError
from tests.app.evaluation.questions import CAFE, QUESTIONS, write_questions


def test_a_folder_gives_its_questions_in_order_with_their_posts_and_gold(tmp_path: Path) -> None:
    price, unanswerable, tent = read_questions(write_questions(tmp_path))
    assert (price.text, price.language, price.answerable) == ("How much is a flat white at Blue Door?", "en", True)
    assert [post.id for post in price.posts] == ["cafe", "loop"]
    assert (price.gold, price.evidence[0].post_id) == ((("28 yuan", "28"),), "cafe")
    assert not unanswerable.answerable
    assert tent.posts[1].language == "zh"


def test_a_limit_takes_the_first(tmp_path: Path) -> None:
    assert [one.id for one in read_questions(write_questions(tmp_path), 1)] == ["price"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("{not json", "not a judged question"),
        ("[]", "not a JSON object"),
        ('{"id": "x"}', "field 'question' is missing"),
        ({"question": " "}, "'question' must be a string that is not empty"),
        ({"posts": []}, "'posts' must be a list that is not empty"),
        ({"posts": ["cafe"]}, "a post is not a JSON object"),
        ({"posts": [{"id": "cafe", "text": 28}], "evidence": []}, "'text' must be a string"),
        ({"posts": [CAFE, CAFE]}, "two of its posts have the same id"),
        ({"answerable": "no"}, "'answerable' must be true or false"),
        ({"gold": ["28 yuan"]}, "'gold' must be a list of groups"),
        ({"gold": [[]]}, "'gold' must be a list of groups"),
        ({"evidence": [{"post_id": "gone", "quote": "x"}]}, "evidence names post 'gone'"),
        ({"id": "price-u"}, "'id' is 'price-u', as on an earlier line"),
    ],
)
def test_a_broken_line_is_said_with_its_place(tmp_path: Path, broken: str | dict[str, Any], says: str) -> None:
    write_questions(tmp_path, QUESTIONS[1:2])
    with (tmp_path / "questions.jsonl").open("a", encoding="utf-8") as file:
        file.write(broken if isinstance(broken, str) else json.dumps({**QUESTIONS[0], **broken}))
    with pytest.raises(FixableError) as error:
        read_questions(tmp_path)
    assert "questions.jsonl:2: not a judged question" in error.value.problem
    assert says in error.value.problem


def test_a_folder_without_questions_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FixableError) as error:
        read_questions(tmp_path)
    assert "questions.jsonl cannot be read" in error.value.problem
    (tmp_path / "questions.jsonl").write_text("\n\n")
    with pytest.raises(FixableError, match="holds no question"):
        read_questions(tmp_path)
