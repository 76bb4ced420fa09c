"""What a follow-up question is completed from, and what becomes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# "asked": it was complete as typed. "rules": completed by rules. "model": rewritten by the model, and checked.
CompletedBy = Literal["asked", "rules", "model"]


@dataclass(frozen=True, slots=True)
class EarlierQuestion:
    """An earlier question of a conversation.

    Attributes:
        question: As it was completed, so that it stands alone.
        titles: Of the posts that its answer cited, in reading order; if it cited none, of its best hits.
        post_text: Text of these posts; a question about one of its words is a question about these posts.
    """

    question: str
    titles: tuple[str, ...] = ()
    post_text: str = ""


@dataclass(frozen=True, slots=True)
class StandaloneQuestion:
    """A question that needs no conversation to be understood.

    Attributes:
        by: How it was completed.
    """

    question: str
    by: CompletedBy = "asked"

    @property
    def was_completed(self) -> bool:
        """Whether earlier questions were needed."""
        return self.by != "asked"
