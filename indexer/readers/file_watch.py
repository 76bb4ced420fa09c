"""Watches files and folders for new and changed files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from indexer.readers.sources import Source, find_sources
from retrieval.errors import FixableError

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class FileState:
    """A file's size, time and inode: two equal ones mean that nothing was written in between."""

    size_bytes: int
    changed_ns: int
    number: int


def changed_sources(paths: Sequence[str], pause: Callable[[], None]) -> Iterator[list[Source]]:
    """Yields the files of the paths, in their order, and each again whenever it changed; never ends.

    A file is yielded once it was the same in two polls, so that one that is still being written is not read in the
    middle of a line. Polling works on every disk, and a folder that is gone may return.

    Args:
        pause: Waits between two polls.
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
        except FixableError:  # an empty folder, or one that is missing now
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
