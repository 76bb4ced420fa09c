"""Filters of a query: collected operator by operator, or merged from two sources. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Literal, TypeVar

from retrieval.query.mistakes import Mistake, MistakeCode, mistake
from retrieval.query.operator_values import read_period
from retrieval.query.pieces import Piece, PieceKind
from retrieval.types import Filters, Near

MOST_VALUES = 50
_MOST_MISTAKES = 20


def both(one: Filters, other: Filters) -> Filters:
    """The filters of both, such as those of a URL's parameters and of the typed query: values of one field are joined,
    the stricter of two bounds holds, a time given by dates rather than by words, and the second of two places.
    """
    if one.is_timed and other.is_timed and one.in_words != other.in_words:
        one, other = (one.at_any_time(), other) if one.in_words else (one, other.at_any_time())
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
        in_words=one.in_words or other.in_words,
    )


class FilterBuilder:
    """Collects the filters, pieces and mistakes of a query.

    Each method that takes a piece of it, from `start` to `end` in the query, returns its end.
    """

    def __init__(self, typed: str, today: date | None) -> None:
        self._typed, self._today = typed, today
        self.filters = Filters()
        self.pieces: list[Piece] = []
        self.mistakes: list[Mistake] = []

    def period(self, kind: Literal["since", "until"], value: str, start: int, end: int) -> int:
        period = read_period(value)
        if period is None:
            return self.wrong("bad_date", start, end)
        held = self.filters
        if kind == "since":
            self.filters = replace(held, since=_stricter(max, held.since, period[0]))
            if self._today is not None and period[0].date() > self._today:
                self.wrong("future", start, end)
        else:
            self.filters = replace(held, until=_stricter(min, held.until, period[1]))
        if self.filters.since is not None and self.filters.until is not None:
            self._check_order(self.filters.since < self.filters.until, start, end)
        return self._take(kind, value, start, end)

    def time(self, period: tuple[datetime | None, datetime | None], value: str, start: int, end: int) -> int:
        self.filters = replace(self.filters, since=period[0], until=period[1], in_words=True)
        return self._take("time", value, start, end)

    def likes(self, bounds: tuple[int | None, int | None], value: str, start: int, end: int) -> int:
        least = _stricter(max, self.filters.min_likes, bounds[0])
        most = _stricter(min, self.filters.max_likes, bounds[1])
        self.filters = replace(self.filters, min_likes=least, max_likes=most)
        if least is not None and most is not None:
            self._check_order(least <= most, start, end)
        return self._take("likes", value, start, end)

    def near(self, near: Near, value: str, start: int, end: int) -> int:
        for before in [piece for piece in self.pieces if piece.kind == "near"][-1:]:
            self.wrong("repeated", before.start, before.end)
        self.filters = replace(self.filters, near=near)
        return self._take("near", value, start, end)

    def add(self, field: str, values: list[str], kind: PieceKind, value: str, start: int, end: int) -> int:
        held: tuple[str, ...] = getattr(self.filters, field)
        joined = tuple(dict.fromkeys([*held, *values]))
        if len(joined) > MOST_VALUES:
            if not any(one.code == "too_many" for one in self.mistakes):
                self.wrong("too_many", start, end)
            return end
        self.filters = replace(self.filters, **{field: joined})  # type: ignore[arg-type]  # the fields that take several texts
        return self._take(kind, value, start, end)

    def _take(self, kind: PieceKind, value: str, start: int, end: int) -> int:
        self.pieces.append(Piece(kind, value, start, end))
        return end

    def wrong(self, code: MistakeCode, start: int, end: int) -> int:
        if len(self.mistakes) < _MOST_MISTAKES:
            self.mistakes.append(mistake(code, self._typed, start, end))
        return end

    def _check_order(self, in_order: bool, start: int, end: int) -> None:
        if not in_order:
            self.wrong("empty_range", start, end)


_Bound = TypeVar("_Bound", datetime, int)


def _stricter(choose: Callable[[_Bound, _Bound], _Bound], held: _Bound | None, asked: _Bound | None) -> _Bound | None:
    return asked if held is None else held if asked is None else choose(held, asked)
