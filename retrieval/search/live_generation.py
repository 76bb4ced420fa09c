"""The generation that readers use now, exchanged for a newer one without a request noticing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from retrieval.errors import FixableError
from retrieval.stores.contract import Generation
from retrieval.types import Identity


class Openable(Protocol):
    """What of a PostStore is needed to read from it."""

    def current(self) -> str | None: ...

    def open(self, expected: Identity) -> Generation: ...


class Pinnable(Protocol):
    """Hands out the generation to read from."""

    def pin(self) -> AbstractContextManager[Generation]:
        """See LiveGeneration.pin."""
        ...


class LiveGeneration:
    """Hands out the store's current generation, and follows `switch`, whoever called it.

    A request pins the generation that it began with and keeps it to its end; the old one is closed when the last
    request that pinned it is done. Opening the new one happens in the thread that `refresh` is called from.
    """

    def __init__(self, store: Openable, expected: Identity) -> None:
        self._store, self._expected = store, expected
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._generation: Generation | None = None
        self._pins: dict[int, int] = {}
        self._retired: dict[int, Generation] = {}
        self.problem: FixableError | None = None

    @contextmanager
    def pin(self) -> Iterator[Generation]:
        """The current generation, kept open until the block ends.

        Raises:
            IndexMissing, IndexMismatch, IndexLocked: There is none that can be read.
        """
        with self._lock:
            generation = self._generation
            if generation is not None:
                self._pins[id(generation)] = self._pins.get(id(generation), 0) + 1
        if generation is None:
            self.refresh()
            with self._lock:
                generation = self._generation
                if generation is None:
                    raise self.problem or AssertionError("refresh left neither a generation nor a problem")
                self._pins[id(generation)] = self._pins.get(id(generation), 0) + 1
        try:
            yield generation
        finally:
            with self._lock:
                self._pins[id(generation)] -= 1
                idle = self._pins[id(generation)] == 0
                if idle:
                    del self._pins[id(generation)]
                retired = self._retired.pop(id(generation), None) if idle else None
            if retired is not None:
                retired.close()

    def refresh(self, before: Callable[[], None] = lambda: None) -> bool:
        """Open what `switch` made current, if that is another than now; True when it was exchanged.

        A generation that cannot be opened leaves the old one in use, and `problem` says why.

        Args:
            before: Called once the new one is open and before anybody reads it.
        """
        with self._refreshing:
            try:
                name = self._store.current()
                held = self._generation
                if held is not None and (name is None or held.info.name == name):
                    self.problem = None
                    return False
                opened = self._store.open(self._expected)
                if held is not None:
                    before()
            except FixableError as error:
                self.problem = error
                return False
            with self._lock:
                old, self._generation, self.problem = self._generation, opened, None
                if old is not None and self._pins.get(id(old), 0) > 0:
                    self._retired[id(old)] = old
                    old = None
            # Not before: what was accepted since it was opened is in the new one alone.
            threading.Thread(target=opened.warm, name="warm", daemon=True).start()
            if old is not None:
                old.close()
            return True

    @property
    def is_open(self) -> bool:
        """Whether there is a generation to hand out."""
        return self._generation is not None

    def close(self) -> None:
        """Close the generation, now or when the last request that pinned it is done."""
        with self._lock:
            old, self._generation = self._generation, None
            if old is not None and self._pins.get(id(old), 0) > 0:
                self._retired[id(old)] = old
                old = None
        if old is not None:
            old.close()
