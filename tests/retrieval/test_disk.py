"""Disk trouble is reported with its remedy."""

import errno
import sqlite3
from pathlib import Path

import pytest

from retrieval.disk import naming_disk_trouble, naming_folder_trouble, refuse_nearly_full
from retrieval.errors import FixableError


@pytest.mark.parametrize(
    ("number", "problem"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "cannot be written"), (errno.EACCES, "be written")],
)
def test_a_disk_that_refuses_is_named_with_its_fix(number: int, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FixableError, match=problem) as raised, naming_disk_trouble(tmp_path):
        raise OSError(number, "the system's words")
    assert str(tmp_path) in raised.value.problem


def test_a_database_without_room_is_a_full_disk(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "any.sqlite")
    database.execute("PRAGMA max_page_count = 2")
    database.execute("CREATE TABLE a (x)")
    with pytest.raises(FixableError, match="is full"), naming_disk_trouble(tmp_path):
        database.execute("CREATE TABLE b (x)")
    database.close()


def test_a_database_that_cannot_be_opened_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="cannot be written"), naming_disk_trouble(tmp_path):
        sqlite3.connect(tmp_path / "nowhere" / "any.sqlite")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("embeddings.sqlite", "delete it: it only saves time"),
        ("journal.sqlite", "restore it"),
        ("runs.sqlite", "delete"),
    ],
)
def test_a_damaged_database_is_named_with_its_own_fix(name: str, fix: str, tmp_path: Path) -> None:
    for whole in {"embeddings.sqlite", "journal.sqlite", "runs.sqlite"} - {name}:
        with sqlite3.connect(tmp_path / whole) as database:
            database.execute("CREATE TABLE a (x)")
        database.close()
    (tmp_path / name).write_bytes(b"not a database" * 100)
    damaged = sqlite3.connect(tmp_path / name)
    with pytest.raises(FixableError, match="is damaged") as raised, naming_disk_trouble(tmp_path):
        damaged.execute("SELECT * FROM a")
    damaged.close()
    assert str(tmp_path / name) in raised.value.problem
    assert raised.value.fix.startswith(fix)


def test_a_bug_stays_a_bug(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), naming_disk_trouble(tmp_path):
        sqlite3.connect(":memory:").execute("SELECT nonsense FROM nowhere")
    with pytest.raises(ConnectionResetError), naming_disk_trouble(tmp_path):
        raise ConnectionResetError(errno.ECONNRESET, "gone")


def test_a_block_that_only_uses_files_reports_any_error_of_theirs(tmp_path: Path) -> None:
    for error in (OSError(errno.EIO, "odd"), sqlite3.OperationalError("odd"), Exception("odd")):
        with pytest.raises(FixableError, match=r"cannot be used: .*odd"), naming_folder_trouble(tmp_path):
            raise error
    with pytest.raises(FixableError, match="is full"), naming_folder_trouble(tmp_path):
        raise Exception("writing a segment failed: No space left on device (os error 28)")  # as Qdrant Edge raises it
    with pytest.raises(KeyError), naming_folder_trouble(tmp_path):
        raise KeyError("a bug")


def test_a_nearly_full_disk_is_refused_before_an_index_is_opened_on_it(tmp_path: Path) -> None:
    refuse_nearly_full(tmp_path, least_bytes=1)
    with pytest.raises(FixableError, match="nearly full"):
        refuse_nearly_full(tmp_path, least_bytes=1 << 62)
    refuse_nearly_full(tmp_path / "missing", least_bytes=1 << 62)  # which whatever uses the folder reports
