"""A question after earlier turns: what it asks, and of which posts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.conversations.standalone.completion import understand
from app.conversations.standalone.context import Understood
from app.conversations.turns import Turn, said
from retrieval.types import Filters, Post

SAID = 6  # earlier questions that the next one may lean on


def lean(text: str, filters: Filters, turns: Sequence[Turn], posts: Mapping[str, Post]) -> tuple[Understood, Filters]:
    """The question as the rules understand it, and its filters.

    Args:
        turns: Earlier ones, oldest first.
        posts: By id, those that these cite, as far as they are there.
    """
    understood = understand(text, said(turns[-SAID:], posts))
    return understood, lent(understood, filters, turns)


def lent(understood: Understood, filters: Filters, turns: Sequence[Turn]) -> Filters:
    """Its filters; where it leans on the turn before and has none of its own, that one's."""
    leans = understood.from_context and filters.is_empty() and bool(turns)
    return turns[-1].answer.question.filters if leans else filters
