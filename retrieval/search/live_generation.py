"""The generation that readers use now, replaced by a newer one without interrupting requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from retrieval.errors import FixableError, IndexMismatch
from retrieval.pins import Pins
from retrieval.stores.contract import Generation
from retrieval.types import Identity


class Openable(Protocol):
    """The part of a PostStore that reading needs."""

    def current(self) -> str | None: ...

    def open(self, expected: Identity) -> Generation: ...


class Pinnable(Protocol):
    """Hands out the generation to read from."""

    def pin(self) -> AbstractContextManager[Generation]:
        """See LiveGeneration.pin."""
        ...


class LiveGeneration:
    """Hands out the store's current generation, and follows `switch` in whichever process it was called.

    A request pins the generation that it began with and keeps it to its end; the old one is closed when the last
    request that pinned it is done. The new one is opened in the thread that calls `refresh`.

    Attributes:
        problem: Why the store's current generation could not be opened; None where it could.
        model_problem: Said instead where another model built it: why that model cannot be loaded. None: not known.
    """

    def __init__(self, store: Openable, expected: Identity) -> None:
        self._store, self._expected = store, expected
        self._refreshing = threading.Lock()
        self._pins = Pins[Generation | None](None, _close)
        self.problem: FixableError | None = None
        self.model_problem: IndexMismatch | None = None

    @contextmanager
    def pin(self) -> Iterator[Generation]:
        """The current generation, kept open until the block ends.

        Raises:
            IndexMissing, IndexMismatch, IndexLocked: There is none that can be read.
        """
        if not self.is_open:
            self.refresh()
        with self._pins.pin() as generation:
            if generation is None:
                raise self.problem or AssertionError("refresh left neither a generation nor a problem")
            yield generation

    def refresh(self, before: Callable[[], None] = lambda: None) -> bool:
        """Open what `switch` made current, if it is not open already; True when it replaced another or none.

        A generation that cannot be opened leaves the old one in use, and `problem` says why.

        Args:
            before: Called once the new one is open and before anybody reads it, unless it is the first.
        """
        with self._refreshing:
            try:
                name = self._store.current()
                held = self._pins.current
                if held is not None and (name is None or held.info.name == name):
                    self.problem = None
                    return False
                opened = self._store.open(self._expected)
                if held is not None:
                    before()
            except IndexMismatch as error:
                self.problem = self.model_problem or error
                return False
            except FixableError as error:
                self.problem = error
                return False
            self._pins.replace(opened)
            self.problem = None
            # Not earlier: what was accepted since it was opened is in the new one alone.
            threading.Thread(target=opened.warm, name="warm", daemon=True).start()
            return True

    @property
    def is_open(self) -> bool:
        """Whether there is a generation to hand out."""
        return self._pins.current is not None

    def close(self) -> None:
        """Close the generation, now or when the last request that pinned it is done."""
        self._pins.replace(None)


def _close(generation: Generation | None) -> None:
    if generation is not None:
        generation.close()
