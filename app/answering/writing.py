"""The one model of this process and the queue before it: pieces come out, the event loop is never blocked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from app.answering.generation import Generator


class QueueFull(Exception):
    """More askers wait for the model than the settings allow."""


class Writer:
    """Lets one asker at a time use the generator, in a thread of its own; the others wait in line.

    Args:
        queue: Askers that may wait; one more gets QueueFull at once.
    """

    def __init__(self, generator: Generator, queue: int) -> None:
        self.generator = generator
        self._queue = queue
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def write(self, system: str, user: str, max_tokens: int, timeout_s: float) -> AsyncGenerator[str, None]:
        """Pieces of the reply. Leaving the loop early, or being cancelled, stops the model within one token.

        Raises:
            QueueFull: Nobody more may wait.
        """
        if self._waiting > self._queue:
            raise QueueFull
        self._waiting += 1
        try:
            async with self._turn, aclosing(self._pieces(system, user, max_tokens, timeout_s)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._waiting -= 1

    async def _pieces(self, system: str, user: str, max_tokens: int, timeout_s: float) -> AsyncGenerator[str, None]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        stop = threading.Event()

        def put(item: str | BaseException | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, item)

        def work() -> None:
            try:
                for piece in self.generator.generate(system, user, max_tokens, stop):
                    put(piece)
                put(None)
            except BaseException as error:  # handed to the asker, who is in another thread
                put(error)

        working = loop.run_in_executor(self._thread, work)
        deadline = loop.time() + timeout_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        item = await pieces.get()
                except TimeoutError:
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
        self._thread.shutdown(wait=True, cancel_futures=True)
        self.generator.close()
