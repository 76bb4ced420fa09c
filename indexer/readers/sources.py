"""Sources of posts (files, folders, standard input), and reading posts from them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Protocol

from indexer.readers.archives import DAMAGED, UNPACK_LIMITS, DecompressionBomb, UnpackLimits
from indexer.readers.exports.recognition import folders_inside
from indexer.readers.formats.jsonl import Offered
from indexer.readers.input_files import input_files, may_hold_posts
from indexer.readers.post_reader import PostReader, Recognised
from indexer.readers.record_reader import DETECTED, ReadOptions
from indexer.rejects import PassedOver, Rejected
from retrieval.errors import FixableError

STDIN = "-"
GIVE_POSTS = "give it a post file or an export (docs/posts.md)"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or standard input if `path` is None; `name` is for messages."""

    name: str
    path: Path | None


class RemoteReader(Protocol):
    """Reads files outside this process."""

    def found_in(self, source: Source) -> Iterator[Offered | Rejected | PassedOver | str] | None:
        """What is in a file, and messages about it (as str); None if this process has to read it.

        Called for each source once, in order; each is read to its end before the next.
        """
        ...


def find_sources(paths: Sequence[str]) -> list[Source]:
    """The files of the paths, in their order, those of a folder sorted by path; each file once.

    Raises:
        FixableError: A path does not exist, or there are only folders and none contains a post file.
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
                # Given twice, or inside a folder that is given too: still one file.
                sources.setdefault(_resolved(file), Source(str(file), file))
    if not sources:
        raise FixableError(
            f"{', '.join(paths)} contains no post file",
            "put files there with endings that docs/posts.md lists (judged queries and hidden files are skipped), or "
            "name a file itself",
        )
    return list(sources.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is too long, or a folder above it may not be entered
        return False


def _post_files(folder: Path) -> Iterator[Path]:
    unlisted: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: unlisted.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        beside = [*files, *folders_inside(Path(parent), Path.is_dir)]
        yield from (Path(parent, name) for name in sorted(files) if may_hold_posts(name, beside))
    # Opening them will report why.
    yield from unlisted


def read_posts(
    sources: Sequence[Source],
    stdin: BinaryIO,
    options: ReadOptions = DETECTED,
    tell: Callable[[str], None] = lambda _: None,
    recognised: Callable[[Recognised], None] = lambda _: None,
    limits: UnpackLimits = UNPACK_LIMITS,
    remote: RemoteReader | None = None,
    passed: Callable[[PassedOver], None] = lambda _: None,
) -> Iterator[Offered | Rejected]:
    """Every post of every source, and a Rejected for everything that should be one, in bounded memory.

    In the order of the sources, but posts that may have comments elsewhere in the input come after all others.

    Args:
        stdin: Read for the source whose path is None.
        tell: Called with messages about files: the encoding, what was skipped.
        recognised: Called with what each file was taken for.
        limits: How much packed files may unpack to.
        remote: Reads what it can instead of this process.
        passed: Called with what was passed over, or could not be read of posts that were.

    Raises:
        FixableError: Nothing can be read, or there are no records at all.
    """
    reader = PostReader(options, tell, recognised, passed)
    empty: list[Rejected] = []
    found_any = False
    try:
        for source in sources:
            count = 0
            there = remote.found_in(source) if remote is not None else None
            here = _read_source(reader, source, stdin, limits, len(sources) == 1, tell) if there is None else there
            for found in here:
                if isinstance(found, str):
                    tell(found)
                    continue
                if isinstance(found, PassedOver):
                    passed(found)
                    continue
                count += 1
                yield found
            found_any = found_any or bool(count) or reader.took_something
            if not count and not reader.took_something:
                empty.append(Rejected(source.name, 0, "", "the file is empty", "one post a line"))
            reader.took_something = False
        if not found_any:
            names = ", ".join(source.name for source in sources[:3]) + (", ..." if len(sources) > 3 else "")
            raise FixableError(f"{names} contains no lines", GIVE_POSTS)
        yield from empty
        yield from reader.rest()
    finally:
        reader.close()


def read_shard(source: Source, options: ReadOptions) -> Iterator[Offered | Rejected | PassedOver | str] | None:
    """What `read_posts` would find in one file of several, and messages about it as str.

    Returns:
        None if the file must be read together with the others, such as an export with comments in other files, if it is
        an archive, or if it cannot be opened.
    """
    if source.path is None or not os.access(source.path, os.R_OK):
        return None
    notes: list[str | PassedOver] = []
    files: list[Recognised] = []
    reader = PostReader(options, notes.append, files.append, notes.append)
    found = _read_source(reader, source, io.BytesIO(), UNPACK_LIMITS, False, notes.append)
    first = list(islice(found, 1))
    inside = (*files, *first)  # members of an archive have other names
    if any(file.platform for file in files) or any(one.source != source.name for one in inside):
        reader.close()
        return None

    def rest() -> Iterator[Offered | Rejected | PassedOver | str]:
        for one in chain(first, found):
            yield from notes
            notes.clear()
            yield one
        yield from notes

    return rest()


def _read_source(
    reader: PostReader, source: Source, stdin: BinaryIO, limits: UnpackLimits, alone: bool, tell: Callable[[str], None]
) -> Iterator[Offered | Rejected]:
    line = 0
    file_name = source.name
    size_bytes = _size_bytes(source.path)
    try:
        for file in input_files(source.name, source.path, stdin, limits):
            file_name, line = file.name, 0
            for found in reader.read(file):
                line = found.line
                yield found
        if _size_bytes(source.path) > size_bytes:
            tell(f"{source.name}: it grew while it was read; the next run reads what was added")
    except FixableError as error:  # such as an SQLite file with several tables: the others can be read
        if alone:
            raise
        yield Rejected(file_name, 0, "", error.problem, error.fix)
    except DecompressionBomb as error:
        expected = f"a file that unpacks to at most {limits.ratio} times its size"
        yield Rejected(
            file_name,
            line + 1,
            "",
            f"it may be a decompression bomb: {error}",
            f"{expected}; what came before was read",
        )
    except DAMAGED as error:
        short = isinstance(error, EOFError) or "end" in str(error).lower()
        problem = "the compressed data ends too early" if short else "the compressed data is damaged"
        expected = "a complete file; the lines before this one were read"
        if isinstance(error, zipfile.BadZipFile) and not line:
            problem, expected = (
                f"the zip file is damaged: {error}",
                "a complete one (its table of contents is at the end)",
            )
        yield Rejected(file_name, line + 1 if line else 0, "", problem, expected)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        if alone and not line:
            raise FixableError(f"{source.name} {problem}", "make it readable, or leave it out") from error
        yield Rejected(file_name, line, "", problem, "a file that this user may read; it was skipped")


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a cycle of links: opening it will report it
        return path


def _size_bytes(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0
