"""What every search needs of a generation's passages and posts, in memory: places, authors, likes, dates,
languages, and sketches of their words.

Reading it for each hit from the engine's payloads and the catalog took a third of a search
(docs/decisions/0013-columns-in-memory.md). It takes about 160 bytes for a post of one passage. Nothing is displayed
from here: a post's words are read from the catalog, from which it may have been deleted meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.stores.post_summary import PostSummary
from retrieval.text.near_copies import SKETCHED, Sketches, meeting
from retrieval.types import Candidate

_NOWHERE = -1
# Of a million hashes at most eight or nine share their first bits. If more do, they are not hashes.
_CROWDED = 16
_MOST_LATELY = 4_096


class Slice(NamedTuple):
    """Position of a passage: its post, part, start and end."""

    post_id: str
    ordinal: int
    comment: int | None
    start: int
    end: int


class Columns:
    """Built once from a whole generation, as arrays; later changes are kept beside them. Safe to use from several
    threads.

    Args:
        posts: Summaries of all, with their sketches (see near_copies.sketches).
        slices: All passages, by point ID; those of posts that are not given are skipped.
    """

    def __init__(self, posts: Iterable[tuple[PostSummary, bytes]], slices: Iterable[tuple[int, Slice]]) -> None:
        self._lock = Lock()
        self._fresh: dict[str, PostSummary] = {}
        self._fresh_sketches: dict[str, bytes] = {}
        self._fresh_slices: dict[int, Slice] = {}
        self._points_of: dict[str, list[int]] = {}
        self._lately: dict[str, int] = {}  # rows of recently found posts: a search needs them twice more
        summaries, sketched = [], bytearray()
        for summary, sketch in posts:
            summaries.append(summary)
            sketched += sketch
        rows = {one.post_id: row for row, one in enumerate(summaries)}
        names = [one.post_id.encode("utf-8", "surrogatepass") for one in summaries]
        self._names = bytearray(b"".join(names))
        self._bounds = np.cumsum([0, *map(len, names)]).astype(np.uint32)
        self._rows = _Keys(_hashes([one.post_id for one in summaries]))
        self._authors = np.array([one.author for one in summaries], np.int64)
        self._likes = np.array([one.likes for one in summaries], np.int64)
        self._seconds = np.array([np.nan if one.created_s is None else one.created_s for one in summaries], np.float64)
        self._codes = sorted({one.language for one in summaries})
        numbers = {code: number for number, code in enumerate(self._codes)}
        self._languages = np.array([numbers[one.language] for one in summaries], np.uint16)
        self._sketches: Sketches = np.frombuffer(sketched, np.uint16).reshape(len(summaries), SKETCHED)
        self._gone = np.zeros(len(summaries), bool)
        keys, table = [], []
        for number, place in slices:
            row = rows.get(place.post_id)
            if row is not None:
                keys.append(number)
                comment = _NOWHERE if place.comment is None else place.comment
                table.append((row, place.ordinal, comment, place.start, place.end))
        self._points = _Keys(np.array(keys, np.uint64))
        self._table: NDArray[np.int32] = np.array(table, np.int32).reshape(-1, 5)

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = (
            self._bounds, self._authors, self._likes, self._seconds, self._languages, self._sketches, self._gone,
            self._table,
        )  # fmt: skip
        keys = self._rows.size_bytes + self._points.size_bytes
        return len(self._names) + keys + sum(one.nbytes for one in arrays)

    @property
    def fresh(self) -> int:
        """Number of posts beside the arrays, where each takes ten times the memory."""
        return len(self._fresh)

    def candidates(self, points: Sequence[int], cosines: Sequence[float], lexicals: Sequence[float]) -> list[Candidate]:
        """The passages of points with their scores, in the given order, without unknown points and points of deleted
        posts. A search asks for two hundred, so the work is done on arrays.
        """
        found: list[Candidate] = []
        with self._lock:
            fresh, names = self._fresh_slices, self._names
            at = self._points.find(np.array(points, np.uint64))
            columns = [at] * 8
            if len(self._table):
                row = self._table[at, 0]
                at[self._gone[row]] = _NOWHERE
                columns = [at, row, self._bounds[row], self._bounds[row + 1], *self._table[at, 1:].T]
            cells = map(np.ndarray.tolist, columns)
            lately = self._lately = self._lately if len(self._lately) < _MOST_LATELY else {}
            for point, cosine, lexical, where, of_post, first, last, ordinal, comment, start, end in zip(
                points, cosines, lexicals, *cells, strict=True
            ):
                if fresh and point in fresh:
                    found.append(_candidate(fresh[point], cosine, lexical))
                elif where >= 0:
                    post_id = names[first:last].decode("utf-8", "surrogatepass")
                    lately[post_id] = of_post
                    nth = None if comment < 0 else comment
                    found.append(
                        Candidate(
                            post_id, ordinal, "text" if comment < 0 else "comment", nth, start, end, cosine, lexical
                        )
                    )
        return found

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        """Summaries of posts; deleted and unknown ones are left out."""
        with self._lock:
            found: dict[str, PostSummary] = {}
            rows = self._rows_of(ids)
            if len(self._gone):
                columns: tuple[NDArray[Any], ...] = (
                    rows, self._authors[rows], self._likes[rows], self._seconds[rows], self._languages[rows],
                )  # fmt: skip
                for post_id, row, author, likes, created_s, number in zip(
                    ids, *map(np.ndarray.tolist, columns), strict=True
                ):
                    if row >= 0:
                        found[post_id] = PostSummary(
                            post_id, author, likes, None if math.isnan(created_s) else created_s, self._codes[number]
                        )
            if self._fresh:
                found |= {post_id: self._fresh[post_id] for post_id in ids if post_id in self._fresh}
        return found

    def may_be_copies(self, ids: Sequence[str]) -> list[str]:
        """Those of these posts whose sketches meet, in their order; deleted and unknown ones are left out."""
        with self._lock:
            sketched = np.zeros((len(ids), SKETCHED), np.uint16)
            rows = self._rows_of(ids)
            known = rows >= 0
            sketched[known] = self._sketches[rows[known]]
            if self._fresh_sketches:
                for place, post_id in enumerate(ids):
                    if post_id in self._fresh_sketches:
                        sketched[place] = np.frombuffer(self._fresh_sketches[post_id], np.uint16)
        return [ids[place] for place in meeting(sketched)]

    def put(self, summary: PostSummary, points: Mapping[int, Slice], sketch: bytes) -> None:
        """Add or replace a post, with its passages by point ID and its sketch."""
        with self._lock:
            self._drop([summary.post_id])
            self._fresh_sketches[summary.post_id] = sketch
            self._fresh[summary.post_id] = summary
            self._fresh_slices |= points
            self._points_of[summary.post_id] = list(points)

    def recount(self, summary: PostSummary) -> None:
        """Update a post whose passages stay; an unknown one is skipped."""
        with self._lock:
            if summary.post_id in self._fresh:
                self._fresh[summary.post_id] = summary
            row = int(self._rows_of([summary.post_id])[0])
            if row >= 0:
                self._likes[row] = summary.likes

    def drop(self, ids: Sequence[str]) -> None:
        """Remove posts; unknown ones are skipped. Their IDs are overwritten."""
        with self._lock:
            self._drop(ids)

    def _drop(self, ids: Sequence[str]) -> None:
        for row in self._rows_of(ids).tolist():
            if row >= 0:
                first, end = int(self._bounds[row]), int(self._bounds[row + 1])
                self._names[first:end] = bytes(end - first)
                self._gone[row], self._authors[row], self._likes[row], self._seconds[row] = True, 0, 0, np.nan
                self._sketches[row] = 0
        for post_id in ids:
            self._lately.pop(post_id, None)
            if self._fresh.pop(post_id, None) is not None:
                del self._fresh_sketches[post_id]
                for number in self._points_of.pop(post_id):
                    del self._fresh_slices[number]

    def _rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The rows of posts; _NOWHERE for unknown and deleted ones."""
        rows = np.array([self._lately.get(post_id, _NOWHERE) for post_id in ids], np.int64)
        if (rows == _NOWHERE).any():
            rows = self._rows.find(_hashes(ids))
        if len(self._gone):
            rows[self._gone[rows]] = _NOWHERE
        return rows


class _Keys:
    """Distinct 64-bit numbers, with the row of each.

    They are evenly spread hashes, so the first bits of one tell its place in sorted order within a few places: three
    reads of memory, where a binary search among a hundred thousand takes seventeen.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        order = np.argsort(keys)
        self._sorted, self._order = keys[order], order.astype(np.uint32)
        bits = max(len(keys) - 1, 1).bit_length()
        self._shift = np.uint64(64 - bits)
        counts = np.bincount((keys >> self._shift).astype(np.int64), minlength=1 << bits)
        # Where the keys with each first bits begin, and the most that share them.
        self._begins = (np.cumsum(counts) - counts).astype(np.uint32)
        self._most = int(counts.max())

    @property
    def size_bytes(self) -> int:
        return self._sorted.nbytes + self._order.nbytes + self._begins.nbytes

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The row of each key; _NOWHERE if there is none."""
        if not len(self._sorted):
            return np.full(len(keys), _NOWHERE, np.int64)
        last = len(self._sorted) - 1
        if self._most > _CROWDED:
            at = np.minimum(np.searchsorted(self._sorted, keys), last)
        else:
            at = np.minimum(self._begins[(keys >> self._shift).astype(np.int64)].astype(np.int64), last)
            for _ in range(self._most - 1):
                at += (self._sorted[at] < keys) & (at < last)
        return np.where(self._sorted[at] == keys, self._order[at].astype(np.int64), _NOWHERE)


def _candidate(place: Slice, cosine: float, lexical: float) -> Candidate:
    post_id, ordinal, comment, start, end = place
    return Candidate(post_id, ordinal, "text" if comment is None else "comment", comment, start, end, cosine, lexical)


def _hashes(ids: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([hash(post_id) for post_id in ids], np.int64).astype(np.uint64)
