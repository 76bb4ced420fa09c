"""Who a request is from, and what they may see: the door finds it out, and whoever answers looks it up."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a request is from.

    Attributes:
        name: For the log, as "key ops", "reader ann" or an address.
        counted_as: Under which name requests are counted; "" for whoever is not limited.
        by: How they were recognised; "nothing" for a stranger.
        is_admin: Whether they see the details of failures.
    """

    name: str
    counted_as: str
    by: Literal["nothing", "key", "session", "proxy", "command"] = "nothing"
    is_admin: bool = False


_AT_THIS_MACHINE = Visitor("this machine", "", is_admin=True)
_visitor: ContextVar[Visitor] = ContextVar("visitor", default=_AT_THIS_MACHINE)


def visitor() -> Visitor:
    """Who asks in this task; somebody at this machine where no request does."""
    return _visitor.get()


def is_visiting(one: Visitor) -> None:
    """Say who asks from now on in this task, and in those that it starts."""
    _visitor.set(one)
