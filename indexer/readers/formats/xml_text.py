"""The text of an XML file as Expat accepts it: what XML forbids and files have is mended, and nothing else is changed.

Mended are white space before the declaration, characters and character references that XML has no place for, a bare &,
bytes that are not UTF-8, and HTML's entities, which XML does not know.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from html.entities import html5
from typing import BinaryIO

from indexer.readers.formats.lines import read_some

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"\A(\s*)<\?xml\s[^>]{0,200}\?>")
# A reference, or an ampersand that begins none.
_REFERENCE = re.compile(r"&(?:#(\d{1,8}|[xX][0-9a-fA-F]{1,7});|([A-Za-z_:][\w.:-]{0,39});)?")
_XML = frozenset({"lt", "gt", "amp", "quot", "apos"})
_OPENS, _CLOSES = "<![CDATA[", "]]>"
_HELD = 48  # characters kept back for the next piece: what is looked for may be cut
_HEAD = 4_096  # characters in which the declaration, and the document type, begin
REPLACED = "\ufffd"


class xml_pieces(Iterator[str]):  # noqa: N801  # used as a function that also counts
    """Pieces of text that together are the file's, mended.

    Attributes:
        dropped: How many forbidden characters were left out.
        undecodable: How many places were not UTF-8.
        lines_before: Lines before the declaration, which was left out.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.dropped, self.undecodable, self.lines_before = 0, 0, 0
        self._pieces = self._mended(stream)

    def __next__(self) -> str:
        return next(self._pieces)

    def _mended(self, stream: BinaryIO) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        held, first, inside, declares = "", True, False, False
        while True:
            piece = read_some(stream, 1 << 16)
            text = decoder.decode(piece, final=not piece)
            if REPLACED in text and REPLACED.encode() not in piece:
                self.undecodable += text.count(REPLACED)
            plain = _FORBIDDEN.sub("", text)
            self.dropped += len(text) - len(plain)
            text = held + plain
            if first and piece and len(text) < _HEAD:
                held = text
                continue
            if first:
                text = self._without_declaration(text)
                declares, first = "<!ENTITY" in text, False
            # Held back until more is read: the beginning of a reference or of a mark.
            keep = 0 if not piece else _kept_back(text)
            held = text[len(text) - keep :] if keep else ""
            done: list[str] = []
            rest = text[: len(text) - keep] if keep else text
            while rest:
                part, mark, rest = rest.partition(_CLOSES if inside else _OPENS)
                done += [part if inside else self._referred(part, declares), mark]
                inside ^= bool(mark)
            yield "".join(done)
            if not piece:
                return

    def _without_declaration(self, text: str) -> str:
        """Without the declaration: the encoding is known, Expat wants it first, and knows only version 1.0."""
        found = _DECLARATION.match(text)
        if found is None:
            return text
        self.lines_before = found[1].count("\n")
        return found[0].count("\n", len(found[1])) * "\n" + text[found.end() :]

    def _referred(self, text: str, declares: bool) -> str:
        if "&" not in text:
            return text

        def mended(found: re.Match[str]) -> str:
            number, name = found[1], found[2]
            if number:
                code = int(number[1:], 16) if number[0] in "xX" else int(number)
                if code > 0x10FFFF or 0xD800 <= code < 0xE000 or _FORBIDDEN.match(chr(code)):
                    self.dropped += 1
                    return ""
                return found[0]
            if name is None:
                return "&amp;"
            if name in _XML or declares or f"{name};" not in html5:
                return found[0]
            return html.escape(html5[f"{name};"])

        return _REFERENCE.sub(mended, text)


def _kept_back(text: str) -> int:
    """How many characters at the end may be the beginning of something that continues in the next piece."""
    tail = text[-_HELD:]
    ampersand = tail.rfind("&")
    if ampersand >= 0 and ";" not in tail[ampersand:]:
        return len(tail) - ampersand
    for mark in (_OPENS, _CLOSES):
        for length in range(min(len(mark) - 1, len(tail)), 0, -1):
            if tail.endswith(mark[:length]):
                return length
    return 0
