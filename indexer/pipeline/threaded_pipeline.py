"""A pipeline of three threads: one reads ahead, the caller's does the work, a third writes behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LOOK_S = 0.05  # how often a waiting thread checks whether the others gave up


class _End:
    """Marks the end of a channel."""


def run_threaded(
    source: Iterable[T], work: Callable[[Iterator[T]], Generator[R]], sink: Callable[[R], object], ahead: int = 2
) -> None:
    """Do `for one in work(source): sink(one)`, reading the source and calling the sink in threads of their own.

    The order is kept, and at most `ahead` items wait before the work, and as many after it. `work` runs in the calling
    thread, which Ctrl-C reaches. When anything raises, no further item is started; what the work has yielded still goes
    to the sink, unless the sink raised. Both threads have ended when this returns or raises.

    Raises:
        BaseException: The first exception of any of the three, unchanged.
    """
    stop = threading.Event()
    before, behind = _Channel[T](ahead, stop), _Channel[R](ahead, threading.Event())

    def read() -> None:
        before.fill(source)

    def write() -> None:
        try:
            for one in behind:
                sink(one)
        except BaseException as error:  # raised again in the calling thread
            behind.failed = error
            behind.stop.set()

    threads = [threading.Thread(target=step, name=f"reindex {step.__name__}", daemon=True) for step in (read, write)]
    for thread in threads:
        thread.start()
    try:
        with closing(work(iter(before))) as done:
            for one in done:
                behind.put(one)
    finally:
        stop.set()
        behind.end()
        for thread in threads:
            thread.join()
    if behind.failed is not None:
        raise behind.failed


class _Channel(Generic[T]):
    """Passes items from one thread to another, a few at a time.

    Attributes:
        stop: Set when either side has given up.
        failed: The exception that ended the channel early.
    """

    def __init__(self, length: int, stop: threading.Event) -> None:
        self._queue: Queue[T | _End] = Queue(length)
        self.stop = stop
        self.failed: BaseException | None = None

    def fill(self, items: Iterable[T]) -> None:
        """Put all of them, then end; an exception of `items` is raised in the thread that takes."""
        try:
            for one in items:
                if not self._offer(one):
                    break
        except BaseException as error:  # raised again by the thread that takes
            self.failed = error
        self.end()

    def put(self, item: T) -> None:
        """
        Raises:
            BaseException: The exception of the thread that takes.
        """
        if not self._offer(item):
            assert self.failed is not None, "a channel was stopped without a reason"
            raise self.failed

    def end(self) -> None:
        self._offer(_End())

    def _offer(self, item: T | _End) -> bool:
        while not self.stop.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_S)
            except Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        while not self.stop.is_set():
            try:
                item = self._queue.get(timeout=_LOOK_S)
            except Empty:
                continue
            if isinstance(item, _End):
                break
            yield item
        if self.failed is not None:
            raise self.failed
