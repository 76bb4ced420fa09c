"""The posts of one embedded generation, in SQLite: readable by any process while the shard is open in another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from retrieval.store import StoredPost
from retrieval.stores.payload import post_from_json, post_to_json
from retrieval.types import Post

_BATCH = 500


class CatalogWriter:
    """Fills a new catalog. Its bytes are the system's to write: sync the file after `finish`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A catalog that was not finished is thrown away, so until then nothing need reach the disk.
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._connection.execute(
            "CREATE TABLE posts"
            " (id TEXT PRIMARY KEY, content_hash TEXT NOT NULL, passages INTEGER NOT NULL, post BLOB NOT NULL)"
        )

    def put(self, posts: Sequence[tuple[StoredPost, int]]) -> dict[str, int]:
        """Write posts with their number of passages; returns how many passages each replaced one had, by id."""
        replaced: dict[str, int] = dict(_of_ids(self._connection, "passages", [stored.post.id for stored, _ in posts]))
        rows = [(stored.post.id, stored.content_hash, count, post_to_json(stored.post)) for stored, count in posts]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        return replaced

    def finish(self) -> tuple[int, int]:
        """Close it, whole; returns the numbers of posts and passages."""
        posts, passages = self._connection.execute("SELECT count(*), coalesce(sum(passages), 0) FROM posts").fetchone()
        self.close()
        return posts, passages

    def close(self) -> None:
        self._connection.close()


class Catalog:
    """Reads a finished catalog, from any thread and any process.

    Raises:
        OSError: It is not there.
        sqlite3.Error: It is no catalog, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.stat()  # SQLite says of a file that is not there what it says of one that may not be read
        # Immutable: it never changes once finished, and its folder may be read-only.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            self._connection.execute("SELECT id, content_hash, post FROM posts LIMIT 1").fetchall()
        except sqlite3.Error:
            self._connection.close()
            raise

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The posts of these ids; an id that is not there is left out."""
        return {key: post_from_json(data) for key, data in self._select("post", ids)}

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """Content hash by id; an id that is not there is left out."""
        return dict(self._select("content_hash", ids))

    def stored_posts(self) -> Iterator[StoredPost]:
        """Every post, in the order of ids."""
        last = ""
        while True:
            with self._lock:
                rows = self._connection.execute(
                    "SELECT id, content_hash, post FROM posts WHERE id > ? ORDER BY id LIMIT ?", (last, _BATCH)
                ).fetchall()
            for last, content_hash, data in rows:  # noqa: B007  # the last id is where the next batch begins
                yield StoredPost(post_from_json(data), content_hash)
            if len(rows) < _BATCH:
                return

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _select(self, column: str, ids: Sequence[str]) -> list[tuple[str, Any]]:
        with self._lock:
            return _of_ids(self._connection, column, ids)


def _of_ids(connection: sqlite3.Connection, column: str, ids: Sequence[str]) -> list[tuple[str, Any]]:
    """Pairs of id and column; an id that is not there is left out."""
    rows: list[tuple[str, Any]] = []
    for at in range(0, len(ids), _BATCH):
        batch = list(ids[at : at + _BATCH])
        marks = ",".join("?" * len(batch))
        rows += connection.execute(f"SELECT id, {column} FROM posts WHERE id IN ({marks})", batch)  # noqa: S608  # ours
    return rows
