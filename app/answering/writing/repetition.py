"""Notices a model that repeats itself, while it is writing. Pure."""

from __future__ import annotations

# A sentence may be repeated once, and a row of dashes is fine; nobody says anything four times in a row.
_TIMES = 4
_SHORTEST_RUN, _LONGEST_UNIT = 80, 200
_LOOK_EVERY = 16  # code points; looking costs about 0.1 ms


class RepetitionGuard:
    """Takes a reply piece by piece, and tells when it ends in a unit (1 to 200 code points) at least four times over.

    The run must be 80 code points long or more, so that "ha ha ha" and a table's rule pass.
    """

    def __init__(self) -> None:
        self._tail, self._unseen = "", 0

    def repeats(self, piece: str) -> bool:
        """Whether the reply, with this piece, ends in a repetition."""
        self._tail = (self._tail + piece)[-_TIMES * _LONGEST_UNIT :]
        self._unseen += len(piece)
        if self._unseen < _LOOK_EVERY:
            return False
        self._unseen = 0
        return any(self._ends_in_run(size) for size in range(1, _LONGEST_UNIT + 1))

    def _ends_in_run(self, size: int) -> bool:
        run = max(_SHORTEST_RUN, _TIMES * size)
        tail = self._tail[-run:]
        return len(tail) == run and tail[size:] == tail[:-size]
