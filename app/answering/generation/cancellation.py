"""A stop that reaches who cannot look: a model in the middle of a batch, a socket that waits for its next byte."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop(threading.Event):
    """An event that calls somebody when it is set, in the thread that sets it."""

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
        """Within, `action` is called when the event is set, at once if it is already; never after the end."""
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
    """The same for any event; a plain one calls nobody, so that its holder must look at it now and then."""
    if isinstance(stop, Stop):
        with stop.calling(action):
            yield
    else:
        yield
