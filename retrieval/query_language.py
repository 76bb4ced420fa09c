"""What somebody typed, taken apart: words to look for, and filters. Pure; docs/query-language.md is its promise.

    from:author  #tag  tag:x  lang:zh  since:2026-01  until:2026-01-15  likes>100  near:"Shanghai,10km"
    "exact phrase"  -word  -"phrase"  -#tag  -from:author

Whatever looks like an operator and is none stays text; what cannot be what it looks like stays text as well, and a
mistake says why. An operator begins where a word can begin: wi-fi, 9:30, 1:15, C# and addresses are words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Literal, TypeAlias, TypeVar

from retrieval.places import city
from retrieval.query_mistakes import Mistake, MistakeCode, mistake
from retrieval.query_pieces import (
    BEFORE_WORD,
    BEGINS,
    BRACKETS,
    COMPARED,
    COORDINATES,
    NAMED,
    NAMES,
    OPENING,
    QUOTES,
    RADIUS_AFTER,
    SPACED_LETTER_OR_DIGIT,
    TAG,
    VALUE,
    WORD,
    ParsedQuery,
    Piece,
    PieceKind,
    tells,
)
from retrieval.query_values import Locate, read_language, read_likes, read_near, read_period
from retrieval.types import Filters, Near

MOST_VALUES = 50
_MOST_PIECES = 400  # a longer list of operators is nobody's query; what follows is text
_MOST_MISTAKES = 20


def parse_query(text: str, locate: Locate = city, today: date | None = None) -> ParsedQuery:
    """What was typed, as words and filters. Every text is a query; none is an error.

    Args:
        locate: Knows places by name, for `near:`.
        today: Tells which days are in the future; None does not ask.

    >>> parsed = parse_query('#coffee from:mo "flat white" near the lake -oat likes>10')
    >>> parsed.text, parsed.filters.tags, parsed.phrases, parsed.without, parsed.filters.min_likes
    ('flat white near the lake', ('coffee',), ('flat white',), ('oat',), 11)
    """
    return _Reader(text, locate, today).read()


def both(one: Filters, other: Filters) -> Filters:
    """What either asks for, such as an address's parameters and what was typed: names of one field are joined, of two
    bounds the stricter holds, and of two places the other's.
    """
    joined = {
        field: tuple(dict.fromkeys([*getattr(one, field), *getattr(other, field)]))
        for field in ("authors", "tags", "languages", "phrases", "without", "without_tags", "without_authors")
    }
    return Filters(
        **joined,
        since=_stricter(max, one.since, other.since),
        until=_stricter(min, one.until, other.until),
        min_likes=_stricter(max, one.min_likes, other.min_likes),
        max_likes=_stricter(min, one.max_likes, other.max_likes),
        near=other.near or one.near,
    )


# What follows a piece's start: the end of the piece; None where it is text.
_End: TypeAlias = int | None


class _Reader:
    """Goes through a text once, from left to right."""

    def __init__(self, typed: str, locate: Locate, today: date | None) -> None:
        self._typed, self._locate, self._today = typed, locate, today
        self._filters = Filters()
        self._pieces: list[Piece] = []
        self._mistakes: list[Mistake] = []
        self._kept: list[str] = []
        self._none_closes: set[str] = set()

    def read(self) -> ParsedQuery:
        typed = self._typed
        kept_to = at = 0
        while (found := BEGINS.search(typed, at)) is not None and len(self._pieces) < _MOST_PIECES:
            start, pieces = found.start(), len(self._pieces)
            end = self._piece(found)
            if end is None:
                # A sign may stand before what begins a piece; a name is passed over whole.
                at = found.end() if found.lastgroup in {"address", "named", "likes"} else max(found.end(), start + 1)
                continue
            if len(self._pieces) > pieces:
                self._kept.append(typed[kept_to:start])
                if self._pieces[-1].kind == "phrase":
                    self._kept.append(self._pieces[-1].value)
                kept_to = end
            at = end
        if not self._pieces:
            return ParsedQuery(typed, Filters(), (), tuple(self._mistakes))
        self._kept.append(typed[kept_to:])
        text = " ".join(part.strip() for part in self._kept if part.strip())
        return ParsedQuery(
            text if tells(text) else "",
            self._filters,
            tuple(self._pieces),
            tuple(self._mistakes),
        )

    # Each of the following reads what begins at a match, and gives its end; a mistake's end too, so that nothing in
    # it is read again.

    def _piece(self, found: re.Match[str]) -> _End:
        start = found.start()
        match found.lastgroup:
            case "quote":
                # 27" and 5'10" are measures.
                return None if self._touches_word(start) else self._phrase(start, start)
            case "hash":
                return self._tag(start, found.end()) if self._tag_may_begin(start) else None
            case "minus":
                return self._minus(start) if found.end() == start + 1 and self._may_begin(start) else None
            case "named":
                return self._named(start, start) if self._may_begin(start) else None
            case "likes":
                # 咖啡点赞>100 leaves no doubt without a space either.
                return self._compared(start) if self._may_begin(start) or not self._typed[start].isascii() else None
            case _:
                return None

    def _phrase(self, start: int, quote: int) -> _End:
        """A phrase whose first quotation mark stands at `quote`, after a minus at `start` or at the same place."""
        closing = self._closing(quote)
        if closing is None:
            return self._wrong("unbalanced_quote", quote, quote + 1)
        phrase = self._typed[quote + 1 : closing].strip()
        if not tells(phrase):
            return closing + 1
        field, kind = ("phrases", "phrase") if start == quote else ("without", "without")
        return self._add(field, [phrase], kind, phrase, start, closing + 1)  # type: ignore[arg-type]

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
            return self._wrong("cannot_exclude", start, end.end() if end else after)
        word = WORD.match(typed, after)
        if word is None or typed[after].isdigit() or typed[after] in "-－":  # -5 is a number
            return None
        end_of_word = after + len(word.group().rstrip(".:："))
        value = typed[after:end_of_word]
        return self._add("without", [value], "without", value, start, end_of_word) if tells(value) else None

    def _tag(self, start: int, at: int) -> _End:
        """A tag whose first character stands at `at`; #tag# is closed by a second sign."""
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
        return self._add(field, [value], kind, value, start, end)  # type: ignore[arg-type]

    def _compared(self, start: int) -> _End:
        """likes>100: a name, a sign and a number."""
        found = COMPARED.match(self._typed, start)
        assert found is not None, "a name and a sign were seen here"
        value = VALUE.match(self._typed, found.end())
        written = value.group().rstrip(",，、.:：)）]】") if value else ""
        bounds = read_likes(found["sign"] + written) if written else None
        end = found.end() + len(written)
        if bounds is None:
            # "more likes > comments" is no mistake of anybody's.
            spaced = found["gap"] or found["gap_after"] or not written
            return None if spaced else self._wrong("bad_likes", start, end)
        return self._likes(bounds, found["sign"] + written, start, end)

    def _named(self, start: int, name_at: int) -> _End:
        """name:value, after a minus where `start` is before `name_at`."""
        typed = self._typed
        name = NAMED.match(typed, name_at)
        assert name is not None, "a name and a colon were seen here"
        kind = NAMES[name["name"].lower()]
        value, end = self._value(kind, name.end())
        if end is None:
            return self._wrong("unbalanced_quote", name.end(), name.end() + 1)
        if not value:
            return self._wrong("empty_value", start, name.end())
        if start < name_at and kind not in {"author", "tag"}:
            return self._wrong("cannot_exclude", start, end)
        excluded = start < name_at
        match kind:
            case "author" | "tag":
                sign = "@＠" if kind == "author" else "#＃"
                quoted = typed[name.end()] in OPENING
                parts = [value] if quoted else re.split("[,，、]", value)
                values = [part for one in parts if tells(part := one.strip().lstrip(sign).strip())]
                if not values:
                    return self._wrong("empty_value", start, end)
                field = {"author": "authors", "tag": "tags"}[kind]
                what: PieceKind = {"author": "without_author", "tag": "without_tag"}[kind] if excluded else kind  # type: ignore[assignment]
                return self._add(f"without_{field}" if excluded else field, values, what, ", ".join(values), start, end)
            case "language":
                codes = [read_language(part) for part in re.split("[,，、/]", value) if part.strip()]
                if not codes or None in codes:
                    return self._wrong("unknown_language", start, end)
                return self._add("languages", [code for code in codes if code], kind, value, start, end)
            case "since" | "until":
                return self._period(kind, value, start, end)
            case "near":
                return self._near(value, start, end)
            case _:
                bounds = read_likes(value)
                return (
                    self._wrong("bad_likes", start, end) if bounds is None else self._likes(bounds, value, start, end)
                )

    def _value(self, kind: PieceKind, at: int) -> tuple[str, _End]:
        """What stands behind a colon, without quotation marks, and where it ends; no end where they do not close."""
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

    def _period(self, kind: Literal["since", "until"], value: str, start: int, end: int) -> _End:
        period = read_period(value)
        if period is None:
            return self._wrong("bad_date", start, end)
        held = self._filters
        if kind == "since":
            self._filters = replace(held, since=_stricter(max, held.since, period[0]))
            if self._today is not None and period[0].date() > self._today:
                self._wrong("future", start, end)
        else:
            self._filters = replace(held, until=_stricter(min, held.until, period[1]))
        if self._filters.since is not None and self._filters.until is not None:
            self._check_order(self._filters.since < self._filters.until, start, end)
        return self._take(kind, value, start, end)

    def _likes(self, bounds: tuple[int | None, int | None], value: str, start: int, end: int) -> _End:
        least = _stricter(max, self._filters.min_likes, bounds[0])
        most = _stricter(min, self._filters.max_likes, bounds[1])
        self._filters = replace(self._filters, min_likes=least, max_likes=most)
        if least is not None and most is not None:
            self._check_order(least <= most, start, end)
        return self._take("likes", value, start, end)

    def _near(self, value: str, start: int, end: int) -> _End:
        near = read_near(value, self._locate)
        if not isinstance(near, Near):
            return self._wrong("bad_near" if near is None else "unknown_place", start, end)
        for before in [piece for piece in self._pieces if piece.kind == "near"][-1:]:
            self._wrong("repeated", before.start, before.end)
        self._filters = replace(self._filters, near=near)
        return self._take("near", value, start, end)

    def _add(self, field: str, values: list[str], kind: PieceKind, value: str, start: int, end: int) -> _End:
        held: tuple[str, ...] = getattr(self._filters, field)
        joined = tuple(dict.fromkeys([*held, *values]))
        if len(joined) > MOST_VALUES:
            if not any(one.code == "too_many" for one in self._mistakes):
                self._wrong("too_many", start, end)
            return end
        self._filters = replace(self._filters, **{field: joined})  # type: ignore[arg-type]
        return self._take(kind, value, start, end)

    def _take(self, kind: PieceKind, value: str, start: int, end: int) -> int:
        self._pieces.append(Piece(kind, value, start, end))
        return end

    def _wrong(self, code: MistakeCode, start: int, end: int) -> int:
        if len(self._mistakes) < _MOST_MISTAKES:
            self._mistakes.append(mistake(code, self._typed, start, end))
        return end

    def _check_order(self, in_order: bool, start: int, end: int) -> None:
        if not in_order:
            self._wrong("empty_range", start, end)

    def _closing(self, quote: int) -> int | None:
        """Where the quotation mark at `quote` is closed."""
        opening = self._typed[quote]
        closers = BRACKETS.get(opening, QUOTES)
        if closers in self._none_closes:
            return None
        places = [at for closer in closers if (at := self._typed.find(closer, quote + 1)) >= 0]
        if not places:
            self._none_closes.add(closers)  # so that a thousand of them are not looked for a thousand times
            return None
        return min(places)

    def _may_begin(self, at: int) -> bool:
        """Whether a word can begin here."""
        if at == 0:
            return True
        before = self._typed[at - 1]
        return before.isspace() or before in BEFORE_WORD

    def _tag_may_begin(self, at: int) -> bool:
        """After Chinese too: 咖啡#上海; not in C#, nor in an address."""
        return (
            self._may_begin(at)
            or not (self._typed[at - 1].isascii() or self._touches_word(at))
            or (bool(self._pieces) and self._pieces[-1].end == at)
        )

    def _touches_word(self, at: int) -> bool:
        """Whether a letter or digit stands before, in a script that leaves spaces between words."""
        return at > 0 and SPACED_LETTER_OR_DIGIT.match(self._typed[at - 1]) is not None


_Bound = TypeVar("_Bound", datetime, int)


def _stricter(choose: Callable[[_Bound, _Bound], _Bound], held: _Bound | None, asked: _Bound | None) -> _Bound | None:
    return asked if held is None else held if asked is None else choose(held, asked)
