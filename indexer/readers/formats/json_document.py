"""JSON documents of any length, read one element of their long arrays at a time, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from indexer.readers.formats.lines import LONGEST_LINE, read_some
from indexer.rejects import RAW_BYTES

Path = tuple[str, ...]

# Strings are skipped as a whole, which leaves the brackets of the document's structure. A string that is cut off by the
# buffer's end matches as a single quotation mark.
# Possessive quantifiers: backtracking cannot find the end of a string that is cut off.
_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(rb'"' + _STRING + rb'|[\[\]{},:"]', re.DOTALL)
_BARE = re.compile(rb'(?P<string>"' + _STRING + rb")|[^\s,\[\]{}]+|.", re.DOTALL)
_STRING_END = re.compile(_STRING, re.DOTALL)
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a document.

    Attributes:
        line: Where it begins, from 1.
        data: Its bytes; the first 64 KiB if it is longer than LONGEST_LINE.
        size_bytes: Size of the whole value.
        document: For an array's element, the part of the enclosing object before the array, as JSON; "" if it is too
            long to keep.
        whole: Whether it is complete; the last value of a truncated file is not.
    """

    line: int
    data: bytes
    size_bytes: int
    document: bytes = b""
    whole: bool = True

    @property
    def too_long(self) -> bool:
        return self.size_bytes > LONGEST_LINE


def json_items(stream: BinaryIO, arrays: Collection[Path]) -> Iterator[Item]:
    """The values in a stream of JSON: the elements of an array, any other value itself.

    Args:
        arrays: Paths of long arrays in a document, as ("data", "items"): their elements are yielded one by one, like
            those of a top-level array.
    """
    return _Scanner(stream, frozenset(arrays)).items()


class _Scanner:
    """A buffer of what was read and not yet yielded, and its position in the document."""

    def __init__(self, stream: BinaryIO, arrays: frozenset[Path]) -> None:
        self._stream, self._arrays = stream, arrays
        self._prefixes = frozenset(path[:length] for path in arrays for length in range(len(path)))
        self._buffer, self._at = b"", 0
        self._line = 1  # line of the buffer's first byte
        self._passed = 0  # bytes of strings too long to keep, in the current value

    def items(self) -> Iterator[Item]:
        while (begin := self._skip(b" \t\r\n,;\x1e")) != b"":  # 0x1E: JSON text sequences
            yield from self._value((), begin)

    def _value(self, path: Path | None, begin: bytes) -> Iterator[Item]:
        """The items of the value that begins here; `path` is None inside an array that is being yielded."""
        if begin == b"[" and (path == () or path in self._arrays):
            self._at += 1
            yield from self._elements(b"")
        elif begin == b"{" and path is not None and path in self._prefixes:
            yield from self._object(path)
        else:
            yield self._whole(b"")

    def _elements(self, document: bytes) -> Iterator[Item]:
        while True:
            begin = self._skip(b" \t\r\n,")
            if begin in {b"]", b""}:
                self._at += len(begin)
                if not begin:
                    yield Item(self._line_here(), b"", 0, whole=False)
                return
            yield self._whole(document)

    def _object(self, path: Path) -> Iterator[Item]:
        """An object that may contain a long array: yielded as a whole, unless it does."""
        line, start = self._line_here(), self._at
        depth, here, key, last = 0, list(path), b"", b""
        while True:
            token = self._token()
            if token is None or self._at - start > LONGEST_LINE:
                break
            text = token[0] if len(token[0]) < 200 else b'""'
            if text == b"[" and (*here[: depth - 1], _text(key)) in self._arrays and last == b":":
                document = _closed(self._buffer[start : token.start()], depth)
                self._drop()
                yield from self._elements(document)
                yield from self._rest(depth, document)
                return
            if text in {b"{", b"["}:
                if depth:
                    here[depth - 1 :] = [_text(key) if last == b":" else "[]"]
                depth += 1
            elif text in {b"}", b"]"}:
                depth -= 1
                if depth == 0:
                    data = self._buffer[start : self._at]
                    self._drop()
                    yield Item(line, data, len(data))
                    return
            elif text[:1] == b'"' and last in {b"{", b","}:
                key = text
            last = text
        self._at = start
        yield self._whole(b"")

    def _rest(self, depth: int, document: bytes) -> Iterator[Item]:
        """The rest of an object after a long array: nothing of it is kept, except another long array."""
        key = last = b""
        while depth and (token := self._token()) is not None:
            text = token[0] if len(token[0]) < 200 else b'""'
            if text == b"[" and depth == 1 and last == b":" and (_text(key),) in self._arrays:
                self._drop()
                yield from self._elements(document)
                text = b"]"
            else:
                depth += (text in {b"{", b"["}) - (text in {b"}", b"]"})
            if text[:1] == b'"' and last in {b"{", b",", b"]", b"}"}:
                key = text
            last = text
            self._drop()
        if depth:
            yield Item(self._line_here(), b"", 0, whole=False)

    def _whole(self, document: bytes) -> Item:
        """The value that begins here: up to its last bracket, or to what cannot be part of a bare one."""
        line, start = self._line_here(), self._at
        if self._buffer[start : start + 1] not in {b"{", b"["}:
            return self._bare(line, document)
        depth, dropped, head = 0, 0, b""
        self._passed = 0
        while True:
            token = self._token()
            if token is None:
                data = self._buffer[start:] if not dropped else b""
                self._at = len(self._buffer)
                return Item(line, (head + data)[:RAW_BYTES], dropped + len(data) + self._passed, document, whole=False)
            depth += (token[0] in {b"{", b"["}) - (token[0] in {b"}", b"]"})
            if depth == 0:
                data = self._buffer[start : self._at]
                self._drop()
                size = dropped + len(data) + self._passed
                return Item(line, data if size <= LONGEST_LINE else (head + data)[:RAW_BYTES], size, document)
            if self._at - start > LONGEST_LINE:
                head = head or self._buffer[start : start + RAW_BYTES]
                dropped += self._at - start
                self._drop()
                start = self._at

    def _bare(self, line: int, document: bytes) -> Item:
        while True:
            piece = _BARE.match(self._buffer, self._at)
            assert piece is not None, "there is a byte here"
            ends = piece.end() < len(self._buffer) and (piece[0][:1] != b'"' or piece["string"] is not None)
            if ends or len(self._buffer) - self._at > LONGEST_LINE or not self._fill():
                data = piece[0]
                self._at = piece.end()
                self._drop()
                return Item(line, data[:RAW_BYTES], len(data), document)

    def _token(self) -> re.Match[bytes] | None:
        """The next string or bracket, None at the end of the stream."""
        while True:
            token = _TOKEN.search(self._buffer, self._at)
            if token is not None and token[0] != b'"':
                self._at = token.end()
                return token
            # The end of the buffer, or a string that continues.
            if token is not None and len(self._buffer) - token.start() > LONGEST_LINE:
                return self._long_string(token)
            if not self._fill():
                return None

    def _long_string(self, token: re.Match[bytes]) -> re.Match[bytes]:
        """Skip a string that is longer than any value may be, and keep its beginning."""
        at = token.end()
        while (end := _STRING_END.match(self._buffer, at)) is None:
            odd = (len(self._buffer) - len(self._buffer.rstrip(b"\\"))) % 2
            tail = b"\\" if odd else b""
            piece = read_some(self._stream, _PIECE)
            if not piece:
                self._at = len(self._buffer)
                return token
            self._passed += len(self._buffer) - at - len(tail)
            self._line += self._buffer.count(b"\n", at)
            self._buffer = self._buffer[:at] + tail + piece
        self._at = end.end()
        return token

    def _skip(self, passed: bytes) -> bytes:
        """Skip these bytes; returns the next one, b"" at the end."""
        while True:
            rest = self._buffer[self._at : self._at + _PIECE]
            if stripped := rest.lstrip(passed):
                self._at += len(rest) - len(stripped)
                return stripped[:1]
            self._at += len(rest)
            if self._at == len(self._buffer):
                self._drop()
                if not self._fill():
                    return b""

    def _fill(self) -> bool:
        piece = read_some(self._stream, _PIECE)
        self._buffer += piece
        return bool(piece)

    def _drop(self) -> None:
        """Drop what has been yielded."""
        if self._at > _PIECE or self._at == len(self._buffer):
            self._line += self._buffer.count(b"\n", 0, self._at)
            self._buffer, self._at = self._buffer[self._at :], 0

    def _line_here(self) -> int:
        return self._line + self._buffer.count(b"\n", 0, self._at)


def _text(key: bytes) -> str:
    return key[1:-1].decode("utf-8", "replace")


def _closed(begun: bytes, depth: int) -> bytes:
    """The beginning of an object, closed, without the key whose value is not kept."""
    return re.sub(rb',?\s*"(?:[^"\\]|\\.)*"\s*:\s*\Z', b"", begun, flags=re.DOTALL) + b"}" * depth
