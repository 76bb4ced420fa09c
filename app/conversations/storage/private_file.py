"""A database file that only this user may read, and from whose free pages nothing that was deleted can be recovered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from retrieval.sqlite_file import open_sqlite


def open_private(path: Path, schema: str) -> sqlite3.Connection:
    """The file, created with mode 0600 if it does not exist. For one use.

    Opened for each use, so that it can be deleted, and other processes can use it, at any time. With the last
    connection the write-ahead log goes too, and with it what was deleted.

    Args:
        schema: Statements that create the tables if they do not exist.

    Raises:
        sqlite3.Error, OSError: It cannot be used: damaged, not a database, locked for 5 s, disk full.
    """
    return open_sqlite(path, schema, private=True, wal=True, synchronous="NORMAL", wait_s=5)


def storable(text: str) -> str:
    """The text as a file can hold it: a lone surrogate, which no encoding can write, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
