"""XML files of any length, read a record at a time, in bounded memory: rows, items and entries as JSON values.

Uses the standard library's Expat, which fetches nothing; declaring entities, which could expand endlessly, is refused.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from indexer.readers.formats.lines import LONGEST_LINE, read_some
from indexer.readers.records import Record, as_json
from indexer.rejects import Rejected

# Namespaces by their common prefixes, whatever prefixes a file uses.
_NAMESPACES = (
    ("http://www.w3.org/2005/Atom", "atom:"),
    ("http://purl.org/atom/ns#", "atom:"),
    ("http://purl.org/rss/1.0/modules/content/", "content:"),
    ("http://purl.org/dc/elements/1.1/", "dc:"),
    ("http://wordpress.org/export/", "wp:"),
    ("http://search.yahoo.com/mrss/", "media:"),
    ("http://purl.org/rss/1.0/modules/slash/", "slash:"),
    ("http://purl.org/rss/1.0/", ""),
    ("http://www.w3.org/XML/1998/namespace", "xml:"),
)
TEXT = "#text"
RECORDS = frozenset({"row", "item", "atom:entry"})


class ForbiddenXml(ValueError):
    """A file that declares entities, which bombs need and post files do not."""


@dataclass(slots=True)
class _Open:
    """An element that has not been closed yet."""

    name: str
    line: int
    value: dict[str, object]
    text: list[str] = field(default_factory=list)


def xml_elements(
    stream: BinaryIO, source: str, records: Collection[str] = RECORDS, about: dict[str, object] | None = None
) -> Iterator[Record | Rejected]:
    """The elements of these names, each as a dict: attributes and children by name, several of one name as a list, an
    element with neither as its text. Other text of an element is under "#text".

    Args:
        records: Names of elements, with the prefixes of _NAMESPACES.
        about: Filled with what the file says about itself: the root's name under "root", and the texts before the first
            record by element name.
    """
    reader = _Reader(frozenset(records), {} if about is None else about, source)
    try:
        while piece := read_some(stream, 1 << 16):
            reader.feed(piece)
            yield from reader.take()
        reader.feed(b"", final=True)
        yield from reader.take()
    except ForbiddenXml as error:
        yield from reader.take()
        yield Rejected(source, reader.line, "", str(error), "a file without a document type that declares entities")
    except expat.ExpatError as error:
        yield from reader.take()
        why = expat.errors.messages.get(error.code, "not well-formed")
        yield Rejected(source, error.lineno, "", f"the XML is broken: {why}", "XML; the records before it were read")


class _Reader:
    def __init__(self, records: frozenset[str], about: dict[str, object], source: str) -> None:
        self._records, self._about, self._source = records, about, source
        self._open: list[_Open] = []  # the current record, and the open elements in it
        self._outside: list[_Open] = []
        self._ready: list[Record | Rejected] = []
        self._size = 0
        # The input has been converted to UTF-8, whatever encoding the file declares.
        self._parser = parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        # As if there were an external DTD: then &nbsp;, which XML does not know, is reported and not an error.
        parser.UseForeignDTD(True)
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def feed(self, piece: bytes, final: bool = False) -> None:
        self._parser.Parse(piece, final)

    def take(self) -> list[Record | Rejected]:
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = _short(name)
        if not self._open and name not in self._records:
            self._about.setdefault("root", name)
            self._outside.append(_Open(name, 0, {}))
            return
        if not self._open:
            self._size = 0
        self._size += 64 + sum(map(len, attributes.values()))
        self._open.append(_Open(name, self.line, {_short(key): value for key, value in attributes.items()}))

    def _text(self, text: str) -> None:
        self._size += len(text)
        if self._open:
            if self._size <= LONGEST_LINE:
                self._open[-1].text.append(text)
        elif self._outside and self._size < LONGEST_LINE:
            self._outside[-1].text.append(text)

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            self._text(html.unescape(f"&{name};"))

    def _entity(self, name: str, *_: object) -> None:
        raise ForbiddenXml(f"the XML declares the entity {name[:40]!r}")

    def _end(self, _: str) -> None:
        if not self._open:
            ended = self._outside.pop()
            text = "".join(ended.text).strip()
            if text and ended.name not in self._about:
                self._about[ended.name] = text[:2_000]
            return
        ended = self._open.pop()
        if self._open:
            _put(self._open[-1].value, ended.name, _value(ended))
        elif self._size > LONGEST_LINE:
            problem = f"the <{ended.name}> has {self._size:,} characters"
            self._ready.append(
                Rejected(self._source, ended.line, "", problem, f"at most {LONGEST_LINE:,} a record")
            )  # fmt: skip
        else:
            value = _value(ended)
            record = value if isinstance(value, dict) else {TEXT: value}
            self._ready.append(Record(ended.line, {"#": ended.name, **record}, as_json(record)))


def _value(ended: _Open) -> object:
    text = "".join(ended.text)
    if not ended.value:
        return text
    if text.strip():
        ended.value[TEXT] = text
    return ended.value


def _put(into: dict[str, object], name: str, value: object) -> None:
    if name not in into:
        into[name] = value
    elif isinstance(before := into[name], list):
        before.append(value)
    else:
        into[name] = [before, value]


def _short(name: str) -> str:
    uri, space, local = name.rpartition(" ")
    if not space:
        return name
    if uri.startswith("http://wordpress.org/export/") and uri.endswith("/excerpt/"):
        return f"excerpt:{local}"
    return next((prefix + local for known, prefix in _NAMESPACES if uri.startswith(known)), local)
