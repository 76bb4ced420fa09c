"""The model and the queue before it: pieces come out, the event loop is never blocked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from types import GeneratorType

import structlog

from app.answering.generation.cancellation import Stop
from app.answering.generation.protocol import Generator
from app.answering.writing.repetition import RepetitionGuard

_log = structlog.get_logger()


class QueueFull(Exception):
    """More askers wait for the model than the settings allow."""


@dataclass(frozen=True, slots=True)
class _Thought:
    text: str


class Writer:
    """Lets as many askers use the generator as it can serve at once, in threads of its own; the others wait in line.

    Args:
        queue: Askers that may wait; one more gets QueueFull at once.
    """

    def __init__(self, generator: Generator, queue: int) -> None:
        self.generator = generator
        self._most_inside = queue + generator.parallel
        self._inside = 0
        self._turn = asyncio.Semaphore(generator.parallel)
        self._threads = ThreadPoolExecutor(generator.parallel, thread_name_prefix="writer")

    async def write(
        self,
        system: str,
        user: str,
        max_tokens: int,
        timeout_s: float,
        *,
        grammar: str | None = None,
        thinking_tokens: int | None = None,
        thoughts: Callable[[str], object] | None = None,
    ) -> AsyncGenerator[str, None]:
        """Pieces of the reply, never of a thought. Leaving the loop early, or being cancelled, stops the model at once.

        A reply that turns in a circle ends where that is noticed; one that is not done after `timeout_s`, counted from
        when its turn came, ends there.

        Args:
            grammar, thinking_tokens: See Generator.generate.
            thoughts: Called in this event loop with each piece of thought, before the pieces of reply that follow it.

        Raises:
            QueueFull: Nobody more may wait.
            ModelFailed: The model cannot write this.
        """
        if self._inside >= self._most_inside:
            raise QueueFull
        self._inside += 1
        try:
            async with (
                self._turn,
                aclosing(self._pieces(system, user, max_tokens, timeout_s, grammar, thinking_tokens)) as pieces,
            ):
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield piece
                    elif thoughts is not None:
                        thoughts(piece.text)
        finally:
            self._inside -= 1

    async def _pieces(
        self,
        system: str,
        user: str,
        max_tokens: int,
        timeout_s: float,
        grammar: str | None,
        thinking_tokens: int | None,
    ) -> AsyncGenerator[str | _Thought, None]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | _Thought | BaseException | None] = asyncio.Queue()
        stop = Stop()

        def put(item: str | _Thought | BaseException | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, item)

        def work() -> None:
            guard = RepetitionGuard()
            written: Iterator[str] = iter(())
            try:
                written = self.generator.generate(
                    system, user, max_tokens, stop,
                    grammar=grammar, thinking_tokens=thinking_tokens, thoughts=lambda text: put(_Thought(text)),
                )  # fmt: skip
                for piece in written:
                    put(piece)
                    if guard.repeats(piece):
                        _log.warning("the model repeats itself and was stopped", model=self.generator.name)
                        break
                put(None)
            except BaseException as error:  # handed to the asker, who is in another thread
                put(error)
            finally:
                if isinstance(written, GeneratorType):
                    written.close()  # lets go of the model now, not when the garbage is collected

        working = loop.run_in_executor(self._threads, work)
        deadline = loop.time() + timeout_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        item = await pieces.get()
                except TimeoutError:
                    _log.warning("the model was cut off by the clock", model=self.generator.name, after_s=timeout_s)
                    return
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            # The next asker must not start before this one's thread has let go of the model.
            await asyncio.shield(working)

    def close(self) -> None:
        """Wait for the model to be let go of, then release it."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.generator.close()
