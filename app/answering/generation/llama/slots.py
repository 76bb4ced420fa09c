"""Which sequence of the context holds which tokens, and which of them a new prompt goes on from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Cache(Protocol):
    """What keeps the sequences' states; see LlamaContext."""

    @property
    def window(self) -> int: ...

    @property
    def sequences(self) -> int: ...

    @property
    def shares(self) -> bool: ...

    def keep(self, sequence: int, tokens: int) -> None: ...

    def copy(self, source: int, target: int, tokens: int) -> None: ...


@dataclass(slots=True, eq=False)
class Slot:
    """A sequence.

    Attributes:
        number: Of the sequence.
        tokens: Those whose states it holds.
        busy: Whether somebody's reply is being read or written in it.
        used: When it was last of use; larger is later.
        resident: Whether it is the beginning of every prompt of a kind, which goes last.
    """

    number: int
    tokens: list[int] = field(default_factory=list)
    busy: bool = False
    used: int = 0
    resident: bool = False


class Slots:
    """All sequences of a context.

    What was read stays where it is until its place is needed: of the idle ones the least recently used goes first, and
    the resident ones after all others.
    The states are exactly those that reading the prompt anew would give.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._slots = [Slot(number) for number in range(cache.sequences)]
        self._clock = itertools.count(1)

    def held(self, prompt: Sequence[int]) -> int:
        """How many of the prompt's first tokens need not be read."""
        return self._best(prompt)[1]

    def take(self, prompt: Sequence[int]) -> Slot:
        """An idle slot, made busy, that holds as much of the prompt's beginning as any does, but never its last token:
        what follows that one is to be computed.
        """
        best, length = self._best(prompt)
        for one in self._slots:
            if one.tokens and shared(one.tokens, prompt) == len(one.tokens):
                one.used = next(self._clock)  # a beginning that is still asked for
        slot = self._idle(but=best) or self._idle()
        assert slot is not None, "there are more sequences than tasks"
        if slot is best:
            self.cut(slot, length)
        else:
            self._fill(slot, best, length)
        slot.busy = True
        return slot

    def keep_beginning(self, slot: Slot, length: int) -> None:
        """Keep the first tokens of a slot in a slot of their own, if none does and one is idle."""
        beginning = slot.tokens[:length]
        if not length or not self._cache.shares or any(one.tokens == beginning for one in self._slots):
            return
        idle = self._idle(but=slot)
        if idle is not None:
            self._fill(idle, slot, length)
            idle.resident = True

    def release(self, slot: Slot) -> None:
        """Nobody writes in it any more; what it holds is kept for whoever goes on from it."""
        slot.busy, slot.used = False, next(self._clock)
        if not self._cache.shares:
            self.cut(slot, 0)

    def drop_one(self) -> bool:
        """Empty the idle slot that was of no use for longest; False if no idle one holds anything."""
        slot = self._idle(filled=True)
        if slot is not None:
            self.cut(slot, 0)
        return slot is not None

    def cut(self, slot: Slot, length: int) -> None:
        """Keep only so many of a slot's first tokens."""
        if length < len(slot.tokens):
            self._cache.keep(slot.number, length)
            del slot.tokens[length:]
        slot.resident = False

    def _best(self, prompt: Sequence[int]) -> tuple[Slot, int]:
        best = max(self._slots, key=lambda slot: (shared(slot.tokens, prompt), slot.used))
        return best, min(shared(best.tokens, prompt), len(prompt) - 1) if self._cache.shares else 0

    def _fill(self, slot: Slot, source: Slot, length: int) -> None:
        self.cut(slot, 0)
        if length:
            self._cache.copy(source.number, slot.number, length)
        slot.tokens, slot.used = source.tokens[:length], next(self._clock)

    def _idle(self, but: Slot | None = None, *, filled: bool = False) -> Slot | None:
        idle = [slot for slot in self._slots if not slot.busy and slot is not but and (slot.tokens or not filled)]
        return min(idle, key=lambda slot: (bool(slot.tokens), slot.resident, slot.used), default=None)


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first tokens are the same.

    >>> shared([1, 2, 3], [1, 2, 4, 5])
    2
    """
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))
