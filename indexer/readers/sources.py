"""Where posts come from: files, folders, standard input; and the way from there to posts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from indexer.readers.jsonl import Offered, read_line
from indexer.readers.lines import DAMAGE, decompressed, read_lines
from indexer.readers.mapping import Move
from indexer.rejects import Rejected
from retrieval.errors import FixableError

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
# Judged queries lie beside posts, and so may rejects: neither are posts.
PASSED_OVER = ("queries*", "*.rejects.jsonl", ".*")
STDIN = "-"
GIVE_POSTS = "give it a .jsonl, .jsonl.gz or .jsonl.zst file with one post a line (docs/posts.md)"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or standard input where `path` is None; `name` is how rejects call it."""

    name: str
    path: Path | None


def find_sources(paths: Sequence[str]) -> list[Source]:
    """The files that paths name, in their order; those of a folder sorted by path. Each file once.

    Raises:
        FixableError: A path does not exist, a folder cannot be listed, or folders are all there is and none holds a
            post file.
    """
    sources: dict[object, Source] = {}
    for given in paths:
        path = Path(given)
        if given == STDIN:
            sources.setdefault(STDIN, Source("stdin", None))
        elif not _exists(path):
            raise FixableError(f"{given} does not exist", "correct the path, or give - to read standard input")
        else:
            for file in _post_files(path) if path.is_dir() else [path]:
                # Named twice, or inside a folder that is named too: one file all the same.
                sources.setdefault(file.resolve(), Source(str(file), file))
    if not sources:
        raise FixableError(
            f"{', '.join(paths)} holds no post file",
            "put files called *.jsonl, *.jsonl.gz or *.jsonl.zst there (queries*.jsonl and hidden files are passed "
            "over), or name a file itself",
        )
    return list(sources.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder above it that may not be entered
        return False


def _post_files(folder: Path) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        raise FixableError(f"{error.filename} cannot be listed: {error.strerror}", "make it readable") from error

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not any(fnmatch(name, pattern) for pattern in PASSED_OVER):
                yield Path(parent, name)


def read_posts(
    sources: Sequence[Source], stdin: BinaryIO, moves: Sequence[Move] = (), ignore_unknown: bool = False
) -> Iterator[Offered | Rejected]:
    """Every post of every source, and every line that is none, in order and in bounded memory.

    Args:
        stdin: Read for the source whose path is None.
        moves: Fields to read from elsewhere in the line.
        ignore_unknown: Pass over fields that posts do not have.

    Raises:
        FixableError: A file cannot be read, or there is not one line in all of them.
    """
    empty: list[Rejected] = []
    lines_seen = 0
    for source in sources:
        before = lines_seen
        for found in _read_source(source, stdin, moves, ignore_unknown):
            lines_seen += 1
            yield found
        if lines_seen == before:
            empty.append(Rejected(source.name, 0, "", "the file is empty", "one post a line"))
    if not lines_seen:
        names = ", ".join(source.name for source in sources[:3]) + (", ..." if len(sources) > 3 else "")
        raise FixableError(f"{names} holds no line", GIVE_POSTS)
    yield from empty


def _read_source(
    source: Source, stdin: BinaryIO, moves: Sequence[Move], ignore_unknown: bool
) -> Iterator[Offered | Rejected]:
    number = 0
    try:
        file = stdin if source.path is None else source.path.open("rb")
        try:
            for line in read_lines(decompressed(file)):
                number = line.number
                found = read_line(line, source.name, moves, ignore_unknown)
                if found is not None:
                    yield found
        finally:
            if source.path is not None:
                file.close()
    except DAMAGE as error:
        problem = (
            "the compressed data ends too early" if isinstance(error, EOFError) else "the compressed data is damaged"
        )
        yield Rejected(source.name, number + 1, "", problem, "a whole file; the lines before this one were read")
    except OSError as error:
        raise FixableError(
            f"{source.name} cannot be read: {error.strerror}", "make it readable, or leave it out"
        ) from error
