"""Write files so that they survive a power cut, and report what the disk refuses together with a remedy."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from retrieval.errors import FixableError

# What Qdrant Edge may write while an index is open: a segment of its log is 32 MB.
LEAST_FREE_BYTES = 64_000_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR}
_SQLITE_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REPAIRS = {
    "embeddings.sqlite": "delete it: it only saves time, and the next run fills it again",
    "journal.sqlite": "restore it from a backup: without it, forgotten posts may come back",
    "readers.sqlite": "restore it from a backup, or delete it and add the readers again with `stipple readers`",
    "keys.sqlite": "restore it from a backup, or delete it and make new keys with `stipple keys add`",
}
_EDGE_NUMBER = re.compile(r"\(os error (\d+)\)")  # how Qdrant Edge words an error of the system
_MAKE_WRITABLE = "make it writable for this user, or set STIPPLE_DATA_DIR to another folder"


def write_durably(path: Path, text: str) -> None:
    """Replace a file so that after a power cut it holds either the old text or the new."""
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def make_private(path: Path) -> None:
    """Create an empty file that only its owner may read, unless it exists.

    An existing file is not even opened: closing it would release every lock that SQLite holds on it in this process,
    and another process could then remove the log that this one writes to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_sparsely(source: Path, target: Path) -> None:
    """Copy a folder without reading holes in its files; shares blocks if the disk can."""
    target.mkdir()
    for entry in sorted(source.iterdir()):
        if entry.is_dir():
            copy_sparsely(entry, target / entry.name)
        else:
            _copy_file(entry, target / entry.name)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        here, there = read.fileno(), written.fileno()
        size = os.fstat(here).st_size
        os.ftruncate(there, size)
        at = 0
        while at < size:
            try:
                at = os.lseek(here, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole follows
                    return
                raise
            end = min(os.lseek(here, at, os.SEEK_HOLE), size)
            while at < end:
                copied = _copy_range(here, there, at, end - at)
                if copied == 0:
                    return  # it was truncated meanwhile
                at += copied


def _copy_range(here: int, there: int, at: int, length: int) -> int:
    try:
        return os.copy_file_range(here, there, length, at, at)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise
        return os.pwrite(there, os.pread(here, min(length, 1 << 20), at), at)


def sync_tree(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def refuse_nearly_full(folder: Path, least_bytes: int = LEAST_FREE_BYTES) -> None:
    """Check that files of a folder may be mapped into memory.

    A page of a sparse file that the disk has no room for ends the process with a signal, in the middle of a search.

    Raises:
        FixableError: Less than `least_bytes` are free.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # reported by whatever uses the folder
        return
    if free < least_bytes:
        raise FixableError(
            f"the disk of {folder} is nearly full: {free / 1e6:.0f} MB are free, and an index is opened with "
            f"{least_bytes / 1e6:.0f} MB",
            "free some space there: `stipple prune` deletes old generations",
        )


@contextmanager
def naming_disk_trouble(folder: Path) -> Iterator[None]:
    """Report a full, read-only, failing or damaged disk under a folder with what an operator can do about it.

    For blocks that also do other work: errors that the disk did not cause pass as they are.

    Raises:
        FixableError: Names the folder.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        trouble = _disk_trouble(folder, error)
        if trouble is None and _sqlite_code(error) in _SQLITE_DAMAGED:
            trouble = _damaged_database(folder, error)
        if trouble is None:
            raise
        raise trouble from error


@contextmanager
def naming_folder_trouble(folder: Path, damaged: str = "reindex into a new STIPPLE_DATA_DIR") -> Iterator[None]:
    """As `naming_disk_trouble`, for blocks that only use a folder's files: any other error of these is reported too.

    Args:
        damaged: What repairs a file that is missing or does not hold what it should.

    Raises:
        FixableError: Names the folder. Bugs pass as they are.
    """
    try:
        yield
    except FixableError:
        raise
    except Exception as error:
        # Qdrant Edge raises bare Exception for everything. Anything more specific is a bug of ours.
        if not isinstance(error, OSError | sqlite3.DatabaseError) and type(error) is not Exception:
            raise
        trouble = _disk_trouble(folder, error)
        if trouble is None:
            fix = _MAKE_WRITABLE if isinstance(error, OSError) and not isinstance(error, FileNotFoundError) else damaged
            trouble = FixableError(f"{folder} cannot be used: {error}", fix)
        raise trouble from error


def _disk_trouble(folder: Path, error: Exception) -> FixableError | None:
    """What the disk refused; None where the error has another cause."""
    number, code = _os_number(error), _sqlite_code(error)
    if number in _FULL or code == sqlite3.SQLITE_FULL:
        fix = "free some space there (a reindex writes a second index beside the first), or set STIPPLE_DATA_DIR"
        return FixableError(f"the disk of {folder} is full", fix)
    if number in _FORBIDDEN or code in _SQLITE_FORBIDDEN:
        # Also where it cannot be read: Qdrant Edge opens its files for writing.
        return FixableError(f"{folder} cannot be written", _MAKE_WRITABLE)
    if code == sqlite3.SQLITE_IOERR:
        return FixableError(f"the disk of {folder} fails: {error}", "check the disk and its free space")
    return None


def _damaged_database(folder: Path, error: Exception) -> FixableError:
    """Name the database of a folder that is damaged: SQLite's error does not say which it was."""
    for path in sorted(folder.glob("*.sqlite")):
        if _is_damaged(path):
            return FixableError(f"{path} is damaged: {error}", _REPAIRS.get(path.name, "delete it"))
    return FixableError(f"a database in {folder} is damaged: {error}", "check the disk, then try again")


def _is_damaged(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as error:
        return _sqlite_code(error) in _SQLITE_DAMAGED


def _os_number(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    found = _EDGE_NUMBER.search(str(error)) if type(error) is Exception else None
    return int(found[1]) if found else None


def _sqlite_code(error: Exception) -> int | None:
    return (
        error.sqlite_errorcode & 0xFF
        if isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorcode")
        else None
    )
