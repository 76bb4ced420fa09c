"""Who may sign in to read, in data_dir/readers.sqlite: argon2 hashes of passwords, and the secret of sessions."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, URLSafeTimedSerializer

from retrieval.errors import FixableError
from retrieval.sqlite_file import open_sqlite

Role = Literal["read", "admin"]
EVERYBODY = "*"  # the name under which the community's one password is kept; no account may have it
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1000  # NIST SP 800-63B, 3.1.1.2; the upper bound keeps hashing quick
_LONGEST_NAME = 60
_LOCAL_S = 60  # a command sends its credential at once; both clocks are one
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS readers (
        folded TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, digest TEXT NOT NULL, created_at TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS ended (session TEXT PRIMARY KEY, until REAL NOT NULL);
    """


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in; EVERYBODY for whoever knows the community's password.

    Attributes:
        role: "read", or "admin": also sees the details of failures.
    """

    name: str
    role: Role
    created_at: str


class Readers:
    """The file. Opened for each use, so that a removed account, or a changed password, ends its sessions at once.

    Every method raises sqlite3.Error or OSError if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        return self._path.exists()

    def prepare(self) -> None:
        """Make the file and its secret where they are missing."""
        with closing(self._open()) as database:
            _secret(database)

    def add(self, name: str, password: str, role: Role = "read") -> None:
        """
        Raises:
            FixableError: The name is taken, or it or the password is not valid.
        """
        shown = _valid_name(name)
        row = (shown.casefold(), shown, role, _digest(password), datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            with closing(self._open()) as database, database:
                database.execute("INSERT INTO readers VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise FixableError(
                f"an account named {shown} exists already",
                f"choose another name, or set its password: `stipple readers password {shown}`",
            ) from None

    def set_password(self, name: str, password: str) -> None:
        """Set an account's password, or EVERYBODY's; whoever signed in with the old one is signed out.

        Raises:
            FixableError: No account has this name, or the password is not valid.
        """
        digest, now = _digest(password), datetime.now(UTC).isoformat(timespec="seconds")
        with closing(self._open()) as database, database:
            if name == EVERYBODY:
                database.execute(
                    "INSERT INTO readers VALUES (?, ?, 'read', ?, ?) ON CONFLICT (folded) DO UPDATE SET "
                    "digest = excluded.digest, created_at = excluded.created_at",
                    (EVERYBODY, EVERYBODY, digest, now),
                )
                return
            changed = database.execute("UPDATE readers SET digest = ? WHERE folded = ?", (digest, _folded(name)))
            if changed.rowcount == 0:
                raise _unknown(name)

    def remove(self, name: str) -> None:
        """Delete an account, or EVERYBODY's password; whoever signed in with it is signed out.

        Raises:
            FixableError: No account has this name.
        """
        with closing(self._open()) as database, database:
            if database.execute("DELETE FROM readers WHERE folded = ?", (_folded(name),)).rowcount == 0:
                raise _unknown(name)

    def all(self) -> list[Account]:
        """Every account, by name, EVERYBODY first."""
        if not self._path.exists():
            return []
        with closing(self._open()) as database:
            rows = database.execute("SELECT name, role, created_at FROM readers ORDER BY folded").fetchall()
        return [Account(*row) for row in rows]

    def sign_in(self, name: str, password: str) -> str | None:
        """A session for whoever knows this password; None if it is wrong. An unknown name takes as long as a known one.

        A tenth of a second and 64 MB: never two at once, and in a thread.
        """
        with closing(self._open()) as database:
            row = database.execute("SELECT folded, digest FROM readers WHERE folded = ?", (_folded(name),)).fetchone()
            known = _is_password(row[1] if row else _nobodys_digest(), password)
            if row is None or not known or (row[0] == EVERYBODY) != (name == EVERYBODY):  # full-width ＊ folds to it
                return None
            return _sessions(database).dumps([row[0], _mark(row[1]), secrets.token_hex(16)])

    def signed_in(self, session: str, longest_s: float) -> Account | None:
        """Whose session this is; None where it is not one of ours, too old, ended, or of an account that changed."""
        if not self._path.exists():
            return None
        with closing(self._open()) as database:
            read = _read_session(database, session, longest_s)
            if read is None:
                return None
            folded, mark, number = read
            row = database.execute(
                "SELECT name, role, created_at, digest FROM readers WHERE folded = ? "
                "AND NOT EXISTS (SELECT 1 FROM ended WHERE session = ?)",
                (folded, number),
            ).fetchone()
        return Account(*row[:3]) if row is not None and secrets.compare_digest(_mark(row[3]), mark) else None

    def end(self, session: str, longest_s: float) -> None:
        """End a session, for whoever has a copy of it as well."""
        with closing(self._open()) as database, database:
            read = _read_session(database, session, longest_s)
            if read is not None:
                database.execute("DELETE FROM ended WHERE until < ?", (time.time(),))
                database.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (read[2], time.time() + longest_s))

    def local_credential(self, server: str) -> str:
        """What shows the server of this folder that a command can read it.

        Args:
            server: The token of the running server (app.running_server): no other server takes the credential.
        """
        with closing(self._open()) as database:
            return _local(database).dumps(server)

    def is_local(self, shown: str, server: str) -> bool:
        """Whether a command of this folder made it for this server just now."""
        if not server or not self._path.exists():
            return False
        with closing(self._open()) as database:
            try:
                said = _local(database).loads(shown, max_age=_LOCAL_S)
            except BadSignature:
                return False
        return isinstance(said, str) and secrets.compare_digest(said.encode(), server.encode())

    def _open(self) -> sqlite3.Connection:
        return open_sqlite(self._path, _SCHEMA, private=True, wait_s=5)


def local_headers(data_dir: Path, server: str) -> dict[str, str]:
    """Headers by which the server of a folder recognises a command that can read it; none where there is no need.

    Args:
        server: Its token.
    """
    readers = Readers(data_dir / "readers.sqlite")
    try:
        return {"Authorization": f"Bearer {readers.local_credential(server)}"} if readers.exists() else {}
    except (sqlite3.Error, OSError):  # of another user: the server then says what it needs
        return {}


def _secret(database: sqlite3.Connection) -> str:
    row = database.execute("SELECT value FROM secret").fetchone()
    if row is None:  # of two processes that make one, one wins
        with database:
            database.execute("INSERT OR IGNORE INTO secret VALUES (1, ?)", (secrets.token_urlsafe(32),))
        row = database.execute("SELECT value FROM secret").fetchone()
    return str(row[0])


def _sessions(database: sqlite3.Connection) -> URLSafeTimedSerializer:
    return _serializer(_secret(database), "stipple session")


def _local(database: sqlite3.Connection) -> URLSafeTimedSerializer:
    return _serializer(_secret(database), "stipple command")


def _serializer(secret: str, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})


def _read_session(database: sqlite3.Connection, session: str, longest_s: float) -> tuple[str, str, str] | None:
    try:
        said: Any = _sessions(database).loads(session, max_age=int(longest_s))
    except BadSignature:  # also of one that is too old
        return None
    folded, mark, number = said  # we signed it
    return folded, mark, number


def _digest(password: str) -> str:
    """
    Raises:
        FixableError: The password is too short, or too long.
    """
    normal = unicodedata.normalize("NFKC", password)
    if not SHORTEST_PASSWORD <= len(normal) <= LONGEST_PASSWORD:
        raise FixableError(
            f"the password has {len(normal)} characters", f"choose one of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,}"
        )
    return PasswordHasher().hash(normal.encode("utf-8", "replace"))


def _is_password(digest: str, password: str) -> bool:
    # As NFKC, so that full-width letters of an input method are the letters that were set (NIST SP 800-63B, 3.1.1.2).
    normal = unicodedata.normalize("NFKC", password[: LONGEST_PASSWORD + 1])
    try:
        return PasswordHasher().verify(digest, normal.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_digest() -> str:
    return PasswordHasher().hash(secrets.token_urlsafe(32))


def _mark(digest: str) -> str:
    """Of a password's hash, what a session carries: another password, another mark."""
    return hashlib.sha256(digest.encode()).hexdigest()[:32]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _valid_name(name: str) -> str:
    shown = unicodedata.normalize("NFKC", name).strip()
    if not shown or len(shown) > _LONGEST_NAME or not shown.isprintable() or " " in shown or shown == EVERYBODY:
        raise FixableError(
            f"{name[:80]!r} is not a valid name", f"use 1 to {_LONGEST_NAME} letters or digits, without spaces"
        )
    return shown


def _unknown(name: str) -> FixableError:
    if name == EVERYBODY:
        return FixableError("no community password is set", "`stipple readers password` sets it")
    return FixableError(f"no account is named {name[:80]!r}", "`stipple readers list` shows them")
