"""Parse what somebody typed into words and filters. Pure; specified in docs/query-language.md.

    from:author  #tag  tag:x  lang:zh  since:2026-01  until:2026-01-15  likes>100  near:"Shanghai,10km"
    "exact phrase"  -word  -"phrase"  -#tag  -from:author  last week  去年

Whatever only resembles an operator stays text; an operator with an invalid value stays text too, and a mistake says
why. An operator begins where a word can begin: wi-fi, 9:30, 1:15, C# and URLs are words.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TypeAlias

from retrieval.query.filters import FilterBuilder
from retrieval.query.operator_values import Locate, read_language, read_likes, read_near
from retrieval.query.pieces import (
    BEGINS,
    BRACKETS,
    COMPARED,
    COORDINATES,
    NAMED,
    NAMES,
    OPENING,
    QUOTES,
    RADIUS_AFTER,
    TAG,
    VALUE,
    WORD,
    ParsedQuery,
    PieceKind,
    may_begin,
    tells,
    touches_word,
)
from retrieval.query.places import city
from retrieval.query.times import limits, read_time
from retrieval.types import Filters, Near

_SPACE_BEFORE_STOP = re.compile(r" (?=[?？!！。，,](?: |\Z))")
_MOST_PIECES = 400  # nobody types more operators; what follows is text


def parse_query(text: str, locate: Locate = city, today: date | None = None) -> ParsedQuery:
    """Words and filters of what was typed. Every text is a valid query.

    Args:
        locate: Finds places by name, for `near:`.
        today: For times in ordinary words ("last week"), and for warnings about dates in the future; None has neither.

    >>> parsed = parse_query('#coffee from:mo "flat white" near the lake -oat likes>10')
    >>> parsed.text, parsed.filters.tags, parsed.phrases, parsed.without, parsed.filters.min_likes
    ('flat white near the lake', ('coffee',), ('flat white',), ('oat',), 11)
    """
    reader = _Reader(text, locate, today)
    parsed = reader.read()
    kinds = {piece.kind for piece in parsed.pieces}
    # Two times are compared with each other; beside operators, or alone, a time is words.
    if "time" in kinds and (reader.times > 1 or kinds & {"since", "until"} or not parsed.text):
        return _Reader(text, locate, today, times=False).read()
    return parsed


# End of a piece that starts here; None if it is text.
_End: TypeAlias = int | None


class _Reader:
    """Reads a text once, from left to right."""

    def __init__(self, typed: str, locate: Locate, today: date | None, *, times: bool = True) -> None:
        self._typed, self._locate, self._today = typed, locate, today if times else None
        self.times = 0
        self._filters = FilterBuilder(typed, today)
        self._kept: list[str] = []
        self._none_closes: set[str] = set()

    def read(self) -> ParsedQuery:
        typed = self._typed
        kept_to = at = 0
        while (found := BEGINS.search(typed, at)) is not None and len(self._filters.pieces) < _MOST_PIECES:
            start, pieces = found.start(), len(self._filters.pieces)
            end = self._piece(found)
            if end is None:
                # A piece may begin right after a sign; a name is skipped whole.
                at = found.end() if found.lastgroup in {"address", "named", "likes"} else max(found.end(), start + 1)
                continue
            if len(self._filters.pieces) > pieces:
                self._kept.append(typed[kept_to:start])
                if self._filters.pieces[-1].kind == "phrase":
                    self._kept.append(self._filters.pieces[-1].value)
                kept_to = end
            at = end
        if not self._filters.pieces:
            return ParsedQuery(typed, Filters(), (), tuple(self._filters.mistakes))
        self._kept.append(typed[kept_to:])
        text = _SPACE_BEFORE_STOP.sub("", " ".join(part.strip() for part in self._kept if part.strip()))
        return ParsedQuery(
            text if tells(text) else "",
            self._filters.filters,
            tuple(self._filters.pieces),
            tuple(self._filters.mistakes),
        )

    # Each of the following reads what begins at a match and returns its end; also that of a mistake, so that nothing
    # in it is read again.

    def _piece(self, found: re.Match[str]) -> _End:
        start = found.start()
        match found.lastgroup:
            case "quote":
                # 27" and 5'10" are lengths.
                return None if touches_word(self._typed, start) else self._phrase(start, start)
            case "hash":
                return self._tag(start, found.end()) if self._tag_may_begin(start) else None
            case "minus":
                return self._minus(start) if found.end() == start + 1 and may_begin(self._typed, start) else None
            case "named":
                return self._named(start, start) if may_begin(self._typed, start) else None
            case "likes":
                # 咖啡点赞>100 is clear without a space.
                return (
                    self._compared(start) if may_begin(self._typed, start) or not self._typed[start].isascii() else None
                )
            case "time":
                return self._time(start, found.end())
            case _:
                return None

    def _time(self, start: int, end: int) -> _End:
        self.times += 1
        if self._today is None or not limits(self._typed, start, end):
            return None
        period = read_time(self._typed[start:end], self._today)
        return None if period is None else self._filters.time(period, self._typed[start:end], start, end)

    def _phrase(self, start: int, quote: int) -> _End:
        """A phrase whose opening quotation mark is at `quote`, after a minus at `start` or at the same place."""
        closing = self._closing(quote)
        if closing is None:
            return self._filters.wrong("unbalanced_quote", quote, quote + 1)
        phrase = self._typed[quote + 1 : closing].strip()
        if not tells(phrase):
            return closing + 1
        field, kind = ("phrases", "phrase") if start == quote else ("without", "without")
        return self._filters.add(field, [phrase], kind, phrase, start, closing + 1)  # type: ignore[arg-type]  # both kinds are PieceKinds

    def _minus(self, start: int) -> _End:
        typed, after = self._typed, start + 1
        if after >= len(typed):
            return None
        if typed[after] in OPENING:
            return self._phrase(start, after)
        if typed[after] in "#＃":
            return self._tag(start, after + 1)
        if NAMED.match(typed, after):
            return self._named(start, after)
        if COMPARED.match(typed, after):
            end = VALUE.match(typed, after)
            return self._filters.wrong("cannot_exclude", start, end.end() if end else after)
        word = WORD.match(typed, after)
        if word is None or typed[after].isdigit() or typed[after] in "-－":  # -5 is a number
            return None
        end_of_word = after + len(word.group().rstrip(".:："))
        value = typed[after:end_of_word]
        return self._filters.add("without", [value], "without", value, start, end_of_word) if tells(value) else None

    def _tag(self, start: int, at: int) -> _End:
        """A tag whose first character is at `at`; in #tag# a second sign closes it."""
        typed = self._typed
        if at < len(typed) and typed[at] in OPENING and (closing := self._closing(at)) is not None:
            value, end = typed[at + 1 : closing].strip(), closing + 1
        else:
            found = TAG.match(typed, at)
            value = found.group().rstrip(".") if found else ""
            end = at + len(value)
        if not tells(value) or value.isdigit():  # "the #1 place"
            return None
        if end < len(typed) and typed[end] in "#＃" and (end + 1 == len(typed) or typed[end + 1].isspace()):
            end += 1
        field, kind = ("tags", "tag") if typed[start] in "#＃" else ("without_tags", "without_tag")
        return self._filters.add(field, [value], kind, value, start, end)  # type: ignore[arg-type]  # both kinds are PieceKinds

    def _compared(self, start: int) -> _End:
        """likes>100: a name, a sign and a number."""
        found = COMPARED.match(self._typed, start)
        assert found is not None, "the caller matched a name and a sign here"
        value = VALUE.match(self._typed, found.end())
        written = value.group().rstrip(",，、.:：)）]】") if value else ""
        bounds = read_likes(found["sign"] + written) if written else None
        end = found.end() + len(written)
        if bounds is None:
            # "more likes > comments" is ordinary text.
            spaced = found["gap"] or found["gap_after"] or not written
            return None if spaced else self._filters.wrong("bad_likes", start, end)
        return self._filters.likes(bounds, found["sign"] + written, start, end)

    def _named(self, start: int, name_at: int) -> _End:
        """name:value, after a minus where `start` is before `name_at`."""
        typed = self._typed
        name = NAMED.match(typed, name_at)
        assert name is not None, "the caller matched a name and a colon here"
        kind = NAMES[name["name"].lower()]
        value, end = self._value(kind, name.end())
        if end is None:
            return self._filters.wrong("unbalanced_quote", name.end(), name.end() + 1)
        if not value:
            return self._filters.wrong("empty_value", start, name.end())
        if start < name_at and kind not in {"author", "tag"}:
            return self._filters.wrong("cannot_exclude", start, end)
        excluded = start < name_at
        match kind:
            case "author" | "tag":
                sign = "@＠" if kind == "author" else "#＃"
                quoted = typed[name.end()] in OPENING
                parts = [value] if quoted else re.split("[,，、]", value)
                values = [part for one in parts if tells(part := one.strip().lstrip(sign).strip())]
                if not values:
                    return self._filters.wrong("empty_value", start, end)
                field = {"author": "authors", "tag": "tags"}[kind]
                what: PieceKind = {"author": "without_author", "tag": "without_tag"}[kind] if excluded else kind  # type: ignore[assignment]  # author or tag here
                return self._filters.add(
                    f"without_{field}" if excluded else field, values, what, ", ".join(values), start, end
                )
            case "language":
                codes = [read_language(part) for part in re.split("[,，、/]", value) if part.strip()]
                if not codes or None in codes:
                    return self._filters.wrong("unknown_language", start, end)
                return self._filters.add("languages", [code for code in codes if code], kind, value, start, end)
            case "since" | "until":
                return self._filters.period(kind, value, start, end)
            case "near":
                near = read_near(value, self._locate)
                if not isinstance(near, Near):
                    return self._filters.wrong("bad_near" if near is None else "unknown_place", start, end)
                return self._filters.near(near, value, start, end)
            case _:
                bounds = read_likes(value)
                return (
                    self._filters.wrong("bad_likes", start, end)
                    if bounds is None
                    else self._filters.likes(bounds, value, start, end)
                )

    def _value(self, kind: PieceKind, at: int) -> tuple[str, _End]:
        """The value after a colon, without quotation marks, and its end; None if the quotation marks are not closed."""
        typed = self._typed
        if at < len(typed) and typed[at] in OPENING:
            closing = self._closing(at)
            if closing is None:
                return "", None
            value, end = typed[at + 1 : closing].strip(), closing + 1
            if kind == "near" and (radius := RADIUS_AFTER.match(typed, end)):
                value, end = value + radius.group(), radius.end()
            return value, end
        found = (COORDINATES.match(typed, at) if kind == "near" else None) or VALUE.match(typed, at)
        value = found.group().rstrip(",，、.:：)）]】") if found else ""
        return value, at + len(value)

    def _closing(self, quote: int) -> int | None:
        """Index of the quotation mark that closes the one at `quote`."""
        opening = self._typed[quote]
        closers = BRACKETS.get(opening, QUOTES)
        if closers in self._none_closes:
            return None
        places = [at for closer in closers if (at := self._typed.find(closer, quote + 1)) >= 0]
        if not places:
            self._none_closes.add(closers)  # so that a thousand unclosed ones are not searched for a thousand times
            return None
        return min(places)

    def _tag_may_begin(self, at: int) -> bool:
        """Also after Chinese: 咖啡#上海; not in C# or in a URL."""
        typed, pieces = self._typed, self._filters.pieces
        after_other_script = not (typed[at - 1].isascii() or touches_word(typed, at))
        return may_begin(typed, at) or after_other_script or (bool(pieces) and pieces[-1].end == at)
