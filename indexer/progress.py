"""Progress of a run: a bar on a terminal, a line every few seconds elsewhere, nothing with --quiet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]  # its types are a package of their own

EVERY_S = 5.0
FINISHING = "building the search structures"


class Progress(Protocol):
    """What a run reports to."""

    def reading(self, lines: int) -> None:
        """`lines` lines were read so far."""
        ...

    def embedding(self, passages: int, expected: int) -> None:
        """`passages` of about `expected` passages are embedded; `expected` is an estimate until the last one."""
        ...

    def finishing(self) -> None:
        """Everything is embedded; the search structures are built now, which may take a while."""
        ...

    def saying(self, text: str) -> None:
        """Show a message to the user now."""
        ...

    def close(self) -> None: ...


class QuietProgress:
    """Shows messages, and no progress."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def reading(self, lines: int) -> None:
        pass

    def embedding(self, passages: int, expected: int) -> None:
        pass

    def finishing(self) -> None:
        pass

    def saying(self, text: str) -> None:
        print(text, file=self._stream, flush=True)  # commands print through this module

    def close(self) -> None:
        pass


class PlainProgress(QuietProgress):
    """A line about every five seconds: for logs, pipes and CI."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._said_at = clock()
        self._rate = Rate(clock)

    def reading(self, lines: int) -> None:
        if self._due():
            self.saying(f"read {lines:,} lines")

    def embedding(self, passages: int, expected: int) -> None:
        per_s = self._rate.after(passages)
        if self._due() and per_s:
            left = minutes(max(0, expected - passages) / per_s)
            self.saying(f"embedded {passages:,} of about {expected:,} passages, {per_s:,.0f}/s, {left} left")

    def finishing(self) -> None:
        self.saying(FINISHING)

    def _due(self) -> bool:
        now = self._clock()
        if now - self._said_at < EVERY_S:
            return False
        self._said_at = now
        return True


class Rate:
    """How many per second, recently. A resumed run takes its first vectors from disk, so an average over the whole
    run would promise too much.
    """

    def __init__(self, clock: Callable[[], float], memory_s: float = 20.0) -> None:
        self._clock, self._memory_s = clock, memory_s
        self._seen: list[tuple[float, int]] = []

    def after(self, count: int) -> float:
        now = self._clock()
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[1][0] > self._memory_s:
            self._seen.pop(0)
        then, before = self._seen[0]
        return (count - before) / (now - then) if now > then else 0.0


class TerminalProgress:
    """A bar with rate and time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None  # tqdm has no types of its own
        self._unit = ""

    def reading(self, lines: int) -> None:
        self._show(lines, None, "read", " lines")

    def embedding(self, passages: int, expected: int) -> None:
        self._show(passages, expected, "embedded", " passages")

    def finishing(self) -> None:
        self.close()
        self.saying(FINISHING)

    def _show(self, done: int, expected: int | None, what: str, unit: str) -> None:
        if self._bar is None or self._unit != unit:
            self.close()
            self._unit = unit
            self._bar = tqdm(
                desc=what, total=expected, unit=unit, file=self._stream, dynamic_ncols=True, mininterval=0.2
            )
        self._bar.total = expected
        self._bar.update(done - self._bar.n)

    def saying(self, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        print(text, file=self._stream, flush=True)  # commands print through this module
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def progress_on(stream: TextIO, quiet: bool) -> Progress:
    """The kind of progress that suits a stream."""
    if quiet:
        return QuietProgress(stream)
    return TerminalProgress(stream) if stream.isatty() else PlainProgress(stream)


def minutes(seconds: float) -> str:
    """A duration for people.

    >>> minutes(47), minutes(754), minutes(4000)
    ('0:47', '12:34', '1:06:40')
    """
    rest, whole_s = divmod(round(seconds), 60)
    hours, whole_min = divmod(rest, 60)
    return f"{hours}:{whole_min:02}:{whole_s:02}" if hours else f"{whole_min}:{whole_s:02}"
