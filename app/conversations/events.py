"""What is asked in a conversation, and the events of its answer beside those of the answer itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from app.answering.types import AnswerEvent, Question
from app.conversations.standalone.context import StandaloneQuestion
from retrieval.types import Filters


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question as it came in.

    Attributes:
        typed: As typed, with any filters in it.
        text: What remains to be answered.
        conversation: Id of the one that it continues, NEW to start one, "" to keep nothing.
        followups: Whether to look for follow-up questions.
        refuse_when_busy: Raise QueueFull where too many wait for the model, instead of answering by quotes.
    """

    typed: str
    text: str
    filters: Filters = field(default_factory=Filters)
    conversation: str = ""
    followups: bool = True
    refuse_when_busy: bool = False


@dataclass(frozen=True, slots=True)
class ConversationQuestion:
    """A question in its conversation, ready to be answered.

    Attributes:
        question: What will be answered: complete, and with filters of its own or inherited.
        earlier: The questions before it, each as asked and as completed.
        readable: Whether the conversation could be read; if not, the answer is not kept.
    """

    request: AskRequest
    standalone: StandaloneQuestion
    question: Question
    earlier: tuple[str, ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """Before Done: where the turn is kept.

    Attributes:
        conversation, answer_id: "" if it is not kept, because it was not asked for or because of a problem.
        number: Of the turn in its conversation, from 1; 0 if it is not kept.
        failed: Whether it should have been kept and could not be.
    """

    conversation: str = ""
    answer_id: str = ""
    number: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class FollowUpsFound:
    """Last event, after Done: standalone questions that the index answers."""

    questions: tuple[str, ...]


ConversationEvent: TypeAlias = AnswerEvent | Kept | FollowUpsFound
