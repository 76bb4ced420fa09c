"""The posts of one embedded generation, in SQLite: any process can read them while another has the shard open.

A finished catalog still changes: with every change of its generation, and when a post is wiped. It has a write-ahead
log, so that readers never wait, and deleted data is overwritten.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.sqlite_file import data_version, open_read_only, open_sqlite
from retrieval.stores.contract import StoredPost
from retrieval.stores.payload import post_from_json
from retrieval.types import Post

_BATCH = 500
TABLES = """
    CREATE TABLE IF NOT EXISTS posts (
        id TEXT PRIMARY KEY, content_hash TEXT NOT NULL, passages INTEGER NOT NULL, post BLOB NOT NULL,
        sketch BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS unsettled (id TEXT PRIMARY KEY, passages INTEGER NOT NULL);
    """


@dataclass(frozen=True, slots=True)
class CatalogState:
    """How much a catalog contains, and whether the shard beside it may differ.

    Attributes:
        settled: False from a change until the shard has written it to its files.
    """

    posts: int
    passages: int
    settled: bool


class Catalog:
    """Reads a finished catalog, from any thread and any process.

    Raises:
        OSError: It is missing.
        sqlite3.Error: It is not a catalog, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.stat()  # SQLite gives the same error for a missing file as for an unreadable one
        try:
            self._connection = _reading(path)
        except sqlite3.OperationalError:
            # In a read-only folder no index of the log can be created; without a log none is needed.
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise
            self._connection = _reading(path, immutable=True)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The posts with these IDs; an ID that is not there is left out."""
        return {key: post_from_json(data) for key, data in self._select("post", ids)}

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """Content hash by ID; an ID that is not there is left out."""
        return dict(self._select("content_hash", ids))

    def stored(self, ids: Sequence[str]) -> dict[str, tuple[StoredPost, int]]:
        """Posts with their numbers of passages, by ID; an ID that is not there is left out."""
        hashes, passages = self.hashes(ids), dict(self._select("passages", ids))
        found = self.posts(list(hashes))
        return {key: (StoredPost(post, hashes[key]), passages[key]) for key, post in found.items()}

    def state(self) -> CatalogState:
        with self._lock:
            facts = dict(self._connection.execute("SELECT name, value FROM facts"))
            unsettled = self._connection.execute("SELECT 1 FROM unsettled LIMIT 1").fetchone()
        return CatalogState(facts["posts"], facts["passages"], unsettled is None)

    def reached(self) -> dict[str, int]:
        """By journal, the number of its last settled change."""
        with self._lock:
            return reached_numbers(self._connection)

    def stored_posts(self) -> Iterator[StoredPost]:
        """Every post, in the order of IDs."""
        for _, content_hash, data in self._rows("id, content_hash, post", _BATCH):
            yield StoredPost(post_from_json(data), content_hash)

    def sketched_posts(self) -> Iterator[tuple[Post, bytes]]:
        """Every post, in the order of IDs, with its sketch (see near_copies.sketches)."""
        for _, data, sketch in self._rows("id, post, sketch", _BATCH):
            yield post_from_json(data), sketch

    def version(self) -> int:
        """Changes when another connection, of any process, has changed the catalog. Takes microseconds."""
        with self._lock:
            return data_version(self._connection)

    def stored_ids(self) -> Iterator[str]:
        """Every post ID, in order."""
        return (row[0] for row in self._rows("id", 20 * _BATCH))

    def copy_to(self, path: Path) -> None:
        """Write a copy of the catalog as it is now."""
        with closing(open_sqlite(path)) as copy, self._lock:
            self._connection.backup(copy)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _rows(self, columns: str, at_once: int) -> Iterator[tuple[Any, ...]]:
        """These columns of every post, the first of them the ID, in the order of IDs."""
        last = ""
        while True:
            with self._lock:
                query = f"SELECT {columns} FROM posts WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608  # ours
                rows = self._connection.execute(query, (last, at_once)).fetchall()
            yield from rows
            if len(rows) < at_once:
                return
            last = rows[-1][0]

    def _select(self, column: str, ids: Sequence[str]) -> list[tuple[str, Any]]:
        with self._lock:
            return of_ids(self._connection, column, ids)


def _reading(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    connection = open_read_only(path, immutable=immutable)
    try:
        connection.execute("SELECT id, content_hash, post FROM posts LIMIT 1").fetchall()
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
            _complete(path)
        connection.execute("SELECT value FROM facts WHERE name = 'posts'").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _complete(path: Path) -> None:
    """Add the tables that a catalog of schema 2 lacks: a reindex into the current schema reads its posts from it."""
    with closing(open_sqlite(path)) as connection, connection:
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES}")
        counted = (
            "SELECT 'posts', count(*) FROM posts UNION ALL SELECT 'passages', coalesce(sum(passages), 0) FROM posts"
        )
        connection.execute(f"INSERT OR IGNORE INTO facts {counted}")


def reached_numbers(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute("SELECT name, value FROM facts WHERE name LIKE 'journal:%'")
    return {name.removeprefix("journal:"): value for name, value in rows}


def of_ids(
    connection: sqlite3.Connection, column: str, ids: Sequence[str], table: str = "posts"
) -> list[tuple[str, Any]]:
    """Pairs of ID and column; an ID that is not there is left out."""
    rows: list[tuple[str, Any]] = []
    for at in range(0, len(ids), _BATCH):
        batch = list(ids[at : at + _BATCH])
        marks = ",".join("?" * len(batch))
        rows += connection.execute(f"SELECT id, {column} FROM {table} WHERE id IN ({marks})", batch)  # noqa: S608  # ours
    return rows
