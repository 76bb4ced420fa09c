"""Single changes that were accepted, and posts that were forgotten: data_dir/journal.sqlite.

A change is durable here before it is reported as accepted. The process that has the index open follows the journal; a
generation records the last change that it has (`Generation.reached`), so that a new one, and an old one after a
rollback, are brought up to date before anybody reads them. Only the last change of each post is kept.

Of a forgotten post a keyed hash of its id remains, which recognises and blocks copies in old exports: no words, and
once every generation has dropped the post, no id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from retrieval.sqlite_file import compact, data_version, empty_log, open_sqlite
from retrieval.stores.contract import StoredPost
from retrieval.stores.payload import name_key, post_from_json, post_to_json
from retrieval.types import Post

_BATCH = 500
What = Literal["post", "author"]
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT, post_id TEXT NOT NULL UNIQUE, content_hash TEXT, post BLOB
    );
    CREATE TABLE IF NOT EXISTS forgotten (
        what TEXT NOT NULL, digest BLOB NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (what, digest)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS told (keeper TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    """


@dataclass(frozen=True, slots=True)
class Change:
    """One post's last change: the post as it is now, or None if it was forgotten."""

    number: int
    post_id: str
    stored: StoredPost | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One audit entry: that something was forgotten, when and by whom, but not what.

    Attributes:
        digest: Keyed hash of the post's id, or of the author's handle, in hexadecimal.
        by: As "command", or "key NAME".
    """

    what: What
    digest: str
    at: str
    by: str


class Journal:
    """The journal file. Safe to use from several threads and processes at once.

    Raises:
        OSError, sqlite3.Error: The file cannot be used; also raised by every method.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        # Private: it holds posts, and the key of the hashes. FULL: an accepted change survives a power cut.
        self._database = open_sqlite(path, _SCHEMA, private=True, wal=True, synchronous="FULL", autocommit=True)
        with self._transaction():
            new = [("id", secrets.token_hex(8).encode()), ("key", secrets.token_bytes(32))]
            self._database.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?)", new)
        facts = dict(self._database.execute("SELECT name, value FROM facts"))
        self.id: str = facts["id"].decode()
        self._key: bytes = facts["key"]

    def last(self) -> int:
        """The number of the last change; 0 before the first."""
        with self._lock:
            row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
        return row[0] if row else 0

    def put(self, posts: Sequence[StoredPost]) -> int:
        """Accept posts, replacing their earlier changes; durable on return. Returns the last number."""
        with self._transaction():
            for stored in posts:
                row = (stored.post.id, stored.content_hash, post_to_json(stored.post))
                self._database.execute("DELETE FROM changes WHERE post_id = ?", row[:1])
                self._database.execute("INSERT INTO changes (post_id, content_hash, post) VALUES (?, ?, ?)", row)
            return self.last()

    def forget(self, post_ids: Sequence[str], by: str, authors: Sequence[str] = ()) -> int:
        """Forget posts, and block them and everything by these authors. Returns the last number."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [("post", self._digest("post", one), at, by) for one in post_ids]
        rows += [("author", self._digest("author", one), at, by) for one in authors]
        with self._transaction():
            for post_id in post_ids:
                self._database.execute("DELETE FROM changes WHERE post_id = ?", (post_id,))
                self._database.execute("INSERT INTO changes (post_id) VALUES (?)", (post_id,))
            self._database.executemany("INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?, ?)", rows)
            number = self.last()
        self.empty_log()
        return number

    def allow(self, posts: Iterable[Post]) -> None:
        """Unblock posts whose ids or authors were forgotten."""
        with self._transaction():
            for post in posts:
                self._database.execute("DELETE FROM forgotten WHERE digest IN (?, ?)", self._digests(post))

    def kept_out(self, posts: Sequence[Post]) -> set[str]:
        """Ids of the posts that are blocked, because they or their author were forgotten."""
        with self._lock:
            if self._database.execute("SELECT 1 FROM forgotten LIMIT 1").fetchone() is None:
                return set()
            found: set[str] = set()
            for post in posts:
                held = self._database.execute(
                    "SELECT 1 FROM forgotten WHERE what = 'post' AND digest = ?"
                    " UNION ALL SELECT 1 FROM forgotten WHERE what = 'author' AND digest = ?",
                    self._digests(post),
                )
                if held.fetchone() is not None:
                    found.add(post.id)
        return found

    def not_forgotten(self, post_ids: Iterable[str]) -> list[str]:
        """The ids that were not forgotten before, each once."""
        with self._lock:
            return [
                one
                for one in dict.fromkeys(post_ids)
                if self._database.execute(
                    "SELECT 1 FROM forgotten WHERE what = 'post' AND digest = ?", (self._digest("post", one),)
                ).fetchone() is None
            ]  # fmt: skip

    def after(self, number: int, limit: int = _BATCH, until: int | None = None) -> list[Change]:
        """The changes after a number, in order, at most `limit`, none after `until`."""
        with self._lock:
            rows = self._database.execute(
                "SELECT number, post_id, content_hash, post FROM changes WHERE number > ? AND number <= ?"
                " ORDER BY number LIMIT ?",
                (number, 2**62 if until is None else until, limit),
            ).fetchall()
        return [
            Change(number, post_id, None if post is None else StoredPost(post_from_json(post), content_hash))
            for number, post_id, content_hash, post in rows
        ]

    def batches(self, number: int, until: int | None = None) -> Iterator[list[Change]]:
        """All changes after a number, in batches."""
        while changes := self.after(number, until=until):
            yield changes
            number = changes[-1].number

    def pending(self, post_ids: Sequence[str], number: int) -> dict[str, str | None]:
        """Content hash by id of the posts that changed after a number; None if one was forgotten."""
        found: dict[str, str | None] = {}
        for at in range(0, len(post_ids), _BATCH):
            some = list(post_ids[at : at + _BATCH])
            marks = ",".join("?" * len(some))
            with self._lock:
                found |= self._database.execute(
                    f"SELECT post_id, content_hash FROM changes WHERE number > ? AND post_id IN ({marks})",  # noqa: S608  # question marks
                    (number, *some),
                ).fetchall()
        return found

    def trim(self, number: int) -> None:
        """Delete the changes up to a number, which are no longer needed."""
        with self._transaction():
            self._database.execute("DELETE FROM changes WHERE number <= ?", (number,))
        self.empty_log()

    def told(self, target: str) -> int:
        """The number up to which an erasure target was told what to forget; 0 if it never was."""
        with self._lock:
            row = self._database.execute("SELECT number FROM told WHERE keeper = ?", (target,)).fetchone()
        return row[0] if row else 0

    def tell(self, target: str, number: int) -> None:
        """Record that an erasure target has forgotten everything up to this number."""
        with self._transaction():
            self._database.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (target, number))

    def least_told(self) -> int | None:
        """The number up to which every erasure target was told; None if there are none."""
        with self._lock:
            number: int | None = self._database.execute("SELECT min(number) FROM told").fetchone()[0]
        return number

    def forgotten_after(self, number: int) -> tuple[list[str], int]:
        """Ids that were forgotten after a number, and the last number now."""
        with self._lock:
            rows = self._database.execute(
                "SELECT post_id FROM changes WHERE number > ? AND post IS NULL", (number,)
            ).fetchall()
            return [row[0] for row in rows], self.last()

    def audit(self) -> list[Forgotten]:
        """What was forgotten, oldest first."""
        with self._lock:
            rows = self._database.execute("SELECT what, digest, at, who FROM forgotten ORDER BY at, digest").fetchall()
        return [Forgotten(what, digest.hex(), at, by) for what, digest, at, by in rows]

    def version(self) -> int:
        """A number that changes whenever another process has written; cheap."""
        with self._lock:
            return data_version(self._database)

    def empty_log(self) -> None:
        """Leave no deleted posts in SQLite's log file."""
        with self._lock:
            empty_log(self._database)

    def compact(self) -> None:
        """Rewrite the file without the space of deleted rows."""
        with self._lock:
            compact(self._database)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _digests(self, post: Post) -> tuple[bytes, bytes]:
        return self._digest("post", post.id), self._digest("author", post.author)

    def _digest(self, what: What, name: str) -> bytes:
        said = name_key(name) if what == "author" else name
        return hmac.digest(self._key, f"{what}\0{said}".encode(), hashlib.sha256)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
