"""Files that survive a power cut, and a disk that refuses said in words that help."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retrieval.errors import FixableError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_SQLITE_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
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
    """Make an empty file that its owner alone may read, unless it is there.

    One that is there is not even opened: closing it would let go of every lock that SQLite holds on it in this process,
    and another process could then take away the log that this one writes to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's list of names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_sparsely(source: Path, target: Path) -> None:
    """Copy a folder; the copy is made without reading the holes of its files, and where the disk can, shares blocks."""
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
                if error.errno == errno.ENXIO:  # nothing but a hole follows
                    return
                raise
            end = min(os.lseek(here, at, os.SEEK_HOLE), size)
            while at < end:
                copied = _copy_range(here, there, at, end - at)
                if copied == 0:
                    return  # it was cut while it was read
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


@contextmanager
def naming_disk_trouble(folder: Path, damaged: str = "reindex into a new STIPPLE_DATA_DIR") -> Iterator[None]:
    """Turn what the disk under a folder refuses into what an operator can mend.

    Args:
        damaged: What mends a file that is there and holds what it should not.

    Raises:
        FixableError: Names the folder. Bugs pass as they are.
    """
    try:
        yield
    except FixableError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise _full(folder) from error
        if error.errno in _FORBIDDEN:
            raise _forbidden(folder) from error
        fix = damaged if isinstance(error, FileNotFoundError) else _MAKE_WRITABLE
        raise FixableError(f"{folder} cannot be used: {error}", fix) from error
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise _full(folder) from error
        if code in _SQLITE_FORBIDDEN:
            raise _forbidden(folder) from error
        if code == sqlite3.SQLITE_IOERR:
            raise FixableError(f"the disk of {folder} fails: {error}", "look at the disk and its free space") from error
        raise FixableError(f"{folder} cannot be used: {error}", damaged) from error
    except sqlite3.DatabaseError as error:
        raise FixableError(f"{folder} cannot be used: {error}", damaged) from error
    except Exception as error:
        # Qdrant Edge raises bare Exception for all that goes wrong. Anything more specific is a bug of ours.
        if type(error) is not Exception:
            raise
        said = str(error)
        if any(f"(os error {number})" in said for number in _FULL):
            raise _full(folder) from error
        if any(f"(os error {number})" in said for number in _FORBIDDEN):
            raise _forbidden(folder) from error
        raise FixableError(f"{folder} cannot be used: {said}", damaged) from error


def _full(folder: Path) -> FixableError:
    fix = "free some space (a reindex writes a second index beside the first), or set STIPPLE_DATA_DIR"
    return FixableError(f"the disk of {folder} is full", fix)


def _forbidden(folder: Path) -> FixableError:
    # Also to read: Qdrant Edge opens its files for writing.
    return FixableError(f"{folder} cannot be written", _MAKE_WRITABLE)
