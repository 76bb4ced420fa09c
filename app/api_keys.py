"""Keys to the API, in data_dir/keys.sqlite. A key is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from retrieval.errors import FixableError
from retrieval.sqlite_file import open_sqlite

Right = Literal["read", "write", "admin"]  # each may also do what those before it may
_RIGHTS = get_args(Right)
NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_PREFIX = "stipple"
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS keys (
        name TEXT PRIMARY KEY, access TEXT NOT NULL, digest BLOB NOT NULL, created_at TEXT NOT NULL,
        last_used TEXT NOT NULL DEFAULT ''
    );
    """


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without its secret.

    Attributes:
        right: "read": search and read, if that needs a key. "write": also put and delete posts. "admin": also see the
            details of failures.
        last_used: Day; "" if it was never used.
    """

    name: str
    right: Right
    created_at: str
    last_used: str

    def allows(self, needed: Right) -> bool:
        return _RIGHTS.index(self.right) >= _RIGHTS.index(needed)


class Keys:
    """The file. Opened for each use, so that a revoked key stops working at once.

    Every method raises sqlite3.Error or OSError if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, right: Right) -> str:
        """Make a key and return it: it cannot be shown again.

        Raises:
            FixableError: The name is taken, or not valid.
        """
        if not NAME.fullmatch(name):
            raise FixableError(f"{name[:80]!r} is not a valid key name", "use 1 to 60 of A-Z a-z 0-9 _ . -")
        # 256 random bits cannot be guessed, so that a fast hash protects them as well as a slow one.
        secret = secrets.token_urlsafe(32)
        row = (name, right, _digest(secret), datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            with closing(self._open()) as database, database:
                database.execute("INSERT INTO keys (name, access, digest, created_at) VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise FixableError(
                f"a key named {name} exists already", f"choose another name, or `stipple keys revoke {name}` first"
            ) from None
        return f"{_PREFIX}.{name}.{secret}"

    def all(self) -> list[Key]:
        """Every key, by name."""
        if not self._path.exists():
            return []
        with closing(self._open()) as database:
            rows = database.execute("SELECT name, access, created_at, last_used FROM keys ORDER BY name").fetchall()
        return [Key(*row) for row in rows]

    def revoke(self, name: str) -> None:
        """
        Raises:
            FixableError: No key has this name.
        """
        with closing(self._open()) as database, database:
            if database.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount == 0:
                raise FixableError(f"no key is named {name[:80]!r}", "`stipple keys list` shows them")

    def find(self, shown: str) -> Key | None:
        """The key that a request carries; None if it is not valid. Takes the same time however wrong it is."""
        prefix, _, rest = shown.partition(".")
        name, _, secret = rest.rpartition(".")
        if prefix != _PREFIX or not self._path.exists():
            return None
        with closing(self._open()) as database:
            row = database.execute(
                "SELECT name, access, created_at, last_used, digest FROM keys WHERE name = ?", (name,)
            ).fetchone()
            if not hmac.compare_digest(row[4] if row else bytes(32), _digest(secret)) or row is None:
                return None
            today = datetime.now(UTC).date().isoformat()
            if row[3] != today:
                with suppress(sqlite3.Error):  # a full disk refuses no key
                    database.execute("UPDATE keys SET last_used = ? WHERE name = ?", (today, name))
                    database.commit()
        return Key(*row[:4])

    def _open(self) -> sqlite3.Connection:
        return open_sqlite(self._path, _SCHEMA, private=True, wait_s=5)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
