"""Open SQLite files with one set of pragmas.

Deleted rows are overwritten, so that forgotten words do not stay in free pages; foreign keys are enforced. Connections
may be used from any thread, by one at a time.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from retrieval.disk import make_private

_ALWAYS = "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
_WAIT_S = 20.0
_SWITCHING: dict[Path, threading.Lock] = {}  # two connections that switch one new file to a log at a time fail at once


def open_sqlite(
    path: Path,
    schema: str = "",
    *,
    private: bool = False,
    wal: bool = False,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    autocommit: bool = False,
    wait_s: float = _WAIT_S,
) -> sqlite3.Connection:
    """Open a file that survives crashes, and make it where it is missing.

    Args:
        schema: Statements that create the tables where they are missing.
        private: Create the file with mode 0600, and its folder: for people's words and for secrets.
        wal: Switch the file to a write-ahead log: readers and the writer do not wait for each other. False leaves the
            file's mode, which is a rollback journal for a new file.
        synchronous: "NORMAL", with a write-ahead log: a power cut may undo the last transactions, but never damages the
            file. For what can be made again, or is not promised.
        autocommit: Each statement is a transaction, unless the caller executes BEGIN. Otherwise a transaction begins
            before the first change, and `with connection` ends it.
        wait_s: How long to wait for another process's lock. Short where a request waits.

    Raises:
        OSError: The private file cannot be created.
        sqlite3.Error: It cannot be used: damaged, not a database, locked for too long, disk full.
    """
    if private:
        make_private(path)
    journal = "PRAGMA journal_mode = WAL;" if wal else ""
    with _SWITCHING.setdefault(path, threading.Lock()) if wal else nullcontext():
        connection = sqlite3.connect(
            path, timeout=wait_s, isolation_level=None if autocommit else "DEFERRED", check_same_thread=False
        )
        return _prepared(connection, f"{_ALWAYS} {journal} PRAGMA synchronous = {synchronous}; {schema}")


def open_without_journal(path: Path | Literal[""], schema: str) -> sqlite3.Connection:
    """Open a file that nobody reads after a crash, so nothing is paid for surviving one; in autocommit.

    Args:
        path: "" for a file without a name, which is deleted when it is closed; small ones stay in memory.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    return _prepared(connection, f"{_ALWAYS} PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {schema}")


def open_read_only(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """Open a file for reading. Its views and triggers call no unsafe functions, whoever wrote them.

    Args:
        immutable: Nobody changes the file meanwhile: no lock is taken, no file is made beside it, and a `-wal` file is
            not read.

    Raises:
        sqlite3.Error: It is missing, cannot be read, or is not a database; some of these only with the first statement.
    """
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(address, uri=True, timeout=_WAIT_S, check_same_thread=False)
    return _prepared(connection, "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;")


def empty_log(connection: sqlite3.Connection) -> None:
    """Move the write-ahead log into the file and truncate it, so that no deleted words stay in the log."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def compact(connection: sqlite3.Connection) -> None:
    """Rewrite the file without the space that deleted rows left, and empty its log."""
    connection.execute("VACUUM")
    empty_log(connection)


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when another connection, of any process, has changed the file. Takes microseconds."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _prepared(connection: sqlite3.Connection, script: str) -> sqlite3.Connection:
    try:
        connection.executescript(script)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
