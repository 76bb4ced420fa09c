"""Computed vectors, kept on disk by the text that was embedded, so that no run embeds the same text again.

They are stored as 16-bit floats: half the disk, and on 1,500 vectors of all-MiniLM-L6-v2 the lowest cosine between what
went in and what comes out is 0.9999998.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from retrieval.errors import FixableError
from retrieval.sqlite_file import empty_log, open_sqlite
from retrieval.types import Identity, Vectors

Key = bytes

_VERSION = 1
_WAIT_S = 60.0  # another process may be writing: a server that ingests posts during a reindex
_AT_ONCE = 500  # question marks in one statement


class EmbeddingCache:
    """The vectors of one embedder, in a SQLite file that embedders share.

    It also records which post needs which vector, so that a post can be forgotten completely. Safe to use from several
    threads.
    """

    def __init__(self, path: Path, identity: Identity) -> None:
        self._path, self._identity = path, identity
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = open_sqlite(path, wal=True, synchronous="NORMAL", autocommit=True, wait_s=_WAIT_S)
            try:
                self._prepare()
            except (sqlite3.Error, FixableError):
                self._database.close()
                raise
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
                raise self._unusable("is damaged") from error
            raise

    def _prepare(self) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, _VERSION}:
            raise self._unusable(f"was written by another version of Stipple (its format is {version}, not {_VERSION})")
        self._database.executescript(
            f"""
            PRAGMA user_version = {_VERSION};
            CREATE TABLE IF NOT EXISTS models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS uses (
                post_id TEXT NOT NULL, model INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (post_id, model, key)
            ) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS uses_by_key ON uses (key);
            """
        )
        name = f"{self._identity.model}/{self._identity.dimension}"
        self._database.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (name,))
        self._model = self._database.execute("SELECT id FROM models WHERE name = ?", (name,)).fetchone()[0]

    def _unusable(self, why: str) -> FixableError:
        return FixableError(
            f"{self._path} {why}", f"delete {self._path}: it is only a cache, the next run fills it again"
        )

    def key(self, text: str) -> Key:
        """16 bytes that identify a text and the model that embeds it."""
        return hashlib.blake2b(f"{self._identity.model}\0{text}".encode(), digest_size=16).digest()

    def get(self, keys: Iterable[Key]) -> dict[Key, Vectors]:
        """The cached vectors by key, (dimension,) float32 of L2 norm 1; missing ones are left out."""
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Vectors] = {}
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            with self._lock:
                rows = self._database.execute(
                    f"SELECT key, vector FROM vectors WHERE key IN ({marks})",  # noqa: S608  # question marks
                    some,
                ).fetchall()
            found |= {key: _unpack(blob) for key, blob in rows if len(blob) == 2 * self._identity.dimension}
        return found

    def put(self, keys: Sequence[Key], vectors: Vectors) -> dict[Key, Vectors]:
        """Store vectors durably, and return them as `get` will: a passage has one vector, whichever run computed it.

        Args:
            vectors: (len(keys), dimension) float32, each row of L2 norm 1.
        """
        blobs = {key: vector.astype(np.float16).tobytes() for key, vector in zip(keys, vectors, strict=True)}
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", blobs.items())
            self._database.execute("COMMIT")
        return {key: _unpack(blob) for key, blob in blobs.items()}

    def record(self, keys_by_post: Mapping[str, Iterable[Key]]) -> None:
        """Record which vectors each post needs now, and delete those that only it needed before.

        Call it before `put`: a run that is killed between the two then leaves no vector without a post.
        """
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            for post_id, keys in keys_by_post.items():
                needed = set(keys)
                rows = self._database.execute(
                    "SELECT key FROM uses WHERE post_id = ? AND model = ?", (post_id, self._model)
                )
                before = {row[0] for row in rows}
                if gone := before - needed:
                    self._release((post_id, self._model, key) for key in gone)
                new = [(post_id, self._model, key) for key in needed - before]
                self._database.executemany("INSERT INTO uses (post_id, model, key) VALUES (?, ?, ?)", new)
            self._database.execute("COMMIT")

    def forget(self, post_ids: Iterable[str]) -> None:
        """Delete every vector, of any model, that only these posts need."""
        with self._lock:
            _forget(self._database, post_ids)

    def _release(self, uses: Iterable[tuple[str, int, Key]]) -> None:
        _release(self._database, uses)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def forget_embeddings(path: Path, post_ids: Iterable[str]) -> None:
    """Delete from the file, if it exists, every vector of any model that only these posts need."""
    if not path.exists():
        return
    with closing(open_sqlite(path, autocommit=True, wait_s=_WAIT_S)) as database:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'uses'").fetchone():
            _forget(database, post_ids)
            empty_log(database)


def _forget(database: sqlite3.Connection, post_ids: Iterable[str]) -> None:
    database.execute("BEGIN IMMEDIATE")
    for post_id in post_ids:
        rows = database.execute("SELECT post_id, model, key FROM uses WHERE post_id = ?", (post_id,))
        _release(database, rows.fetchall())
    database.execute("COMMIT")


def _release(database: sqlite3.Connection, uses: Iterable[tuple[str, int, Key]]) -> None:
    for post_id, model, key in uses:
        database.execute("DELETE FROM uses WHERE post_id = ? AND model = ? AND key = ?", (post_id, model, key))
        database.execute(
            "DELETE FROM vectors WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM uses WHERE key = ?1)", (key,)
        )


def _unpack(blob: bytes) -> Vectors:
    vector: Vectors = np.frombuffer(blob, np.float16).astype(np.float32)
    vector /= max(float(np.linalg.norm(vector)), 1e-12)
    return vector
