"""Bytes to lines, in bounded memory: plain, gzip or zstd, told apart by their first bytes and not by their names."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from indexer.rejects import RAW_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_LINE = 4 * 1024 * 1024
GZIP_MAGIC, ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# Reddit's dumps are packed with --long=31; zstd refuses more than 128 MiB unless told. A file takes what it asks for.
LARGEST_WINDOW = 1 << 31
# 4 bytes of zstd can hold a block of 128 KiB, so 256 bytes at a time keep the worst file under 8 MiB in memory.
ZSTD_BYTES = 256
# What decompressing raises when a file is cut short or damaged. EOFError: cut short.
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line, without its line end.

    Attributes:
        number: From 1, blank lines counted.
        data: The line; of one longer than LONGEST_LINE, its first 64 KiB.
        size_bytes: Of the whole line.
    """

    number: int
    data: bytes
    size_bytes: int

    @property
    def too_long(self) -> bool:
        return self.size_bytes > LONGEST_LINE


def read_lines(stream: BinaryIO, *, blank: bool = True) -> Iterator[RawLine]:
    """The lines of a stream, each of at most LONGEST_LINE bytes; a longer one is passed over, its beginning kept.

    Args:
        blank: Whether each blank line is wanted; otherwise most of those in a row are only counted.
    """
    number = 0
    while piece := stream.readline(LONGEST_LINE + 1):
        number += 1
        size, ended = len(piece), piece.endswith(b"\n")
        if size > LONGEST_LINE and not ended:
            piece = piece[:RAW_BYTES]
            while not ended and (rest := stream.readline(1 << 16)):
                size, ended = size + len(rest), rest.endswith(b"\n")
        yield RawLine(number, piece.rstrip(b"\r\n"), size - ended)
        if not blank and ended and not piece.strip():
            number += _pass_over_blank(stream)


def _pass_over_blank(stream: BinaryIO) -> int:
    """Read on to the next line with something in it, or not as far; returns how many lines that were.

    One by one, the lines of a packed file that holds nothing else take minutes a gigabyte.
    """
    passed = 0
    peek: Callable[[int], bytes] | None = getattr(stream, "peek", None)
    while peek is not None and (ahead := peek(1 << 16)):
        blank = ahead[: len(ahead) - len(ahead.lstrip())]
        ends = blank.count(b"\n")
        if ends == 0:
            break
        stream.read(blank.rfind(b"\n") + 1)
        passed += ends
    return passed


def decompressed(stream: BinaryIO) -> BinaryIO:
    """The stream itself, or what it holds when it begins as gzip or zstd files do."""
    head = stream.read(4)
    whole = io.BufferedReader(Rejoined(head, stream))
    if head.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=whole)  # type: ignore[return-value]  # reads like one
    if head == ZSTD_MAGIC:
        return io.BufferedReader(_Zstd(whole))
    return whole


def read_some(stream: BinaryIO, size_bytes: int) -> bytes:
    """Up to so many bytes, b"" at the end: what one read gives, so that an error loses nothing that came before it."""
    read1: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read1(size_bytes)


def with_head(stream: BinaryIO, size_bytes: int) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, fewer only where it has no more, and the stream as if they had not been read.

    An error among them is raised where it stands, once they have been read.
    """
    head, trouble = b"", None
    try:
        while len(head) < size_bytes and (piece := read_some(stream, size_bytes - len(head))):
            head += piece
    except (*DAMAGE, ValueError, OSError) as error:
        if not head:
            raise
        trouble = error
    return head, io.BufferedReader(Rejoined(head, stream, trouble), 1 << 16)


class Rejoined(io.RawIOBase):
    """A stream that cannot seek, whole again after its first bytes were read."""

    def __init__(self, head: bytes, rest: BinaryIO, trouble: Exception | None = None) -> None:
        self._head, self._rest, self._trouble = head, rest, trouble

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        if self._head:
            taken = self._head[: len(view)]
            self._head = self._head[len(taken) :]
        elif self._trouble is not None:
            raise self._trouble
        else:
            taken = read_some(self._rest, len(view))
        view[: len(taken)] = taken
        return len(taken)


class _Zstd(io.RawIOBase):
    """Zstd frames, one after another. Unlike zstandard's own reader it says so when the last one is cut short."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame = _frame()
        self._begun, self._unread, self._ready = False, b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready:
            packed = self._unread or self._source.read(ZSTD_BYTES)
            self._unread = b""
            if self._frame.eof:
                self._frame, self._begun = _frame(), False
            if not packed:
                if self._begun:
                    raise EOFError("the compressed data ends in the middle of a frame")
                return 0
            self._begun = True
            self._ready = memoryview(self._frame.decompress(packed))
            if self._frame.eof:
                self._unread = self._frame.unused_data
        view = memoryview(buffer)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _frame() -> zstandard.ZstdDecompressionObj:
    return zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj()
