"""The line before the model, and the model's reply as a stream that never blocks the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from types import GeneratorType
from typing import TypeVar

import structlog

from app.answering.generation.cancellation import Stop
from app.answering.generation.protocol import EngineFigures, GenerateRequest, Generator
from app.answering.generation.thoughts import Piece
from app.answering.types import Queued
from app.answering.writing.repetition import RepetitionGuard

_log = structlog.get_logger()
_Result = TypeVar("_Result")
_SHORT_REPLY = 128  # tokens: a rewritten question; whoever waits for one has not even begun to wait for the answer
_NEWEST_SHARE = 0.2  # of the last interval in the mean from which a wait is estimated
_UNKNOWN_WAIT_S = 30.0  # said to those who are turned away before anybody's turn has ended


class QueueFull(Exception):
    """More users wait for the model than the settings allow, or one has waited for as long as they allow.

    Attributes:
        retry_after_s: When a place will probably be free.
    """

    def __init__(self, retry_after_s: float = _UNKNOWN_WAIT_S) -> None:
        super().__init__("many are asking at the moment")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class WritingFigures:
    """What was written since the server started, and who waits now.

    Attributes:
        writing, waiting, most_waiting: Users whose turn it is, those in line, and how many may be.
        turns: That ended, in whatever way.
        seconds_between: About how long from the end of one turn to that of the next while the model is busy: what each
            place in line costs. None before the first has ended.
        refused: Users who found the line full, or whose turn did not come in time.
        first_sentences, first_sentence_seconds: Answers of which a sentence of the model was shown, and the sum of the
            times from the question to its first one.
        withheld: Sentences of the model that were not shown.
        engine: The process that writes; None at an endpoint.
    """

    model: str
    writing: int
    waiting: int
    most_waiting: int
    turns: int
    seconds_between: float | None
    refused: int
    first_sentences: int
    first_sentence_seconds: float
    withheld: int
    engine: EngineFigures | None


_came: ContextVar[float | None] = ContextVar("came", default=None)


def comes_now() -> None:
    """Say that a request comes now, in this task: what it waits for anything counts as waiting for the model."""
    _came.set(asyncio.get_running_loop().time())


class _Asker:
    """One in line or at the model."""

    def __init__(self, *, short: bool) -> None:
        self.short, self.moved = short, asyncio.Event()


class ModelQueue:
    """Lets as many users at a time use the generator as it can serve, in threads of its own; the others wait in line.

    First come, first served, but a short reply goes before long ones.

    Args:
        waiting: Users that may wait; one more gets QueueFull at once.
        longest_wait_s: Whoever's turn has not come by then gets it too. Counted from when the request came, where that
            was said (`comes_now`): it may have waited elsewhere, or for a turn before this one.
    """

    def __init__(self, generator: Generator, waiting: int, longest_wait_s: float = 25.0) -> None:
        self.generator = generator
        self._most_waiting, self._longest_wait_s = waiting, longest_wait_s
        self._line: list[_Asker] = []
        self._inside: set[_Asker] = set()
        self._threads = ThreadPoolExecutor(generator.parallel, thread_name_prefix="writer")
        # Preparing asks the model's process too, which may hang: never in the threads that search.
        self._preparing = ThreadPoolExecutor(2, thread_name_prefix="prompts")
        self._turns, self._refused = 0, 0
        self._busy_since = 0.0  # when the model got busy, or a turn last ended
        self._between_s: float | None = None
        self._first_sentences, self._first_sentence_s, self._withheld = 0, 0.0, 0

    async def prepare(self, make: Callable[[], _Result]) -> _Result:
        """The result of work that counts tokens."""
        return await asyncio.get_running_loop().run_in_executor(self._preparing, make)

    async def stream(self, request: GenerateRequest, timeout_s: float) -> AsyncGenerator[Piece | Queued, None]:
        """Places in line as they change, then pieces of the reply, none of them empty. Leaving the loop early, or being
        cancelled, stops the model at once.

        A reply that repeats itself ends where that is noticed; one that is not done after `timeout_s`, counted from
        when its turn came, is cut off.

        Raises:
            QueueFull: No more users may wait, or this one has waited as long as anybody may.
            ModelFailed: The model cannot write this.
        """
        asker = self._join(short=request.max_tokens <= _SHORT_REPLY)
        came = _came.get()
        latest = (asyncio.get_running_loop().time() if came is None else came) + self._longest_wait_s
        try:
            told: Queued | None = None
            while asker not in self._inside:
                place = self._line.index(asker) + 1
                now = Queued(place, self._wait_s(place))
                if now != told:
                    told = now
                    yield now
                try:
                    async with asyncio.timeout_at(latest):
                        await asker.moved.wait()
                except TimeoutError:
                    self._refused += 1
                    raise QueueFull(self._wait_s(place) or _UNKNOWN_WAIT_S) from None
                asker.moved.clear()
            deadline = asyncio.get_running_loop().time() + timeout_s
            async with aclosing(self._reply(request, deadline)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._leave(asker)

    def check_room(self) -> None:
        """Raises:
        QueueFull: Whoever came now would be turned away.
        """
        if len(self._line) >= self._most_waiting and len(self._inside) >= self.generator.parallel:
            self._refused += 1
            raise QueueFull(self._wait_s(1) or _UNKNOWN_WAIT_S)

    def note_first_sentence(self, seconds: float) -> None:
        """The model's first sentence of an answer was shown, so long after the question."""
        self._first_sentences += 1
        self._first_sentence_s += seconds

    def note_withheld(self) -> None:
        """A sentence of the model was not shown."""
        self._withheld += 1

    def figures(self) -> WritingFigures:
        return WritingFigures(
            self.generator.name, len(self._inside), len(self._line), self._most_waiting, self._turns, self._between_s,
            self._refused, self._first_sentences, self._first_sentence_s, self._withheld, self.generator.figures(),
        )  # fmt: skip

    def close(self) -> None:
        """Wait until nobody uses the model, then release it."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._preparing.shutdown(wait=True, cancel_futures=True)
        self.generator.close()

    def _join(self, *, short: bool) -> _Asker:
        self.check_room()
        asker = _Asker(short=short)
        behind = sum(one.short for one in self._line) if short else len(self._line)
        self._line.insert(behind, asker)
        self._advance()
        return asker

    def _leave(self, asker: _Asker) -> None:
        if asker in self._inside:
            self._inside.remove(asker)
            self._turns += 1
            now = time.monotonic()
            took, self._busy_since = now - self._busy_since, now
            mean = self._between_s if self._between_s is not None else took
            self._between_s = mean + _NEWEST_SHARE * (took - mean)
        if asker in self._line:
            self._line.remove(asker)
        self._advance()

    def _advance(self) -> None:
        while self._line and len(self._inside) < self.generator.parallel:
            asker = self._line.pop(0)
            if not self._inside:
                self._busy_since = time.monotonic()
            self._inside.add(asker)
            asker.moved.set()
        for asker in self._line:
            asker.moved.set()

    def _wait_s(self, place: int) -> float | None:
        """About how long until the turn of whoever has this place, 1 being the next; None where nothing is known."""
        return None if self._between_s is None else round(place * self._between_s, 1)

    async def _reply(self, request: GenerateRequest, deadline: float) -> AsyncGenerator[Piece, None]:
        loop, stop = asyncio.get_running_loop(), Stop()
        pieces: asyncio.Queue[Piece | BaseException | None] = asyncio.Queue()

        def put(item: Piece | BaseException | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, item)

        generating = loop.run_in_executor(self._threads, self._generate, request, stop, put)
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        item = await pieces.get()
                except TimeoutError:
                    _log.warning("the model ran out of time", model=self.generator.name)
                    return
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            # The next user must not start before this one's thread has released the model.
            await asyncio.shield(generating)

    def _generate(
        self, request: GenerateRequest, stop: Stop, put: Callable[[Piece | BaseException | None], None]
    ) -> None:
        """Hand over all pieces, then None; or the error that ended them. Runs in a thread."""
        guard = RepetitionGuard()
        pieces: Iterator[Piece] = iter(())
        try:
            pieces = self.generator.generate(request, stop)
            for piece in pieces:
                if piece.answer or piece.thought:
                    put(piece)
                if guard.repeats(piece.answer):
                    _log.warning("the model repeats itself and was stopped", model=self.generator.name)
                    break
            put(None)
        except BaseException as error:  # raised in `stream`, in another thread
            put(error)
        finally:
            if isinstance(pieces, GeneratorType):
                pieces.close()  # releases the model now, not when the garbage is collected
