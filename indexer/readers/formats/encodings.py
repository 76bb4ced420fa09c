"""Detects a text file's encoding if it is certain, and converts the file to UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from indexer.readers.formats.lines import read_some, with_head

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How much is examined, from the first byte that is not ASCII.
SAMPLE_BYTES = 64 * 1024
# Fewer two-byte characters than this prove nothing.
FEWEST_CHARACTERS = 8
_ASCII = bytes(range(0x80))
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,100}?\sencoding=["']([A-Za-z][\w.-]{0,40})["']""")


def encoding_by_bom(head: bytes) -> str:
    """The encoding of a byte order mark, "" without one."""
    return next((name for bom, name in BOMS if head.startswith(bom)), "")


def encoding_by_declaration(head: bytes) -> str:
    """The encoding that an XML file declares; "" if it declares none, UTF-8, or one that Python does not know.

    GB 2312 and GBK are read as GB18030, a superset of both: files declare the smaller one and use the larger.
    """
    found = _DECLARED.match(head)
    try:
        name = codecs.lookup(found[1].decode()).name if found else ""
    except LookupError:
        return ""
    return "gb18030" if name in {"gb2312", "gbk"} else "" if name.startswith("utf") else name


def is_gb18030(sample: bytes) -> bool:
    """Whether bytes that are not UTF-8 are certainly Chinese in GB 2312, GBK or GB18030.

    Certainly means: they decode; at least eight characters have two bytes; nine of ten of those are in GB 2312 (unlike
    Big5, Shift-JIS and Western text with some accents); fewer than three of ten are kana (which EUC-JP has at the same
    codes as GB 2312); and at least one of ten is a hanzi whose first byte is C9 to D7 (是, 有, 在, 我, 一: a third of
    Chinese text; Korean in EUC-KR has almost nothing there).
    """
    text = sample.decode("gb18030", "ignore")
    if len(text.encode("gb18030", "replace")) < len(sample) - 4:  # the sample may end inside a character
        return False
    pairs = [pair for character in text if len(pair := character.encode("gb18030", "replace")) == 2]
    inside = [pair[0] for pair in pairs if 0xA1 <= pair[0] <= 0xF7 and pair[1] >= 0xA1]
    hanzi = [lead for lead in inside if lead >= 0xB0]
    kana = sum(lead in {0xA4, 0xA5} for lead in inside)
    later = sum(0xC9 <= lead <= 0xD7 for lead in hanzi)
    return (
        len(pairs) >= FEWEST_CHARACTERS
        and len(inside) >= 0.9 * len(pairs)
        and kana < 0.3 * len(inside)
        and later >= 0.1 * len(hanzi)
    )


def is_utf8(sample: bytes) -> bool:
    """Whether bytes are UTF-8, except perhaps an incomplete last character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def utf16_without_bom(head: bytes) -> str:
    """Either "utf-16-le" or "utf-16-be" if every other byte of the beginning is 0, as in ASCII text, else ""."""
    even, odd = head[:200:2], head[1:200:2]
    if len(head) >= 8 and odd and odd.count(0) > 0.9 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(head) >= 8 and even and even.count(0) > 0.9 * len(even) and not odd.count(0):
        return "utf-16-be"
    return ""


def in_utf8(stream: BinaryIO, forced: str = "", tell: Callable[[str], None] = lambda _: None) -> BinaryIO:
    """The stream as UTF-8, without a byte order mark.

    UTF-8 passes unchanged, including invalid bytes. Another encoding is converted if it is forced, has a byte order
    mark, or is certain; `tell` is called with its name then. What is uncertain passes unchanged too, and its lines are
    rejected.

    Args:
        forced: A name that Python's codecs know; "" detects it.
    """
    return io.BufferedReader(_InUtf8(stream, forced, tell), 1 << 16)


class _InUtf8(io.RawIOBase):
    def __init__(self, stream: BinaryIO, forced: str, tell: Callable[[str], None]) -> None:
        self._stream, self._tell = stream, tell
        self._ready = memoryview(b"")
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._decided = False
        self._head = head = read_some(stream, 4096)
        named = encoding_by_bom(head)
        bom = next((len(bom) for bom, name in BOMS if name == named and head.startswith(bom)), 0)
        encoding = forced or named or utf16_without_bom(head) or encoding_by_declaration(head)
        if bom and not (forced and named != _plain_name(forced)):
            self._head = head[bom:]
        if encoding:
            self._decide(encoding, announce=not forced)

    def readable(self) -> bool:
        return True

    def _decide(self, encoding: str, announce: bool = True) -> None:
        self._decided = True
        if _plain_name(encoding) != "utf-8":
            # What cannot be decoded becomes U+FFFD, to keep the text around it.
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            if announce:
                self._tell(encoding.upper())

    def _more(self) -> bytes:
        piece, self._head = self._head or read_some(self._stream, 1 << 16), b""
        self._ended = not piece
        if not self._decided and piece.translate(None, _ASCII):
            # The first byte that is not ASCII: examine what follows it, and decide once.
            sample = piece[len(piece) - len(piece.lstrip(_ASCII)) :]
            rest, self._stream = with_head(self._stream, SAMPLE_BYTES - len(sample))
            sample += rest
            self._decide("utf-8" if is_utf8(sample) or not is_gb18030(sample) else "gb18030")
        return piece

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready and not self._ended:
            piece = self._more()
            if self._decoder is not None:
                piece = self._decoder.decode(piece, final=self._ended).encode("utf-8", "surrogatepass")
            self._ready = memoryview(piece)
        view = memoryview(buffer)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _plain_name(encoding: str) -> str:
    return codecs.lookup(encoding).name.replace("_", "-")
