"""The queue before the model, and its reply as a stream that never blocks the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import GeneratorType

import structlog

from app.answering.generation.cancellation import Stop
from app.answering.generation.protocol import GenerateRequest, Generator
from app.answering.generation.thoughts import Piece
from app.answering.writing.repetition import RepetitionGuard

_log = structlog.get_logger()


class QueueFull(Exception):
    """More users wait for the model than the settings allow."""


class ModelQueue:
    """Lets as many users at a time use the generator as it can serve, in threads of its own; the others wait in line.

    Args:
        waiting: Users that may wait; one more gets QueueFull at once.
    """

    def __init__(self, generator: Generator, waiting: int) -> None:
        self.generator = generator
        self._most_inside = waiting + generator.parallel
        self._inside = 0
        self._turn = asyncio.Semaphore(generator.parallel)
        self._threads = ThreadPoolExecutor(generator.parallel, thread_name_prefix="writer")

    async def stream(self, request: GenerateRequest, timeout_s: float) -> AsyncGenerator[Piece, None]:
        """Pieces of the reply, none of them empty. Leaving the loop early, or being cancelled, stops the model at once.

        A reply that repeats itself ends where that is noticed; one that is not done after `timeout_s`, counted from
        when its turn came, is cut off.

        Raises:
            QueueFull: No more users may wait.
            ModelFailed: The model cannot write this.
        """
        if self._inside >= self._most_inside:
            raise QueueFull
        self._inside += 1
        try:
            async with self._turn:
                loop, stop = asyncio.get_running_loop(), Stop()
                pieces: asyncio.Queue[Piece | BaseException | None] = asyncio.Queue()

                def put(item: Piece | BaseException | None) -> None:
                    loop.call_soon_threadsafe(pieces.put_nowait, item)

                generating = loop.run_in_executor(self._threads, self._generate, request, stop, put)
                deadline = loop.time() + timeout_s
                try:
                    while True:
                        try:
                            async with asyncio.timeout_at(deadline):
                                item = await pieces.get()
                        except TimeoutError:
                            _log.warning("the model ran out of time", model=self.generator.name, after_s=timeout_s)
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
        finally:
            self._inside -= 1

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

    def close(self) -> None:
        """Wait until nobody uses the model, then release it."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.generator.close()
