"""Lines in bounded memory, with any compression."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.readers.formats.lines import GZIP_MAGIC, LONGEST_LINE, ZSTD_MAGIC, decompressed, read_lines

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def plain(data: bytes) -> bytes:
    return data


PACKINGS = [plain, gzip.compress, zstd]


class Trickle(io.RawIOBase):
    """A pipe that returns one byte at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = self._data.read(1)
        view[: len(piece)] = piece
        return len(piece)


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))))
def test_however_lines_are_packed_and_delivered_the_same_ones_come_out(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    assume(not data.startswith((GZIP_MAGIC, ZSTD_MAGIC)))  # no line of JSON does
    for pack in PACKINGS:
        stream = io.BufferedReader(Trickle(pack(data)), 16)
        assert [line.data for line in read_lines(decompressed(stream))] == lines


@given(st.lists(st.sampled_from([b"", b" ", b"\r", b"x", b" \ry", b"\t"])), st.integers(1, 40))
def test_blank_lines_in_a_row_are_counted_whether_or_not_each_is_given(lines: list[bytes], buffer: int) -> None:
    data = b"".join(line + b"\n" for line in lines)

    def said(*, blank: bool) -> list[tuple[int, bytes]]:
        read = read_lines(io.BufferedReader(Trickle(data), buffer), blank=blank)
        return [(line.number, line.data) for line in read if line.data.strip()]

    assert said(blank=False) == said(blank=True)


def test_a_packed_file_of_blank_lines_is_skipped_in_few_steps() -> None:
    packed = zstd(b"a\n" + b"\n" * 10_000_000 + b"b")
    lines = list(read_lines(decompressed(io.BytesIO(packed)), blank=False))
    assert (lines[0].data, lines[-1].data, lines[-1].number) == (b"a", b"b", 10_000_002)
    assert len(lines) < 10


def test_line_ends_of_windows_are_cut_and_the_last_line_needs_none() -> None:
    lines = read_lines(decompressed(io.BytesIO(b"a\r\n\r\nb")))
    assert [(line.number, line.data) for line in lines] == [(1, b"a"), (2, b""), (3, b"b")]


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_files_packed_in_pieces_are_read_to_the_end(pack: Callable[[bytes], bytes]) -> None:
    stream = decompressed(io.BytesIO(pack(b"a\n") + pack(b"") + pack(b"b\n")))
    assert [line.data for line in read_lines(stream)] == [b"a", b"b"]


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_line_that_is_too_long_is_skipped_without_being_held(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"a\n" + b"x" * (8 * LONGEST_LINE) + b"\nb\n")
    tracemalloc.start()
    lines = list(read_lines(decompressed(io.BytesIO(packed))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(line.number, line.size_bytes, line.too_long) for line in lines] == [
        (1, 1, False),
        (2, 8 * LONGEST_LINE, True),
        (3, 1, False),
    ]
    assert len(lines[1].data) == 64 * 1024
    assert peak < 6 * LONGEST_LINE


def test_the_longest_line_is_still_whole() -> None:
    lines = list(read_lines(io.BytesIO(b"x" * LONGEST_LINE + b"\n" + b"y" * LONGEST_LINE)))
    assert [(len(line.data), line.too_long) for line in lines] == [(LONGEST_LINE, False), (LONGEST_LINE, False)]


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_file_that_is_cut_short_gives_its_whole_lines_and_then_says_so(pack: Callable[[bytes], bytes]) -> None:
    whole = b"".join(b"%d %d\n" % (number, number**3) for number in range(100_000))
    packed = pack(whole)
    lines: list[bytes] = []
    with pytest.raises(EOFError):
        lines.extend(line.data for line in read_lines(decompressed(io.BytesIO(packed[: len(packed) // 2]))))
    # list.extend keeps what came before the error
    assert whole.startswith(b"\n".join(lines) + b"\n")
