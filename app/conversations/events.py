"""What is asked in a conversation, and the events in which it is answered, around those of the answer itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from app.answering.types import AnswerEvent, Question
from app.conversations.standalone.context import Understood
from retrieval.types import Filters


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as it came in.

    Attributes:
        typed: As typed, with whatever filters stand in it.
        text: What of it remains to be answered.
        conversation: Id of the one that it goes on with, NEW to begin one, "" to be kept in none.
        followups: Whether to look for questions to go on with.
    """

    typed: str
    text: str
    filters: Filters = field(default_factory=Filters)
    conversation: str = ""
    followups: bool = True


@dataclass(frozen=True, slots=True)
class QuestionUnderstood:
    """First event: what will be answered."""

    understood: Understood
    question: Question


@dataclass(frozen=True, slots=True)
class Kept:
    """Before Done: where the turn is kept.

    Attributes:
        conversation, answer_id: "" where it is not kept, because nobody asked for it, or because of a problem.
        number: Of the turn in its conversation, from 1; 0 where it is not kept.
        failed: Whether it should have been kept and could not be.
    """

    conversation: str = ""
    answer_id: str = ""
    number: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class FollowUpsFound:
    """Last event, after Done: questions that the index answers, complete in themselves."""

    questions: tuple[str, ...]


ConversingEvent: TypeAlias = QuestionUnderstood | AnswerEvent | Kept | FollowUpsFound
