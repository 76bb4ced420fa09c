"""Finds lines by a prefix of the line or of a word in it, best first. Pure.

All lines are in one string, beside the positions where words begin, sorted by the text from there on, so that
everything that begins with a prefix is one range of them; NumPy picks the best of a range. A line costs its characters
(1, 2 or 4 bytes each) and 13 bytes for each of its words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.suggest.phrases import starts

Numbers = NDArray[np.uint32]
Scores = NDArray[np.float32]
Hidden = NDArray[np.bool_]

MOST_SCANNED = 1000  # owners of one word that are examined

_END = "\n"
_AT_ONCE = 12  # characters compared by the first sort, three to a machine word
_LAST = chr(0x10FFFF)


class PrefixIndex:
    """Lines, each with an owner and a score; a line ranks by its owner's score, less `inside` if a later word matches.

    Args:
        lines: Folded text without line ends, positions where words begin in it, and its owner's number.
        scores: Of each owner; higher is better.
        inside: What a match after a line's first word costs.
    """

    def __init__(self, lines: Iterable[tuple[str, Sequence[int], int]], scores: Scores, inside: float = 0.0) -> None:
        texts: list[str] = []
        begins, owners, places, later = [0], list[int](), list[int](), list[bool]()
        for text, words, owner in lines:
            if words:
                places.extend(begins[-1] + word for word in words)
                later.extend(word > words[0] for word in words)
                owners.extend([owner] * len(words))
                texts.append(text + _END)
                begins.append(begins[-1] + len(texts[-1]))
        self._text = "".join(texts)
        self._begins: Numbers = np.array(begins, np.uint32)
        unsorted: Numbers = np.array(places, np.uint32)
        order = _sorted(self._text, unsorted)
        self._places = unsorted[order]
        self._later = np.array(later, bool)[order]
        self._owners: Numbers = np.array(owners, np.uint32)[order]
        self._scores = scores[self._owners] - np.float32(inside) * self._later
        self._scores = self._scores.astype(np.float32)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size_bytes(self) -> int:
        """Memory in bytes."""
        arrays = (self._begins, self._owners, self._places, self._scores, self._later)
        return self._text.__sizeof__() + sum(array.nbytes for array in arrays)

    def stretch(self, prefix: str) -> tuple[int, int]:
        """First and one past the last place, in sorted order, where the text begins with the prefix."""
        text, places, length = self._text, self._places, len(prefix)

        def begins(at: int) -> str:
            place = int(places[at])
            return text[place : place + length]

        every = range(len(places))
        first = bisect_left(every, prefix, key=begins)
        # No character sorts after _LAST, so this is the first place without the prefix.
        return first, bisect_left(every, prefix + _LAST, first, key=begins)

    def best(self, prefix: str, limit: int, hidden: Hidden | None = None) -> list[tuple[int, float]]:
        """The `limit` best owners with the prefix, with their scores, best first, each once.

        Args:
            hidden: Of each owner, whether to skip it.
        """
        first, last = self.stretch(prefix)
        wanted = 2 * limit
        while True:
            picked = self._picked(first, last, wanted)
            found: dict[int, float] = {}
            for owner, score in zip(self._owners[picked], self._scores[picked], strict=True):
                if hidden is None or not hidden[owner]:
                    found.setdefault(int(owner), float(score))
            if len(found) >= limit or len(picked) == last - first:
                return list(found.items())[:limit]
            wanted *= 4

    def owners(self, prefix: str, most: int) -> Numbers:
        """Owners with the prefix, each once, in ascending order; only those of its `most` best places."""
        return np.unique(self._owners[self._picked(*self.stretch(prefix), most)])

    def first_owners(self, prefix: str) -> Numbers:
        """Owners of all lines whose first word begins with the prefix, in any order."""
        first, last = self.stretch(prefix)
        found: Numbers = self._owners[first:last][~self._later[first:last]]
        return found

    def lines(self, numbers: Sequence[int] | Numbers) -> list[str]:
        """Lines by their places among those that have a word."""
        wanted = np.asarray(numbers, np.int64)
        begins, ends = self._begins[wanted].tolist(), (self._begins[wanted + 1] - 1).tolist()
        return [self._text[begin:end] for begin, end in zip(begins, ends, strict=True)]

    def owner_of(self, line: str) -> int | None:
        """The owner of exactly this line."""
        for word in starts(line)[:1]:
            first, last = self.stretch(line[word:] + _END)
            for place, owner in zip(self._places[first:last], self._owners[first:last], strict=True):
                if self.lines([int(np.searchsorted(self._begins, place, side="right")) - 1]) == [line]:
                    return int(owner)
        return None

    def _picked(self, first: int, last: int, most: int) -> NDArray[np.int64]:
        """The `most` best places of a stretch, best first; the earlier one where two are as good."""
        scores = self._scores[first:last]
        picked = np.argpartition(-scores, most)[:most] if most < len(scores) else np.arange(len(scores))
        picked = picked[np.lexsort((picked, -scores[picked]))]
        return np.asarray(picked + first, np.int64)


def _sorted(text: str, places: Numbers) -> NDArray[np.int64]:
    """The order of places by the text from each to its line's end.

    NumPy sorts without blocking other threads, by the first characters alone; Python sorts those that are equal there.
    """
    if len(places) == 0:
        return np.arange(0)
    codes = np.frombuffer((text + _END * _AT_ONCE).encode("utf-32-le"), np.uint32)
    going_on = np.ones(len(places), bool)
    words: list[NDArray[np.uint64]] = []
    for at in range(_AT_ONCE):
        code = codes[places + at]
        going_on &= code != ord(_END)
        if at % 3 == 0:
            words.append(np.zeros(len(places), np.uint64))
        words[-1] = (words[-1] << np.uint64(21)) | np.where(going_on, code, 0).astype(np.uint64)
    order = np.lexsort(words[::-1])
    # Runs of equal beginnings whose lines continue.
    same = np.ones(len(order) - 1, bool)
    for word in words:
        same &= word[order[1:]] == word[order[:-1]]
    same &= going_on[order[1:]]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2] + 1, strict=True):
        run = order[first:last].tolist()
        run.sort(key=lambda number: text[int(places[number]) : text.index(_END, int(places[number]))])
        order[first:last] = run
    return order
