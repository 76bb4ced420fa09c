"""Asks everyday questions, one after another, and grades what comes back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from tqdm import tqdm

from app.answering.answerer import Answerer
from app.answering.types import Question
from app.evaluation.everyday.question_file import EverydayQuestion
from app.evaluation.everyday.rightness import GradedAnswer, graded
from app.evaluation.index_quality import last_answer
from retrieval.query.parser import parse_query


async def ask_all(questions: Sequence[EverydayQuestion], answerer: Answerer) -> list[GradedAnswer]:
    """Each question's answer from the current index, graded, in the order of the questions.

    Raises:
        FixableError: The index cannot be read.
    """
    today = datetime.now(UTC).date()

    def typed(question: EverydayQuestion) -> Question:
        query = parse_query(question.text, today=question.now or today)
        return Question(query.text, query.filters)

    asked = tqdm(questions, "answering", unit="question", file=sys.stderr, leave=False, mininterval=1)
    return [graded(question, await last_answer(answerer, typed(question))) for question in asked]
