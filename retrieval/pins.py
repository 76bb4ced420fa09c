"""Hand out one object to many threads, and close it when it was replaced and its last user is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    value: T
    users: int = 0


class Pins(Generic[T]):
    """The current object and its users. Safe to use from several threads.

    Args:
        close: Called once for each object that was replaced, when nobody uses it any more, outside of any lock.
    """

    def __init__(self, value: T, close: Callable[[T], object]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._entry = _Entry(value)
        self._users = 0

    @property
    def current(self) -> T:
        return self._entry.value

    @property
    def busy(self) -> bool:
        """Whether anybody uses the current object or one before it."""
        return self._users > 0

    @contextmanager
    def pin(self) -> Iterator[T]:
        """The current object, which is not closed before the block ends."""
        with self._lock:
            entry = self._entry
            entry.users += 1
            self._users += 1
        try:
            yield entry.value
        finally:
            with self._lock:
                entry.users -= 1
                self._users -= 1
                unused = entry is not self._entry and entry.users == 0
            if unused:
                self._close(entry.value)

    def replace(self, value: T) -> None:
        """Hand out another object from now on, and close the old one now or when its last user is done."""
        with self._lock:
            old, self._entry = self._entry, _Entry(value)
            unused = old.users == 0
        if unused:
            self._close(old.value)
