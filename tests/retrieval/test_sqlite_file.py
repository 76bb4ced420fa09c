"""Every SQLite file is opened with the same pragmas, and with what its contents need besides."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.sqlite_file import compact, data_version, open_read_only, open_sqlite, open_without_journal

TABLE = "CREATE TABLE IF NOT EXISTS words (word TEXT);"


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_deleted_words_are_overwritten_in_every_file_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(open_sqlite(path, TABLE)) as kept, closing(open_without_journal("", TABLE)) as scratch:
        assert [pragma(one, "secure_delete") for one in (kept, scratch)] == [1, 1]
        assert [pragma(one, "foreign_keys") for one in (kept, scratch)] == [1, 1]
        assert [pragma(one, "synchronous") for one in (kept, scratch)] == [2, 0]
        assert [pragma(one, "journal_mode") for one in (kept, scratch)] == ["delete", "off"]


def test_a_private_file_is_for_its_owner_alone_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.sqlite"
    with closing(open_sqlite(path, TABLE, private=True, wal=True, synchronous="NORMAL")) as kept:
        assert (pragma(kept, "journal_mode"), pragma(kept, "synchronous")) == ("wal", 1)
        with kept:
            kept.execute("INSERT INTO words VALUES ('flat white')")
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "a.sqlite-wal" in modes


def test_a_reader_sees_changes_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c.sqlite"
    with (
        closing(open_sqlite(path, TABLE, wal=True, autocommit=True)) as kept,
        closing(open_read_only(path)) as reader,
    ):
        before = data_version(reader)
        kept.execute("INSERT INTO words VALUES ('flat white')")
        assert data_version(reader) != before
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM words")
        kept.execute("DELETE FROM words")
        compact(kept)
        files = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"flat white" not in files


def test_a_file_that_is_no_database_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database " * 1_000)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_sqlite(tmp_path / "a.sqlite", TABLE)
