"""Follows files and folders: which of them came or changed since they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from indexer.readers.sources import Source, find_sources
from retrieval.errors import FixableError

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was at one moment; another look that is equal means that nothing was written in between."""

    size_bytes: int
    changed_ns: int
    number: int


def changed_sources(paths: Sequence[str], pause: Callable[[], None]) -> Iterator[list[Source]]:
    """The files that paths name, in their order, each again whenever it changed; endless.

    A file is given once it was the same in two looks, so that one that is still being written is not read in the middle
    of a line. Looking is polling: it works on every disk, and a folder that is gone may come back.

    Args:
        pause: Waits between two looks.
    """
    given: dict[Source, FileState] = {}
    before: dict[Source, FileState] = {}
    while True:
        now = {source: state for source in _found(paths) if (state := _state_of(source)) is not None}
        quiet = [source for source, look in now.items() if before.get(source) == look != given.get(source)]
        if quiet:
            given |= {source: now[source] for source in quiet}
            yield quiet
        before = now
        pause()


def _found(paths: Sequence[str]) -> list[Source]:
    found: list[Source] = []
    for path in paths:
        try:
            found += find_sources([path])
        except FixableError:  # an empty folder, or one that is not there now
            continue
    return list(dict.fromkeys(found))


def _state_of(source: Source) -> FileState | None:
    if source.path is None:
        return None
    try:
        state = source.path.stat()
    except OSError:
        return None
    return FileState(state.st_size, state.st_mtime_ns, state.st_ino)
