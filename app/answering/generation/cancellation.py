"""A stop that reaches what cannot poll: a model in the middle of a batch, a socket waiting for its next byte."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop(threading.Event):
    """An event that runs actions when it is set, in the thread that sets it."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = threading.Lock()
        self._actions: list[Callable[[], object]] = []

    def set(self) -> None:
        with self._guard:
            super().set()
            for action in self._actions:
                action()

    @contextmanager
    def calling(self, action: Callable[[], object]) -> Iterator[None]:
        """Within the block, `action` is called when the event is set, or at once if it already is."""
        with self._guard:
            self._actions.append(action)
            if self.is_set():
                action()
        try:
            yield
        finally:
            with self._guard:
                self._actions.remove(action)


@contextmanager
def when_set(stop: threading.Event, action: Callable[[], object]) -> Iterator[None]:
    """The same for any event; a plain one calls nothing, so its holder must poll it."""
    if isinstance(stop, Stop):
        with stop.calling(action):
            yield
    else:
        yield
