"""Who reads and who writes next: the one owner of llama.cpp's context.

Everything happens in steps, and a step is one batch:

    one token of every reply that is being written, and up to CHUNK tokens of the one prompt that is being read.

Reading is bound by the processor: two prompts side by side would only make both late, so they are read one after the
other, first come, first served. Writing is bound by memory: more replies in a batch cost little more than one, and
beside a chunk that is read they cost next to nothing. Between two steps replies join and leave, and a prompt that needs
a single chunk may overtake a longer one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.answering.generation.llama.context import Decoded, Row
from app.answering.generation.llama.slots import Cache, Slot, Slots
from app.answering.generation.thoughts import Piece

CHUNK = 64
"""Tokens of a prompt read in one step: few enough that who writes meanwhile, and who overtakes, hardly waits."""
_MOST_OVERTAKEN = 4  # by then a prompt has waited for as many chunks of others
_REPEAT_PENALTY, _PENALISED_TOKENS = 1.05, 64


class Context(Cache, Protocol):
    """What a scheduler needs of LlamaContext."""

    def decode(self, rows: Sequence[Row]) -> Decoded: ...

    def logits(self, row: int) -> NDArray[np.float32]: ...

    def abort(self) -> None: ...


class Takes(Protocol):
    """What a scheduler needs of Reply."""

    ended: bool

    def take(self, token: int) -> tuple[Piece, list[int]]: ...


@dataclass(slots=True, eq=False)
class Task:
    """A reply to be written.

    Attributes:
        number: Names it; no two have the same.
        tokens: The prompt's, later with the reply's behind them.
        fixed: How many of the prompt's first tokens do not depend on the question; they are kept for others.
        most: Tokens that prompt and reply may take together.
        said: Gets the pieces, and None after the last one. Called from within a step.
        slot: Where it is read and written; None until the first chunk of its prompt is.
        chosen: The tokens that the model chose.
        overtaken: How many chunks of later prompts were read while it was the first in line.
    """

    number: int
    tokens: list[int]
    fixed: int
    most: int
    reply: Takes
    said: Callable[[Piece | None], None]
    slot: Slot | None = None
    chosen: list[int] = field(default_factory=list)
    overtaken: int = 0

    @property
    def unread(self) -> list[int]:
        return self.tokens[len(self.slot.tokens) :] if self.slot is not None else self.tokens


@dataclass(slots=True)
class Counts:
    """What was done since the beginning.

    Attributes:
        read_tokens, reused_tokens: Of prompts: those that were computed, and those whose states were there.
        read_seconds: Of the steps in which a prompt was read.
        written_tokens: Of replies.
        written_beside: Those of them that were written in a step in which a prompt was read.
        written_seconds: Of the steps in which nothing was read.
        waiting, reading, writing: Tasks now.
        left: Tasks that were given up by their asker.
    """

    read_tokens: int = 0
    reused_tokens: int = 0
    read_seconds: float = 0.0
    written_tokens: int = 0
    written_beside: int = 0
    written_seconds: float = 0.0
    waiting: int = 0
    reading: int = 0
    writing: int = 0
    left: int = 0


class Scheduler:
    """Reads and writes all tasks in the context. `submit` and `leave` may be called from any thread.

    Args:
        most_tasks: Tasks that have a turn at once; the others wait in the order in which they came.
        clock: In seconds.
    """

    def __init__(self, context: Context, most_tasks: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._context, self._most_tasks, self._clock = context, most_tasks, clock
        self._slots = Slots(context)
        self._arrived = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._left: set[int] = set()
        self._running: list[Task] = []
        self._reader: Task | None = None
        self.counts = Counts()

    def submit(self, task: Task) -> None:
        assert task.most <= self._context.window, "a task that never fits would block all behind it"
        with self._arrived:
            self._waiting.append(task)
            self._arrived.notify()

    def leave(self, number: int) -> None:
        """Nobody wants this reply any more. Its slot is free before the next step; a chunk of its prompt that is being
        read is broken off.
        """
        with self._arrived:
            self._left.add(number)
            self._arrived.notify()
            if self._context.shares and self._reader is not None and self._reader.number == number:
                self._context.abort()

    def run(self) -> None:
        """Step for ever; sleep where there is nothing to do."""
        while True:
            while self.step():
                pass
            with self._arrived:
                self._arrived.wait_for(lambda: self._waiting)

    def step(self) -> bool:
        """One batch for everybody; False where nobody wants anything.

        Raises:
            RuntimeError: llama.cpp failed.
        """
        self._come_and_go()
        reader = self._next_reader()
        plan = [(task, task.unread) for task in self._running if task.chosen]
        if reader is not None:
            plan.append((reader, reader.unread[:CHUNK]))
        if not plan:
            return False
        started = self._clock()
        with self._arrived:
            self._reader = reader
        rows = _rows(plan)
        decoded = self._context.decode(rows)
        while decoded is Decoded.FULL:
            assert self._slots.drop_one(), "those that have a turn were let in only because they fit"
            decoded = self._context.decode(rows)
        with self._arrived:
            self._reader = None
        if decoded is Decoded.DONE:
            self._count(plan, reader, self._clock() - started)
            self._take_results(plan)
        return True

    def _come_and_go(self) -> None:
        with self._arrived:
            left, self._left = self._left, set()
            for task in [*self._running, *self._waiting]:
                if task.number in left:
                    self._end(task)
                    self.counts.left += 1
            self._waiting = deque(task for task in self._waiting if task.number not in left)
            while self._waiting and self._fits(self._waiting[0]):
                self._running.append(self._waiting.popleft())
            self._count_tasks()

    def _fits(self, task: Task) -> bool:
        taken = sum(one.most for one in self._running)
        return len(self._running) < self._most_tasks and taken + task.most <= self._context.window

    def _next_reader(self) -> Task | None:
        readers = [task for task in self._running if not task.chosen]
        if not readers:
            return None
        first = readers[0]
        reader = next((task for task in readers if self._unread(task) <= CHUNK), first)
        if first.overtaken >= _MOST_OVERTAKEN:
            reader = first
        if reader is not first:
            first.overtaken += 1
        if reader.slot is None:  # not before: by now the prompt before it may have been read, and begins alike
            reader.slot = self._slots.take(reader.tokens)
            self.counts.reused_tokens += len(reader.slot.tokens)
        return reader

    def _unread(self, task: Task) -> int:
        return len(task.unread) if task.slot is not None else len(task.tokens) - self._slots.held(task.tokens)

    def _take_results(self, plan: Sequence[tuple[Task, list[int]]]) -> None:
        row = -1
        for task, tokens in plan:
            row += len(tokens)
            assert task.slot is not None, "it has a turn"
            task.slot.tokens += tokens
            if task.unread:
                continue
            if not task.chosen:
                self._slots.keep_beginning(task.slot, task.fixed)
            token = _best(self._context.logits(row), task.chosen[-_PENALISED_TOKENS:])
            task.chosen.append(token)
            piece, following = task.reply.take(token)
            task.tokens += following
            if piece.answer or piece.thought:
                task.said(piece)
            if task.reply.ended:
                self._end(task)

    def _end(self, task: Task) -> None:
        if task in self._running:
            self._running.remove(task)
        if task.slot is not None:
            self._slots.release(task.slot)
        self._count_tasks()
        task.said(None)

    def _count_tasks(self) -> None:
        self.counts.waiting = len(self._waiting)
        self.counts.writing = sum(bool(task.chosen) for task in self._running)
        self.counts.reading = len(self._running) - self.counts.writing

    def _count(self, plan: Sequence[tuple[Task, list[int]]], reader: Task | None, seconds: float) -> None:
        counts = self.counts
        written = sum(len(tokens) == len(task.unread) for task, tokens in plan)
        counts.written_tokens += written
        if reader is None:
            counts.written_seconds += seconds
        else:
            counts.read_tokens += len(plan[-1][1])
            counts.read_seconds += seconds
            counts.written_beside += len(plan) - 1


def _rows(plan: Sequence[tuple[Task, list[int]]]) -> list[Row]:
    rows = []
    for task, tokens in plan:
        assert task.slot is not None, "it has a turn"
        at, last = len(task.slot.tokens), len(task.tokens) - 1
        rows += [Row(token, place, task.slot.number, place == last) for place, token in enumerate(tokens, at)]
    return rows


def _best(logits: NDArray[np.float32], chosen: Sequence[int]) -> int:
    """The likeliest token, where those chosen before are a little less likely than they would be."""
    before = list(set(chosen))
    values = logits[before]
    logits[before] = np.where(values > 0, values / _REPEAT_PENALTY, values * _REPEAT_PENALTY)
    return int(logits.argmax())
