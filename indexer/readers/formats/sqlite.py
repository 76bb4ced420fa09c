"""Tables of SQLite files, streamed, read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from indexer.readers.formats.lines import LONGEST_LINE
from indexer.readers.formats.parquet import as_plain
from indexer.readers.records import Record, as_json
from indexer.rejects import Rejected
from retrieval.errors import FixableError
from retrieval.sqlite_file import open_read_only

SQLITE_MAGIC = b"SQLite format 3\0"


def sqlite_rows(path: Path, source: str, table: str = "", query: str = "") -> Iterator[Record | Rejected]:
    """Each row as a dict of its columns without nulls.

    The file is opened read-only and as immutable: no lock is taken and no file is created beside it. Changes that are
    only in its `-wal` file are not seen.

    Args:
        table: The table to read; by default the only one, or the one named posts.
        query: A SELECT, instead of a table.

    Raises:
        FixableError: There is no such table, there are several and none was chosen, or the query is invalid.
    """
    database = open_read_only(path, immutable=True)
    database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    row = 0
    try:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * LONGEST_LINE)
        cursor = _selected(database, source, table, query)
        names = [column[0] for column in cursor.description]
        for cells in cursor:
            row += 1
            value = {name: as_plain(cell) for name, cell in zip(names, cells, strict=True) if cell is not None}
            yield Record(row, value, as_json(value))
    except sqlite3.Error as error:
        yield Rejected(
            source, row + 1, "", f"SQLite cannot read on: {error}", "a whole file; the rows before it were read"
        )
    finally:
        database.close()


def _selected(database: sqlite3.Connection, source: str, table: str, query: str) -> sqlite3.Cursor:
    if query:
        try:
            cursor = database.execute(query)
        except sqlite3.Error as error:
            raise FixableError(f"the query over {source} fails: {error}", "correct `query` in the mapping") from error
        if not cursor.description:
            raise FixableError("the `query` of the mapping gives no rows", "write one SELECT")
        return cursor
    rows = database.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
    )
    names = [name for (name,) in rows]
    chosen = table or (names[0] if len(names) == 1 else "posts")
    if chosen not in names:
        listed = ", ".join(names[:20]) or "none"
        problem = f"has no table {table!r}" if table else "has several tables" if names else "has no table"
        raise FixableError(f"{source} {problem}; there is: {listed}", "name one with --table")
    quoted = chosen.replace('"', '""')
    return database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608  # the name is one of its tables, quoted
