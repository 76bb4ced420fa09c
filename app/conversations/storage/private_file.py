"""A database file that only this user may read, and from whose free pages nothing that was deleted can be recovered."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from retrieval.disk import make_private

_OPENING = threading.Lock()  # two connections that set up one new file at a time refuse each other at once


def open_private(path: Path, schema: str) -> sqlite3.Connection:
    """The file, made where it is not there, with mode 0600 from its first byte. For one use, in one thread.

    Opened for each use, so that it can be deleted, and other processes can use it, at any time. With the last
    connection the write-ahead log goes too, and with it what was deleted.

    Args:
        schema: Statements that make the tables where they are not there.

    Raises:
        sqlite3.Error, OSError: It cannot be used: damaged, no file of a database, locked for 5 s, disk full.
    """
    make_private(path)
    with _OPENING:
        connection = sqlite3.connect(path, timeout=5)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(schema)
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def storable(text: str) -> str:
    """The text as a file can hold it: a lone surrogate, which no encoding can write, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
