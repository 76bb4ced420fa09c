"""XML files of any length, read a record at a time, in bounded memory: rows, items and entries as JSON values.

Uses the standard library's Expat, which fetches nothing; entities that could expand endlessly are refused.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from indexer.readers.formats.lines import LONGEST_LINE
from indexer.readers.formats.xml_text import xml_pieces
from indexer.readers.records import Record, as_json
from indexer.rejects import Rejected

# Namespaces by their common prefixes, whatever prefixes a file uses; without scheme, "www." and what ends them, because
# files have http and https, and any version. The first that begins a name counts.
_NAMESPACES = (
    ("w3.org/2005/atom", "atom:"),
    ("purl.org/atom/ns", "atom:"),
    ("w3.org/1999/xhtml", "xhtml:"),
    ("purl.org/rss/1.0/modules/content", "content:"),
    ("purl.org/rss/1.0/modules/slash", "slash:"),
    ("purl.org/rss/1.0", ""),
    ("purl.org/dc/elements/1.", "dc:"),
    ("purl.org/dc/terms", "dc:"),
    ("wordpress.org/export", "wp:"),
    ("search.yahoo.com/mrss", "media:"),
    ("w3.org/xml/1998/namespace", "xml:"),
)
# Prefixes that mean the same where their namespace is none of the above, or is not declared at all.
_PREFIXES = {
    "atom", "content", "slash", "dc", "wp", "excerpt", "media", "xml",
}  # fmt: skip
_SCHEME = re.compile(r"\A(?:https?:)?(?://)?(?:www\.)?")
TEXT = "#text"
DROPPED = "#dropped"  # of a file: how many characters that XML forbids were left out
RECORDS = frozenset({"row", "item", "atom:entry"})
# Elements outside records that are kept whole in what a file says about itself.
_ASIDES = frozenset({"wp:author", "atom:author"})
_MOST_ASIDES = 10_000
_LONGEST_ENTITY, _MOST_ENTITIES = 40, 300  # HTML has 253, each a character or two


class ForbiddenXml(ValueError):
    """A file that declares entities as bombs need them, and posts do not."""


@dataclass(slots=True)
class _Open:
    """An element that has not been closed yet.

    Attributes:
        markup: Whether elements in it are part of its text, as HTML.
    """

    name: str
    line: int
    value: dict[str, object]
    text: list[str] = field(default_factory=list)
    markup: bool = False


def xml_elements(
    stream: BinaryIO, source: str, records: Collection[str] = RECORDS, about: dict[str, object] | None = None
) -> Iterator[Record | Rejected]:
    """The elements of these names, each as a dict: attributes and children by name, several of one name as a list, an
    element with neither as its text. Other text of an element is under "#text"; XHTML in it is HTML there.

    Args:
        records: Names of elements, with the prefixes of _NAMESPACES.
        about: Filled with what the file says about itself: the root's name under "root", and the texts before the first
            record by element name; its authors as lists; and how many characters were left out, under DROPPED.
    """
    about = {} if about is None else about
    reader, pieces = _Reader(frozenset(records), about, source), xml_pieces(stream)
    try:
        for piece in pieces:
            reader.feed(piece.encode("utf-8"))
            yield from reader.take()
        reader.feed(b"", final=True)
        yield from reader.take()
    except ForbiddenXml as error:
        yield from reader.take()
        expected = "a file without a document type that declares entities (single characters are allowed)"
        yield Rejected(source, reader.line, "", str(error), expected)
    except expat.ExpatError as error:
        yield from reader.take()
        why = expat.errors.messages.get(error.code, "not well-formed")
        line = error.lineno + pieces.lines_before
        yield Rejected(source, line, "", f"the XML is broken: {why}", "XML; the records before it were read")
    if pieces.dropped:
        about[DROPPED] = pieces.dropped
    if pieces.undecodable:
        problem = f"{pieces.undecodable:,} places hold bytes that are not UTF-8, and became \ufffd"
        yield Rejected(source, 0, "", problem, "UTF-8 (--encoding names another)")


class _Reader:
    def __init__(self, records: frozenset[str], about: dict[str, object], source: str) -> None:
        self._records, self._about, self._source = records, about, source
        self._open: list[_Open] = []  # the current record, and the open elements in it
        self._outside: list[_Open] = []
        self._ready: list[Record | Rejected] = []
        self._size = 0
        self._namespaces: list[tuple[str, dict[str, str]]] = []  # of open elements that declare some
        self._entities = 0
        # The input has been converted to UTF-8, whatever encoding the file declares. Namespaces are looked up here:
        # Expat rejects a whole file for a prefix that is not declared.
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        # As if there were an external DTD: then an entity that XML does not know is reported and not an error.
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

    def _short(self, name: str, is_attribute: bool = False) -> str:
        """The name with the prefix that this module gives its namespace."""
        prefix, colon, local = name.rpartition(":")
        if not colon and (is_attribute or not self._namespaces):
            return name
        uri = next((declared[prefix] for _, declared in reversed(self._namespaces) if prefix in declared), "")
        return _known_prefix(uri, prefix) + local

    def _start(self, written: str, attributes: dict[str, str]) -> None:
        if any(key.startswith("xmlns") for key in attributes):
            declared = {key[6:]: uri for key, uri in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
            attributes = {key: value for key, value in attributes.items() if not key.startswith("xmlns")}
            self._namespaces.append((written, declared))
        elif self._namespaces and written == self._namespaces[-1][0]:
            self._namespaces.append((written, {}))  # so that its end does not end the outer one's
        name = self._short(written)
        if not self._open and name not in self._records and name not in _ASIDES:
            self._about.setdefault("root", name)
            if "xml:base" in attributes:
                self._about.setdefault("xml:base", attributes["xml:base"])
            if "xml:lang" in attributes:
                self._about.setdefault("language", attributes["xml:lang"])
            self._outside.append(_Open(name, 0, {}))
            return
        if not self._open:
            self._size = 0
        self._size += 64 + sum(map(len, attributes.values()))
        if self._open and (self._open[-1].markup or (name.startswith("xhtml:") and len(self._open) > 1)):
            shown = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
            self._write(f"<{name.removeprefix('xhtml:')}{shown}>")
            self._open.append(_Open(name, self.line, {}, self._open[-1].text, markup=True))
            return
        value: dict[str, object] = {self._short(key, True): value for key, value in attributes.items()}
        markup = name.startswith("xhtml:") or attributes.get("type") == "xhtml"
        self._open.append(_Open(name, self.line, value, markup=markup))

    def _text(self, text: str) -> None:
        if self._open and self._open[-1].markup:
            text = html.escape(text, quote=False)
        self._write(text)

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._open:
            if self._size <= LONGEST_LINE:
                self._open[-1].text.append(text)
        elif self._outside and self._size < LONGEST_LINE:
            self._outside[-1].text.append(text)

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            self._text(html.unescape(f"&{name};"))

    def _entity(
        self, name: str, is_parameter: bool, value: str | None, _: str | None, system: str | None, *__: object
    ) -> None:
        # One that stands for a character or a few words cannot expand endlessly; one that names others could.
        self._entities += 1
        plain = value is not None and len(value) <= _LONGEST_ENTITY and not set("&<%") & set(value)
        if is_parameter or system is not None or not plain or self._entities > _MOST_ENTITIES:
            raise ForbiddenXml(f"the XML declares the entity {name[:40]!r}")

    def _end(self, written: str) -> None:
        self._ended()
        if self._namespaces and self._namespaces[-1][0] == written:
            self._namespaces.pop()

    def _ended(self) -> None:
        if not self._open:
            ended = self._outside.pop()
            text = "".join(ended.text).strip()
            if text and ended.name not in self._about:
                self._about[ended.name] = text[:2_000]
            return
        ended = self._open.pop()
        if self._open and ended.markup and ended.text is self._open[-1].text:
            self._write(f"</{ended.name.removeprefix('xhtml:')}>")
        elif self._open:
            _put(self._open[-1].value, ended.name, _value(ended))
        elif ended.name in _ASIDES and ended.name not in self._records:
            kept = self._about.setdefault(ended.name, [])
            if isinstance(kept, list) and len(kept) < _MOST_ASIDES and self._size <= LONGEST_LINE:
                kept.append(_value(ended))
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


def _known_prefix(uri: str, written: str) -> str:
    """The prefix that this module gives a namespace; of an unknown one the prefix as written, if that has a meaning."""
    plain = _SCHEME.sub("", uri.strip().lower())
    if plain.startswith("wordpress.org/export") and plain.rstrip("/#").endswith("/excerpt"):
        return "excerpt:"
    for known, prefix in _NAMESPACES:
        if plain.startswith(known):
            return prefix
    return f"{written.lower()}:" if written.lower() in _PREFIXES else ""
