"""Turns of a conversation over two posts, for the tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.answering.types import Answer, AnswerSentence, Citation, Question
from app.conversations.standalone.context import StandaloneQuestion
from app.conversations.storage.conversation_file import new_id
from app.conversations.turns import FollowUp, Turn
from retrieval.types import Comment, Hit, Passage, Place, Post

BLUE = Post(
    "blue", "Blue Door, the corner cafe", "A flat white is 28 yuan. They open at 9 every day.", "mo",
    comments=(Comment("ann", "Closed on Mondays now."),), place=Place("Renmin Road"),
)  # fmt: skip
RED = Post("red", "Red Door", "Red Door asks 30 yuan for a flat white.", "jo")
POSTS = {post.id: post for post in (BLUE, RED)}


def cites(post: Post, quote: str, mark: int) -> Citation:
    if quote in post.text:
        start = post.text.index(quote)
        return Citation(mark, post.id, "text", None, start, start + len(quote), quote, 0.9)
    return Citation(mark, post.id, "comment", 0, 0, len(quote), quote, 0.9)


def a_hit(post: Post, rank: int) -> Hit:
    return Hit(rank, 0.9, 0.5, 3.0, post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))


def an_answer(question: str = "How much is a flat white at Blue Door?", **changed: Any) -> Answer:
    answer = Answer(
        question=Question(question),
        kind="written",
        language="en",
        sentences=(
            AnswerSentence("A flat white is 28 yuan at Blue Door.", (cites(BLUE, "A flat white is 28 yuan.", 1),)),
            AnswerSentence("Others ask 30 yuan.", (cites(RED, "Red Door asks 30 yuan for a flat white.", 2),)),
            AnswerSentence("Closed on Mondays now.", (cites(BLUE, "Closed on Mondays now.", 1),), quoted=True),
        ),
        hits=(a_hit(BLUE, 1), a_hit(RED, 2)),
        withheld=1,
        note="",
        model="scripted",
        prompt="answer/v1.en@3f2a9c01",
        generation="g1",
        timings_ms={"search": 1.0, "total": 2.0},
    )
    return replace(answer, **changed)


def a_turn(asked: str = "how much?", standalone: StandaloneQuestion | None = None, **changed: Any) -> Turn:
    answer = an_answer()
    turn = Turn(
        number=1,
        answer_id=new_id(),
        asked=asked,
        standalone=standalone or StandaloneQuestion(answer.question.text, "rules"),
        answer=answer,
        shown=("blue", "red"),
        asked_at=datetime(2026, 5, 1, 12, 0, tzinfo=UTC),
        followups=(FollowUp("When does Red Door open?", "red"), FollowUp("When does Blue Door open?", "blue")),
    )
    return replace(turn, **changed)
