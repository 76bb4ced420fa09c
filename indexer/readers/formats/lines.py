"""Bytes to lines, in bounded memory: plain, gzip or zstd, detected by their first bytes."""

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
# Reddit's dumps are packed with --long=31; zstd refuses windows over 128 MiB by default. A file uses what it asks for.
LARGEST_WINDOW = 1 << 31
# 4 bytes of zstd can be a block of 128 KiB, so reading 256 bytes at a time keeps the worst file under 8 MiB of memory.
ZSTD_BYTES = 256
# What decompressing raises if a file is truncated (EOFError) or damaged.
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line, without its line end.

    Attributes:
        number: From 1, counting blank lines.
        data: The line; its first 64 KiB if it is longer than LONGEST_LINE.
        size_bytes: Size of the whole line.
    """

    number: int
    data: bytes
    size_bytes: int

    @property
    def too_long(self) -> bool:
        return self.size_bytes > LONGEST_LINE


def read_lines(stream: BinaryIO, *, blank: bool = True) -> Iterator[RawLine]:
    """The lines of a stream, each of at most LONGEST_LINE bytes; of a longer one only the beginning is kept.

    Args:
        blank: Whether to yield every blank line; otherwise most consecutive ones are only counted.
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
    """Skip blank lines, not always all of them; returns how many.

    Yielding them one by one, a packed file of blank lines takes minutes per gigabyte.
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
    """The stream, decompressed if it is gzip or zstd."""
    head = stream.read(4)
    whole = io.BufferedReader(Rejoined(head, stream))
    if head.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=whole)  # type: ignore[return-value]  # reads like one
    if head == ZSTD_MAGIC:
        return io.BufferedReader(_Zstd(whole))
    return whole


def read_some(stream: BinaryIO, size_bytes: int) -> bytes:
    """Up to so many bytes, b"" at the end; a single read, so that an error loses nothing before it."""
    read1: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read1(size_bytes)


def with_head(stream: BinaryIO, size_bytes: int) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, fewer only at its end, and the stream as if they had not been read.

    An error while reading them is raised later, at its position in the stream.
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
    """A stream that cannot seek, with its first bytes put back."""

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
    """Reads consecutive zstd frames. Unlike zstandard's own reader it reports a truncated last one."""

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
