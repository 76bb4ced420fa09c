"""The posts of one run, kept on disk, not in memory, while they are compared with the stored ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from retrieval.errors import FixableError
from retrieval.sqlite_file import open_without_journal
from retrieval.stores.contract import StoredPost
from retrieval.stores.payload import post_from_json, post_to_json


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Where a post came from: the file as it was given, and the line, from 1."""

    source: str
    line: int


class PendingWork(Enum):
    """What a run has to do with a staged post."""

    NOTHING = 0
    WRITE = 1
    RECOUNT = 2


class StagedPosts:
    """A SQLite file that lives as long as one run; one that an interrupted run left is deleted first.

    Not safe for two runs at once: hold `PostStore.writing()`. One thread at a time may use it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._database = open_without_journal(
            path,
            """
            CREATE TABLE posts (
                place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content_hash TEXT NOT NULL, post BLOB NOT NULL,
                source TEXT NOT NULL, line INTEGER NOT NULL, due INTEGER NOT NULL DEFAULT 0
            );
            BEGIN;
            """,
        )

    def add(self, stored: StoredPost, place: SourceLine) -> SourceLine | None:
        """Add a post; if its id was added before, add nothing and return where the first one came from."""
        # A file name may have bytes that are not text; they are returned unchanged.
        source = place.source.encode("utf-8", "surrogateescape")
        row = (stored.post.id, stored.content_hash, post_to_json(stored.post), source, place.line)
        added = self._database.execute(
            "INSERT OR IGNORE INTO posts (id, content_hash, post, source, line) VALUES (?, ?, ?, ?, ?)", row
        )
        if added.rowcount:
            return None
        first = self._database.execute("SELECT source, line FROM posts WHERE id = ?", (stored.post.id,)).fetchone()
        return SourceLine(first[0].decode("utf-8", "surrogateescape"), first[1])

    def hashes(self, batch: int) -> Iterator[list[tuple[str, str]]]:
        """Pairs of post id and content hash, `batch` at a time, in the order of adding."""
        rows = self._database.execute("SELECT id, content_hash FROM posts ORDER BY place")
        while pairs := rows.fetchmany(batch):
            yield pairs

    def remove(self, ids: Iterable[str]) -> None:
        """Delete these posts; ids that were not added are ignored."""
        self._database.executemany("DELETE FROM posts WHERE id = ?", ((post_id,) for post_id in ids))

    def mark(self, due: PendingWork, ids: Iterable[str]) -> None:
        """Set what has to be done with posts; NOTHING before."""
        self._database.executemany("UPDATE posts SET due = ? WHERE id = ?", ((due.value, post_id) for post_id in ids))

    def posts(self, due: PendingWork | None = None) -> Iterator[StoredPost]:
        """Every post, or those with this work pending, in the order of adding."""
        if due is None:
            rows = self._database.execute("SELECT post, content_hash FROM posts ORDER BY place")
        else:
            wanted = "SELECT post, content_hash FROM posts WHERE due = ? ORDER BY place"
            rows = self._database.execute(wanted, (due.value,))
        for post, content_hash in rows:
            yield StoredPost(post_from_json(post), content_hash)

    def sample(self, most: int, due: PendingWork | None = None) -> list[StoredPost]:
        """At most so many of the posts that `posts` gives, evenly spread over them."""
        work = None if due is None else due.value
        wanted = "SELECT place FROM posts WHERE ?1 IS NULL OR due = ?1 ORDER BY place"
        places = [row[0] for row in self._database.execute(wanted, (work,))]
        read = "SELECT post, content_hash FROM posts WHERE place = ?"
        rows = [
            self._database.execute(read, (place,)).fetchone() for place in places[:: max(1, -(-len(places) // most))]
        ]
        return [StoredPost(post_from_json(post), content_hash) for post, content_hash in rows]

    def without_staged(self, stored: Iterable[StoredPost], batch: int = 500) -> Iterator[StoredPost]:
        """The stored posts whose id was not added here."""
        remaining = iter(stored)
        while some := list(islice(remaining, batch)):
            staged = self._which_of([post.post.id for post in some])
            yield from (post for post in some if post.post.id not in staged)

    def not_staged(self, ids: Iterable[str], batch: int = 500) -> Iterator[list[str]]:
        """The ids that were not added here, in batches."""
        remaining = iter(ids)
        while some := list(islice(remaining, batch)):
            staged = self._which_of(some)
            if left := [post_id for post_id in some if post_id not in staged]:
                yield left

    def _which_of(self, ids: Sequence[str]) -> set[str]:
        marks = ", ".join("?" * len(ids))
        return {row[0] for row in self._database.execute(f"SELECT id FROM posts WHERE id IN ({marks})", ids)}  # noqa: S608  # question marks

    def close(self) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> StagedPosts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_room(folder: Path, needed_bytes: int) -> None:
    """Refuse to go on while there still is room to say so.

    The files of an index are mapped into memory, and a disk that fills up under such a file does not raise: the
    kernel kills the process.

    Raises:
        FixableError: Less is free on the disk of this folder.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise FixableError(
            f"the disk of {folder} has {free_bytes / 1e6:,.0f} MB free, and {needed_bytes / 1e6:,.0f} MB are needed",
            "free space there, or set STIPPLE_DATA_DIR to another disk",
        )
