"""Who asks, as far as it matters to others: the door says it, and what is kept for everybody looks it up."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Asker:
    """Who a request is from.

    Attributes:
        name: Of a stranger, what tells them from others; "" for whoever sits at this machine. Never kept.
        may_keep: Whether another new conversation of theirs may be kept.
        began: Set where one was kept; the door then counts it.
    """

    name: str = ""
    may_keep: bool = True
    began: bool = False


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)


def asker() -> Asker:
    """Who asks in this task; somebody at this machine where no request does."""
    return _asker.get() or Asker()


def is_asking(one: Asker) -> None:
    """Say who asks from now on in this task, and in those that it starts."""
    _asker.set(one)
