"""Compressed files and archives, detected by their first bytes (gzip, zstd, zip, tar), with limits against bombs."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from indexer.readers.formats.lines import DAMAGE, decompressed, read_some

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
DAMAGED = (*DAMAGE, zipfile.BadZipFile, tarfile.TarError, NotImplementedError, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """How much a packed file may unpack to.

    Attributes:
        free_bytes: Always allowed, whatever the ratio.
        ratio: Beyond that, unpacked to packed size. Posts reach 5 to 20, logs of the same line 200; a gzip bomb has
            1,000, one of zstd or of overlapping zip members has no limit.
    """

    free_bytes: int = 64 << 20
    ratio: int = 250


UNPACK_LIMITS = UnpackLimits()


class DecompressionBomb(ValueError):
    """A packed file that unpacks to more than the limits allow."""


class CountedStream(io.RawIOBase):
    """A stream that counts the bytes read, and ends where the file ended when it was opened, in case it grows."""

    def __init__(self, stream: BinaryIO, size_bytes: int | None) -> None:
        self._stream, self._left = stream, size_bytes
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        wanted = len(view) if self._left is None else min(len(view), self._left)
        piece = self._stream.read(wanted) if wanted else b""
        view[: len(piece)] = piece
        self.count += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        return len(piece)


class LimitedStream(io.RawIOBase):
    """An unpacked stream that raises DecompressionBomb beyond its limits."""

    def __init__(self, unpacked: BinaryIO, packed: CountedStream | int, limits: UnpackLimits, before: int = 0) -> None:
        self._unpacked, self._packed, self._limits = unpacked, packed, limits
        self.count = before

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = read_some(self._unpacked, len(view))
        view[: len(piece)] = piece
        self.count += len(piece)
        packed = self._packed if isinstance(self._packed, int) else self._packed.count
        if self.count > self._limits.free_bytes and self.count > packed * self._limits.ratio:
            raise DecompressionBomb(f"{packed:,} packed bytes hold more than {self.count:,}")
        return len(piece)


def unpacked(stream: BinaryIO, packed: CountedStream | int, limits: UnpackLimits, before: int = 0) -> LimitedStream:
    """The stream, decompressed if it is gzip or zstd, within limits.

    Args:
        packed: Its packed size: the bytes read so far, or a fixed number.
        before: Unpacked bytes that count already.
    """
    return LimitedStream(decompressed(stream), packed, limits, before)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar archive."""

    name: str
    stream: BinaryIO


def is_tar(head: bytes) -> bool:
    """Whether these are the first bytes of a tar archive."""
    return head[257:262] == b"ustar"


def tar_members(stream: BinaryIO) -> Iterator[Member]:
    """The files of a tar stream; read each before the next.

    Raises:
        One of DAMAGED: It is not a complete tar archive.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            if info.isfile() and (file := archive.extractfile(info)) is not None:
                yield Member(info.name, file)  # type: ignore[arg-type]  # reads like one
