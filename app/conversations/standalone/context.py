"""What a follow-up question is understood from, and what becomes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# "asked": it stands by itself. "rules": completed here. "model": rewritten by the model, and checked.
UnderstoodBy = Literal["asked", "rules", "model"]


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier question of a conversation.

    Attributes:
        question: As it was understood, so that it stands by itself.
        titles: Of the posts that its answer cited, in reading order; where it cited none, of its best hits.
        told: What these posts say, as one text; a question for one of its words is a question about them.
    """

    question: str
    titles: tuple[str, ...] = ()
    told: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it will be answered.

    Attributes:
        question: Complete in itself.
        by: Who made it so.
    """

    question: str
    by: UnderstoodBy = "asked"

    @property
    def from_context(self) -> bool:
        """Whether earlier questions were needed to understand it."""
        return self.by != "asked"
