"""Where an export keeps the fields of a post: a mapping file in TOML, or `--map text=body`, a mapping in one line.

docs/posts.md describes both.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from indexer.posts.schema import FIELDS, PARTS
from indexer.readers.formats.detect import FORMATS
from indexer.readers.mapping.record_filters import RecordFilter, filter_of
from indexer.readers.mapping.rules import Rule, RuleError, Steps, Template, rule_of
from indexer.readers.record_kinds import FileContext, InvalidRecord, PostRecord, RecordKind, SkippedRecord
from retrieval.errors import FixableError

_TOP = ("format", "encoding", "records", "table", "query", "post", "drop")
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """What a mapping says.

    Attributes:
        format, encoding, records, table, query: How to read the file; "" if the mapping does not say.
        rules: Where the fields of a post come from; of two for one field, the later one that finds something.
        filters: Which records are skipped.
        keeps_rest: Whether fields of the record that no rule moves are fields of the post, as with `--map`.
    """

    format: str = ""
    encoding: str = ""
    records: str = ""
    table: str = ""
    query: str = ""
    rules: tuple[Rule, ...] = ()
    filters: tuple[RecordFilter, ...] = ()
    keeps_rest: bool = True

    def moved_names(self) -> frozenset[str]:
        """Names of fields that rules may move."""
        moved = [rule.moved_from for rule in self.rules]
        return frozenset([*moved, *(name.split(".")[0] for name in moved)])

    def decided(self) -> frozenset[str]:
        """Names of fields by which records are skipped: who wrote that has decided who may read the others."""
        return frozenset(str(one.path[0]) for one in self.filters)

    def passed_through(self) -> frozenset[Steps]:
        """Paths of objects, two and more steps into a record, in which the text and the id are looked for."""
        paths: list[Steps] = []
        for rule in self.rules:
            if rule.field not in {"id", "text", "title"}:
                continue
            if rule.moved_from:
                paths.append(tuple(rule.moved_from.split(".")))
            elif isinstance(rule.source, Template):
                paths += [piece for piece in rule.source.pieces if not isinstance(piece, str)]
            elif rule.source is not None:
                paths.append(rule.source)
        inner = [path[:length] for path in paths for length in range(1, len(path))]
        return frozenset(path for path in inner if "[*]" not in path)

    def read(self, value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
        """The post that a record becomes."""
        for one in self.filters:
            if one.holds(value):
                yield SkippedRecord(f"records with {one.words}")
                return
        moved = {rule.moved_steps(value)[0] for rule in self.rules} if self.keeps_rest else value.keys()
        post = {name: kept for name, kept in value.items() if name not in moved}
        for rule in self.rules:
            try:
                found = rule.of(value)
            except RuleError as error:
                yield InvalidRecord(rule.field, str(error), error.expected)
                return
            if found is not None:
                post[rule.field] = found
        yield PostRecord(post)


AS_THEY_ARE = FieldMapping()  # for records that are posts already


def parse_map_option(text: str) -> Rule:
    """The rule for `--map NEW=OLD`.

    Raises:
        ValueError: It is not of that form, or posts have no such field.

    >>> rule = parse_map_option("author=user.name")
    >>> rule.field, rule.moved_from
    ('author', 'user.name')
    """
    new, equals, old = (part.strip() for part in text.partition("="))
    if not (new and equals and old):
        raise ValueError(f"{text!r} is not NEW=OLD, such as text=body")
    if new not in FIELDS:
        close = get_close_matches(new, FIELDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(FIELDS)}"
        raise ValueError(f"a post has no field {new!r}; {hint}")
    return Rule(new, moved_from=old)


def mapping_of(options: Sequence[str]) -> FieldMapping:
    """The mapping for several `--map NEW=OLD`. Raises what `parse_map_option` does."""
    return FieldMapping(rules=tuple(map(parse_map_option, options)))


def load_mapping(path: Path) -> FieldMapping:
    """The mapping in a file.

    Raises:
        FixableError: It cannot be read, is not TOML, or is not a valid mapping: with the line, and what may be meant.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise FixableError(f"the mapping {path} cannot be read: {error.strerror}", "correct the path") from error
    except UnicodeDecodeError as error:
        raise FixableError(f"the mapping {path} is not UTF-8", "save it as UTF-8") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str = "mapping.toml") -> FieldMapping:
    """The mapping in a text; `name` is for error messages. Raises what `load_mapping` does."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{name}:{line[1]}" if line else name
        raise FixableError(
            f"{where}: this is not valid TOML: {str(error).split(' (at')[0]}", "correct it there"
        ) from error
    return _Reader(text, name).mapping(raw)


class _Reader:
    """Validates parsed TOML, with line numbers."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name

    def mapping(self, raw: dict[str, object]) -> FieldMapping:
        for key in raw:
            if key not in _TOP:
                field = key in FIELDS
                hint = "write it under [post]" if field else self._hint(key, _TOP)
                self._wrong((key,), f"{key!r} is unknown", hint)
        fields = raw.get("post")
        if not isinstance(fields, dict) or not fields:
            self._wrong(
                ("post",), "there is no [post] with the fields of a post", 'write [post], and under it id = "..."'
            )
        rules = tuple(self._rule(str(field), given) for field, given in fields.items())
        if "id" not in fields:
            self._wrong(("post",), "[post] has no 'id'", "say which field of a record tells one from another")
        if not {"text", "title"} & fields.keys():
            self._wrong(("post",), "[post] has neither 'text' nor 'title'", "say which field is the text")
        strings = {key: self._string(key, raw.get(key, "")) for key in _TOP[:5]}
        if strings["format"] and strings["format"] not in FORMATS:
            self._wrong(
                ("format",), f"the format {strings['format']!r} is unknown", self._hint(strings["format"], FORMATS)
            )
        if strings["encoding"] and not known_encoding(strings["encoding"]):
            self._wrong(
                ("encoding",), f"the encoding {strings['encoding']!r} is unknown", "write one such as 'gb18030'"
            )
        filters = tuple(self._filters(raw.get("drop", [])))
        return FieldMapping(**strings, rules=rules, filters=filters, keeps_rest=False)

    def _string(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            self._wrong((key,), f"{key!r} is not a string", f'write {key} = "..."')
        return value

    def _rule(self, field: str, given: object) -> Rule:
        if field not in FIELDS:
            self._wrong(("post", field), f"a post has no field {field!r}", self._hint(field, FIELDS))
        try:
            return rule_of(field, given, tuple(PARTS[field].model_fields) if field in PARTS else ())
        except RuleError as error:
            self._wrong(("post", field), f"{field!r} {error}", error.expected)

    def _filters(self, given: object) -> Iterator[RecordFilter]:
        if not isinstance(given, list):
            self._wrong(("drop",), "'drop' is not a list of tables", "write [[drop]], and under it path = ...")
        for at, entry in enumerate(given):
            try:
                yield filter_of(entry)
            except RuleError as error:
                self._wrong(("drop", at), f"this [[drop]] {error}", error.expected)

    def _hint(self, name: str, known: tuple[str, ...]) -> str:
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        return f"did you mean {close[0]!r}?" if close else f"it may be one of {', '.join(known)}"

    def _wrong(self, where: tuple[str | int, ...], problem: str, fix: str) -> NoReturn:
        line = _line_of(self._text, where)
        raise FixableError(f"{self._name}{f':{line}' if line else ''}: {problem}", fix)


def _line_of(text: str, where: tuple[str | int, ...]) -> int:
    """The line of a key in a TOML text, from 1; 0 if it is not there. tomllib keeps no lines."""
    table: list[str] = []
    filter_number, header_line = -1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if found := re.match(r"\[\[?\s*([^\]]+?)\s*\]\]?", stripped):
            table = [part.strip().strip("\"'") for part in found[1].split(".")]
            header_line = number
            filter_number += stripped.startswith("[[") and table == ["drop"]
            if tuple(table) == where or (where[0] == "drop" and table == ["drop"] and where[-1] == filter_number):
                return number
        elif found := re.match(r"([A-Za-z0-9_.\"'-]+)\s*=", stripped):
            key = (*table, *(part.strip("\"'") for part in found[1].split(".")))
            if key[: len(where)] == where:
                return number
        if header_line and tuple(table[: len(where)]) == where:
            return header_line
    return 0


def known_encoding(name: str) -> bool:
    """Whether Python knows a text encoding of that name."""
    try:
        return codecs.lookup(name)._is_text_encoding  # codecs has no public way to ask
    except (LookupError, ValueError):
        return False
