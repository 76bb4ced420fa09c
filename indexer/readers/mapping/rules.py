"""How a mapping gets one field of a post from a record. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from indexer.posts.dates import ASSUMED_UTC, DateError, UnreadableDate, read_moment
from indexer.posts.field_values import show
from indexer.posts.html_text import html_text
from indexer.readers.mapping.cells import COUNTS, NOTHING, NOTHING_IN_PROSE, cell_values
from indexer.readers.paths import PathError, joined_text, parse_path, parts_at, reach

Steps = tuple[str | int, ...]

OPTIONS = ("path", "template", "constant", "default", "html", "date", "zone", "split", "strip")
_CELLS = COUNTS | {"tags", "images"}
UNITS = frozenset({"s", "ms", "us", "ns"})
_SLOT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class RuleError(ValueError):
    """What is wrong with a rule, or with a value that it was applied to.

    Attributes:
        expected: What should be there, or what to do.
    """

    def __init__(self, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Template:
    """Text with fields of the record in it: "{title}\\n\\n{body}"."""

    pieces: tuple[str | Steps, ...]

    def of(self, record: object) -> str | None:
        """The text; None if it has fields and all of them are empty."""
        filled = [piece if isinstance(piece, str) else _slot(record, piece) for piece in self.pieces]
        found = [text for text, piece in zip(filled, self.pieces, strict=True) if not isinstance(piece, str)]
        return "".join(filled).strip() if any(found) or not found else None


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a field's value comes from, and what is done to it, in this order.

    Attributes:
        source: A path, a template, or a constant (`None`, then `default` is the value).
        default: The value if there is none.
        html: Whether to convert HTML to text.
        date, zone: A date's format and time zone. See dates.read_moment.
        split: A regular expression that separates the entries of a list.
        strip: Characters to remove at both ends (of each entry).
        inner: Rules for the parts of each entry of a field that has parts (images, comments, place).
        moved_from: With `--map`: a path of names, whose value moves here, without any of the above; a count, or a list,
            is read from a string.
    """

    field: str
    source: Steps | Template | None = None
    default: object = None
    html: bool = False
    date: str = ""
    zone: tzinfo | None = None
    split: re.Pattern[str] | None = None
    strip: str = ""
    inner: Mapping[str, Rule] | None = None
    moved_from: str = ""

    def moved_steps(self, record: object) -> Steps:
        """The steps of `moved_from`; a field whose name contains the dots comes first."""
        whole = isinstance(record, dict) and self.moved_from in record
        return (self.moved_from,) if whole else tuple(self.moved_from.split("."))

    def of(self, record: object) -> object:
        """The field's value; None if there is none.

        Raises:
            RuleError: The value cannot be converted.
        """
        if self.moved_from:
            moved = reach(record, self.moved_steps(record))
            if isinstance(moved, str) and self.field in _CELLS:
                return cell_values({self.field: moved}).get(self.field)
            return moved
        found = self._found(record)
        if self.inner is not None:
            return self._parts(found)
        value = self._cell_value(found)
        if value is None or value == []:
            return self.default
        if self.html:
            value = [html_text(one) if isinstance(one, str) else one for one in value] if isinstance(value, list) else (
                html_text(value) if isinstance(value, str) else value
            )  # fmt: skip
        if self.field == "created_at":
            return self._moment(value)
        if self.field == "images" and self.split is None:
            return cell_values({"images": value}).get("images")
        if self.split is not None or self.field == "tags":
            return self._entries(value)
        if self.strip and isinstance(value, str):
            value = value.strip(self.strip)
        return value

    def _found(self, record: object) -> object:
        if isinstance(self.source, Template):
            return self.source.of(record)
        if self.field in {"text", "title"} and self.source and (parts := parts_at(record, self.source)) is not None:
            return parts
        return None if self.source is None else reach(record, self.source)

    def _cell_value(self, value: object) -> object:
        """Convert a table's text: counts to numbers, "NULL" to nothing."""
        if isinstance(value, list) and self.field not in {"tags", "images", "comments"}:
            value = [one for one in value if one is not None]
            if self.field in {"text", "title"} and any(isinstance(one, dict) for one in value):
                return joined_text(value) or None
            if self.field in {"text", "title", "author"}:
                return "\n".join(filter(None, map(_words, value))) or None
            value = value[0] if value else None
        if isinstance(value, str) and value.strip() in (
            NOTHING_IN_PROSE if self.field in {"text", "title", "id"} else NOTHING
        ):
            return None
        if self.field in COUNTS:
            return cell_values({self.field: value}).get(self.field)
        if isinstance(value, list | dict) and self.field in {"text", "title"}:
            return joined_text(value)
        if self.field in {"text", "title", "author", "url", "language", "alt", "name"} and isinstance(
            value, int | float
        ):
            return _words(value)
        if self.field in {"latitude", "longitude"} and isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                raise RuleError(f"is {show(value)}", "a number of degrees") from None
        return value

    def _moment(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value  # validation reports it
        try:
            moment = read_moment(value, self.zone or ASSUMED_UTC, self.date)
        except DateError as error:
            return UnreadableDate(value, str(error))
        return (moment.replace(tzinfo=None) if moment.tzinfo is ASSUMED_UTC else moment).isoformat()

    def _entries(self, value: object) -> object:
        if isinstance(value, str):
            if self.split is None:
                value = cell_values({"tags": value}).get("tags")
            else:
                value = [one for one in self.split.split(value) if one and one.strip()]
        if not isinstance(value, list):
            return value
        entries = [one.strip(self.strip or None) if isinstance(one, str) else one for one in value]
        return cell_values({"images": entries}).get("images") if self.field == "images" else entries

    def _parts(self, found: object) -> object:
        assert self.inner is not None, "a rule with parts"
        if self.field == "place":
            parts = {name: value for name, rule in self.inner.items() if (value := rule.of(found)) is not None}
            return parts or None
        entries = found if isinstance(found, list) else [] if found is None else [found]
        made = [
            {name: value for name, rule in self.inner.items() if (value := rule.of(one)) is not None} for one in entries
        ]
        needed = "url" if self.field == "images" else "text"
        return [one for one in made if needed in one] or None


def rule_of(field: str, given: object, parts: tuple[str, ...] = ()) -> Rule:
    """The rule that a mapping has for a field.

    Args:
        given: A path, or a table of OPTIONS, and of `parts` for a field that has parts.

    Raises:
        RuleError: It is invalid.
    """
    if isinstance(given, str):
        given = {"path": given}
    if not isinstance(given, dict):
        raise RuleError("is neither a path nor a table", 'write a path such as "user.name", or { constant = ... }')
    for option in given:
        if option not in OPTIONS and option not in parts:
            close = get_close_matches(option, (*OPTIONS, *parts), n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"it may have {', '.join((*OPTIONS, *parts))}"
            raise RuleError(f"has an unknown option {option!r}", hint)
    sources = [option for option in ("path", "template", "constant") if option in given]
    if field == "place" and not sources and set(given) & set(parts):
        source: Steps | Template | None = ()
    elif len(sources) != 1:
        raise RuleError(
            "says where it comes from " + ("in several ways" if sources else "nowhere"),
            "give it one of path, template and constant",
        )
    else:
        source = _source(given)
    inner = {part: rule_of(part, given[part]) for part in parts if part in given}
    return Rule(
        field, source, given.get("constant", given.get("default")), _flag(given, "html"), *_date(given),
        split=_pattern(given), strip=_string(given, "strip"), inner=inner or None,
    )  # fmt: skip


def _source(given: Mapping[str, object]) -> Steps | Template | None:
    try:
        if "template" in given:
            return template_of(_string(given, "template"))
        return parse_path(_string(given, "path")) if "path" in given else None
    except PathError as error:
        raise RuleError(
            f"has an invalid path: {error}", 'write names and numbers: "media[0].url", "tags[*].name"'
        ) from None


def template_of(text: str) -> Template:
    """Parse a template: {path} is filled in, {{ and }} are braces.

    Raises:
        RuleError: A brace is unmatched. PathError: A path in braces is invalid.
    """
    pieces: list[str | Steps] = []
    at = 0
    for slot in _SLOT.finditer(text):
        pieces.append(_plain(text[at : slot.start()]))
        pieces.append(slot[0][0] if slot[1] is None else parse_path(slot[1].strip()))
        at = slot.end()
    pieces.append(_plain(text[at:]))
    return Template(tuple(piece for piece in pieces if piece))


def _plain(text: str) -> str:
    if "{" in text or "}" in text:
        raise RuleError("has a template with an unmatched brace", "write {{ and }} for braces")
    return text


def _date(given: Mapping[str, object]) -> tuple[str, tzinfo | None]:
    pattern, zone = _string(given, "date"), _string(given, "zone")
    if pattern and pattern not in UNITS:
        try:
            sample = datetime(2024, 5, 12, 15, 20, tzinfo=UTC).strftime(pattern)
            datetime.strptime(sample, pattern)  # noqa: DTZ007  # only checks that it can be parsed
        except ValueError:
            raise RuleError(f"has the invalid date format {pattern!r}", "write one such as '%d/%m/%Y %H:%M'") from None
        if "%" not in pattern:
            raise RuleError(f"has the invalid date format {pattern!r}", "write '%d/%m/%Y', or one of s, ms, us, ns")
    if not zone:
        return pattern, None
    try:
        return pattern, ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise RuleError(f"has the unknown time zone {zone!r}", "write one such as 'Asia/Shanghai'") from None


def _pattern(given: Mapping[str, object]) -> re.Pattern[str] | None:
    written = given.get("split")
    if written is None:
        return None
    if isinstance(written, list) and all(isinstance(one, str) and one for one in written) and written:
        return re.compile("|".join(re.escape(one) for one in written))
    if isinstance(written, str) and written:
        return re.compile(re.escape(written))
    raise RuleError(
        "has a 'split' that is neither a string nor a list of strings", 'write split = "," or split = [",", ";"]'
    )


def _string(given: Mapping[str, object], option: str) -> str:
    value = given.get(option, "")
    if not isinstance(value, str):
        raise RuleError(f"has {option!r}, which is not a string", f'write {option} = "..."')
    return value


def _flag(given: Mapping[str, object], option: str) -> bool:
    value = given.get(option, False)
    if not isinstance(value, bool):
        raise RuleError(f"has {option!r}, which is neither true nor false", f"write {option} = true")
    return value


def _slot(record: object, steps: Steps) -> str:
    parts = parts_at(record, steps)
    return _words(reach(record, steps)) if parts is None else parts


def _words(value: object) -> str:
    """A value as text: whole numbers without ".0", "" for nothing."""
    if value is None or isinstance(value, dict):
        return joined_text(value)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return joined_text(value)
    if isinstance(value, list):
        return " ".join(filter(None, map(_words, value)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
