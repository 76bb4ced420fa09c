"""Which row of a table is which post's, in few bytes a post. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.suggest.prefix_index import Numbers


class PostRows:
    """Post ids in the order of their rows: their characters and 16 bytes each."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._text = "".join(ids)
        self._bounds: Numbers = np.cumsum([0, *map(len, ids)]).astype(np.uint32)
        hashes = np.array([hash(one) for one in ids], np.int64)
        self._order: Numbers = np.argsort(hashes, kind="stable").astype(np.uint32)
        self._hashes = hashes[self._order]

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        return (self._id(row) for row in range(len(self)))

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return self._text.__sizeof__() + sum(one.nbytes for one in (self._bounds, self._order, self._hashes))

    def row(self, post_id: str) -> int | None:
        """The row of a post; None where it has none."""
        wanted = hash(post_id)
        at = int(np.searchsorted(self._hashes, wanted))
        while at < len(self._hashes) and self._hashes[at] == wanted:
            row = int(self._order[at])
            if self._id(row) == post_id:
                return row
            at += 1
        return None

    def _id(self, row: int) -> str:
        return self._text[self._bounds[row] : self._bounds[row + 1]]


def values_of(table: tuple[Numbers, Numbers], rows: Numbers | NDArray[np.int64]) -> Numbers:
    """The values of several rows of a table, one after the other.

    Args:
        table: Bounds and values: those of row n stand from bound n to bound n + 1.
    """
    bounds, values = table
    wanted = rows.astype(np.int64)
    first = bounds[wanted].astype(np.int64)
    length = bounds[wanted + 1].astype(np.int64) - first
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    found: Numbers = values[np.repeat(first, length) + within]
    return found
