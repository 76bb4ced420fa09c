"""What this process wrote lately to a Qdrant cluster, whose nodes may not show it yet. Pure but for the clock.

Each node applies collections, metadata and aliases in its own time, and behind a balancer one read says nothing about
the node that is asked next. So what was written is remembered here and laid over what is read, instead of being read
back. A node is taken to be at most LAG_S behind: what is read that long after a write shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from retrieval.stores.generations import reached_field, reached_from_fields

# Nodes of a cluster in one place are some milliseconds apart; one that is further behind is told of.
LAG_S = 3.0


class RecentWrites:
    """Safe to use from several threads.

    Args:
        lag_s: For so long a write may not be seen.
        clock: Time, in seconds.
    """

    def __init__(self, lag_s: float = LAG_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.lag_s = lag_s
        self._clock, self._lock = clock, Lock()
        self._created: dict[str, float] = {}
        self._dropped: dict[str, float] = {}
        self._metadata: dict[str, tuple[dict[str, Any], float]] = {}
        self._passages: dict[tuple[str, str], tuple[int, float]] = {}
        self._alias: str | None = None
        self._alias_at: float | None = None
        self._aliased_before: set[str | None] = set()
        self._wrote_at: float | None = None

    def wrote(self) -> None:
        """Something was written."""
        self._wrote_at = self._clock()

    def unseen_s(self) -> float:
        """For how long nodes may not show yet what was written last."""
        return 0.0 if self._wrote_at is None else max(0.0, self._wrote_at + self.lag_s - self._clock())

    def created(self, collection: str) -> None:
        with self._lock:
            self._created[collection] = self._clock()
            self._dropped.pop(collection, None)
            self.wrote()

    def dropped(self, collection: str) -> None:
        with self._lock:
            self._dropped[collection] = self._clock()
            self._created.pop(collection, None)
            self._metadata.pop(collection, None)

    def just_dropped(self) -> list[str]:
        """The collections that this process deleted lately: a node may still have them under their names."""
        with self._lock:
            return [one for one, at in self._dropped.items() if self._is_recent(at)]

    def made(self, collection: str) -> bool:
        """Whether this process created it and has not deleted it: a node that does not know it will."""
        return collection in self._created

    def collections(self, read: list[str]) -> list[str]:
        """The collections there are, by what a node lists."""
        with self._lock:
            there = dict.fromkeys(one for one in read if one not in self._dropped)
            return [*there, *(one for one, at in self._created.items() if one not in there and self._is_recent(at))]

    def updated(self, collection: str, metadata: Mapping[str, Any]) -> None:
        with self._lock:
            before, _ = self._metadata.get(collection, ({}, 0.0))
            self._metadata[collection] = (before | dict(metadata), self._clock())
            self.wrote()

    def metadata(self, collection: str, read: Mapping[str, Any]) -> dict[str, Any]:
        """A collection's metadata, by what a node says of it.

        What a node has of a field counts, since somebody else may have written it later; but journal numbers only grow.
        """
        with self._lock:
            written, at = self._metadata.get(collection, ({}, 0.0))
        if not self._is_recent(at):
            return dict(read)
        numbers = (reached_from_fields(written), reached_from_fields(read))
        reached = {key: max(one.get(key, 0) for one in numbers) for key in {**numbers[0], **numbers[1]}}
        return {**written, **read} | (reached_field(reached) if reached else {})

    def put(self, collection: str, passages: Mapping[str, int]) -> None:
        """Posts were written, of so many passages each; 0: deleted."""
        now = self._clock()
        with self._lock:
            for post_id, count in passages.items():
                self._passages.pop((collection, post_id), None)  # so that they stay in the order of their times
                self._passages[collection, post_id] = (count, now)
            for key, (_, at) in list(self._passages.items()):
                if self._is_recent(at):
                    break
                del self._passages[key]
            self.wrote()

    def passages(self, collection: str, post_id: str, read: int) -> int:
        """How many passages a post has, by what a node says; 0 if it is not there."""
        with self._lock:
            count, at = self._passages.get((collection, post_id), (read, 0.0))
            return count if self._is_recent(at) else read

    def switched(self, target: str) -> None:
        with self._lock:
            self._aliased_before.add(self._alias)
            self._alias, self._alias_at = target, self._clock()
            self.wrote()

    def aliased(self, read: str | None, asked_at: float) -> tuple[str | None, bool]:
        """What the alias names, by what a node says, and whether that is not what was read.

        A node that is behind names what was current before. That is believed when nothing newer was read for as long
        as a node may be behind: then it was switched back.

        Args:
            asked_at: When the node was asked.
        """
        with self._lock:
            if self._alias_at is not None and read != self._alias:
                if read in self._aliased_before and asked_at - self._alias_at <= self.lag_s:
                    return self._alias, True
                self._aliased_before.add(self._alias)
            self._alias, self._alias_at = read, self._clock()
            return read, False

    def left(self, collection: str) -> float:
        """For how long nodes may still name this collection, from which this process switched."""
        if self._alias_at is None or collection not in self._aliased_before:
            return 0.0
        return max(0.0, self._alias_at + self.lag_s - self._clock())

    def _is_recent(self, at: float) -> bool:
        return at > 0 and self._clock() - at <= self.lag_s
