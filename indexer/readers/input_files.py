"""The files to read in a source: the file itself, or the members of an archive."""

from __future__ import annotations

import io
import os
import posixpath
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from indexer.readers.archives import (
    EMPTY_ZIP_MAGIC,
    UNPACK_LIMITS,
    ZIP_MAGIC,
    CountedStream,
    UnpackLimits,
    is_tar,
    tar_members,
    unpacked,
)
from indexer.readers.exports.recognition import BESIDE_POSTS, folders_inside, holds_no_posts
from indexer.readers.formats.detect import ENDINGS, ending
from indexer.readers.formats.lines import with_head

# Judged queries, questions and dialogues, and perhaps rejects, are in folders of posts, but are not posts.
IGNORED = ("queries*", "questions.*.jsonl", "dialogues.*.jsonl", "*.rejects.jsonl", ".*", "__MACOSX*")
_SCRIPTS = re.compile(r"(?:(?:tweets?|community-tweets?)(?:-part\d+)?|\d{4}_\d{2})\.js")
_NOTES = re.compile(r"note-tweets?(?:-part\d+)?\.js")
BESIDE_BYTES = 64 << 20
HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    Attributes:
        name: For messages; a member of an archive is "archive.zip/outbox.json".
        head: Its first 64 KiB, unpacked.
        stream: All of it, unpacked.
        path: Where it is on disk; None if it was packed or comes from a pipe.
        beside: The first 64 MiB of another file in its folder, or in the one above it ("../a.json"); None if that does
            not exist.
    """

    name: str
    head: bytes
    stream: BinaryIO
    path: Path | None
    beside: Callable[[str], bytes | None]


def may_hold_posts(name: str, beside: Sequence[str]) -> bool:
    """Whether to read a file that was found in a folder, by its name and the other files there."""
    if any(fnmatch(name, pattern) for pattern in IGNORED) or holds_no_posts(name, beside):
        return False
    if ending(name) == ".js":
        # A long text belongs to its tweet, which the reader of tweets.js finds.
        alone = not any(_SCRIPTS.fullmatch(other) for other in beside)
        return bool(_SCRIPTS.fullmatch(name)) or (alone and bool(_NOTES.fullmatch(name)))
    if ending(name) == ".json" and name in {"package.json", "manifest.json", "tsconfig.json"}:
        return False
    return ending(name) in ENDINGS or name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".zst"))


def input_files(
    name: str, path: Path | None, stdin: BinaryIO, limits: UnpackLimits = UNPACK_LIMITS
) -> Iterator[InputFile]:
    """The files in a file, or in standard input if `path` is None. Read each before the next.

    Raises:
        OSError: It cannot be read. One of archives.DAMAGED: The archive is damaged. DecompressionBomb: It may be one.
    """
    with _opened(path, stdin) as file:
        size = os.fstat(file.fileno()).st_size if path is not None and path.is_file() else None
        counted = CountedStream(file, size)
        head, whole = with_head(io.BufferedReader(counted, 1 << 16), HEAD_BYTES)
        if head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
            with _seekable(file, whole, path) as zipped:
                yield from _zip_members(name, zipped, limits)
            return
        limited = unpacked(whole, counted, limits)
        inside, stream = with_head(io.BufferedReader(limited, 1 << 16), HEAD_BYTES)
        if is_tar(inside):
            yield from _tar_members(name, stream)
        else:
            yield InputFile(name, inside, stream, path if inside == head else None, _beside(path))


@contextmanager
def _opened(path: Path | None, stdin: BinaryIO) -> Iterator[BinaryIO]:
    if path is None:
        yield stdin
        return
    with path.open("rb") as file:
        yield file


@contextmanager
def _seekable(file: BinaryIO, whole: BinaryIO, path: Path | None) -> Iterator[BinaryIO]:
    """A seekable file: the index of a zip file is at its end, so a pipe is copied to disk first."""
    if path is not None:
        file.seek(0)
        yield file
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(whole, kept)
        kept.seek(0)
        yield kept


def _zip_members(name: str, file: BinaryIO, limits: UnpackLimits) -> Iterator[InputFile]:
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        if any(info.flag_bits & 1 for info in archive.infolist()):
            raise zipfile.BadZipFile("it is encrypted; unpack it first")
        names = [info.filename for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)]
        folders: dict[str, list[str]] = {}
        for one in names:
            folders.setdefault(str(PurePosixPath(one).parent), []).append(PurePosixPath(one).name)
        for folder in list(folders):
            folders[folder] += folders_inside(PurePosixPath(folder), lambda inside: str(inside) in folders)

        def wanted(inner: PurePosixPath) -> bool:
            return may_hold_posts(inner.name, folders[str(inner.parent)]) and not inner.name.lower().endswith(".zip")

        unpacked_bytes = 0
        for inner in sorted(filter(wanted, map(PurePosixPath, dict.fromkeys(names)))):

            def beside(other: str, folder: PurePosixPath = inner.parent) -> bytes | None:
                wanted_name = posixpath.normpath(folder / other)
                if wanted_name not in names:
                    return None
                with archive.open(wanted_name) as found:
                    return found.read(BESIDE_BYTES)

            with archive.open(str(inner)) as member:
                # The limits apply to all members together: those of a bomb may overlap.
                limited = unpacked(member, size, limits, before=unpacked_bytes)  # type: ignore[arg-type]  # reads like one
                head, stream = with_head(io.BufferedReader(limited, 1 << 16), HEAD_BYTES)
                yield InputFile(f"{name}/{inner}", head, stream, None, beside)
                unpacked_bytes = limited.count


def _tar_members(name: str, stream: BinaryIO) -> Iterator[InputFile]:
    for member in tar_members(stream):
        inner = PurePosixPath(member.name)
        # A tar stream is read once: what else is in a file's folder is not known yet, so everything is assumed to be.
        if not _hidden(member.name) and may_hold_posts(inner.name, [*BESIDE_POSTS, inner.name]):
            head, rest = with_head(member.stream, HEAD_BYTES)
            yield InputFile(f"{name}/{inner}", head, rest, None, lambda _: None)


def _hidden(inner: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(inner).parts)


def _beside(path: Path | None) -> Callable[[str], bytes | None]:
    def beside(other: str) -> bytes | None:
        if path is None:
            return None
        try:
            with (path.parent / other).open("rb") as file:
                return file.read(BESIDE_BYTES)
        except OSError:
            return None

    return beside
