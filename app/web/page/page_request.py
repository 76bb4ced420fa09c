"""What the address of a page asks for, and the addresses that a page links to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from urllib.parse import quote, urlencode

from app.web.api.requests import QUERY_MAX_LENGTH, visible_text
from app.web.page.words.labels import Labels, Ui
from retrieval.query.operator_values import plain_author, plain_tag, read_language
from retrieval.query.pieces import Piece, PieceKind, without_piece
from retrieval.types import Filters, SearchQuery, Sort

HITS_PER_PAGE = 10
LARGEST_OFFSET = 1000
_MOST_VALUES = 50
_LONGEST_ID = 64
_MOST_LIKES = 2**53

FilterName = Literal["min_likes"] | PieceKind


class BadParameter(ValueError):
    """A parameter of an address that is not valid.

    Attributes:
        label: Which of Labels' phrases says so.
        parameter: Its name in the address.
        details: What the phrase needs besides the name.
    """

    def __init__(
        self,
        label: Literal["too_long", "bad_date", "bad_number", "bad_language", "empty_range", "too_many"],
        parameter: str,
        **details: object,
    ) -> None:
        super().__init__(f"{parameter}: {label} {details}")
        self.label, self.parameter, self.details = label, parameter, details

    def message(self, labels: Labels) -> str:
        """The same in the page's words."""
        name = getattr(labels, f"filter_{self.parameter}", self.parameter)
        phrase: str = getattr(labels, self.label)
        return phrase.format(name=name, **self.details)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, in the address or in the query, and the address of the same page without it."""

    parameter: FilterName
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the address of a page asks for.

    Attributes:
        text: As typed, without control characters; "" asks for the empty page.
        until: Last day, inclusive; a day is one of UTC.
        ui: Language of the page, if the address names one; None leaves it to the browser.
        sort: In which order the posts come.
        fold: Whether near copies are grouped under one card.
        scripted: False if the page must contain the whole answer, for browsers without JavaScript ("js=off").
        thinking: Whether to show what a reasoning model thought before it wrote.
        conversation: Id of the conversation that the question belongs to; "" if it starts one.
        turn: Its number there, from 1; 0 if it is not kept yet.
    """

    text: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    min_likes: int | None = None
    offset: int = 0
    sort: Sort = "relevance"
    fold: bool = True
    ui: Ui | None = None
    scripted: bool = True
    thinking: bool = False
    conversation: str = ""
    turn: int = 0

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]]) -> PageRequest:
        """Read the parameters of an address, without empty and unknown ones.

        Raises:
            BadParameter: The question is too long, or a filter is not valid.
        """
        given: dict[str, list[str]] = {}
        for name, value in parameters:
            if value.strip():
                given.setdefault(name, []).append(value)
        text = visible_text(_last(given, "q"))
        if len(text) > QUERY_MAX_LENGTH:
            raise BadParameter("too_long", "q", n=f"{len(text):,}", limit=f"{QUERY_MAX_LENGTH:,}")
        since, until = _day(given, "since"), _day(given, "until")
        if since is not None and until is not None and until < since:
            raise BadParameter("empty_range", "until", value=str(until))
        return cls(
            text=text,
            authors=_several(given, "author", plain_author),
            tags=_several(given, "tag", plain_tag),
            languages=_several(given, "language", _language),
            since=since,
            until=until,
            min_likes=_whole(given, "min_likes", _MOST_LIKES),
            offset=_whole(given, "offset", LARGEST_OFFSET) or 0,
            sort=next((sort for sort in get_args(Sort) if sort == _last(given, "sort")), "relevance"),
            fold=_last(given, "fold") != "0",
            ui=next((ui for ui in get_args(Ui) if ui == _last(given, "ui")), None),
            scripted=_last(given, "js") != "off",
            thinking=_last(given, "think") == "1",
            conversation=_last(given, "c").strip()[:_LONGEST_ID],
            turn=_whole(given, "t", LARGEST_OFFSET) or 0,
        )

    def filters(self) -> Filters:
        return Filters(
            authors=self.authors,
            tags=self.tags,
            languages=self.languages,
            since=_midnight(self.since),
            # Inclusive here, exclusive there. No day follows the last day of the calendar, and none is needed.
            until=None if self.until in (None, date.max) else _midnight(self.until + timedelta(days=1)),
            min_likes=self.min_likes,
        )

    def query(self, text: str, filters: Filters, answer_hits: int) -> SearchQuery:
        """The search for the posts of this page.

        Args:
            text, filters: As parsed, and completed from the conversation.
            answer_hits: How many of the posts an answer is made from. They come first on the pages of a question.
        """
        answer_hits = answer_hits if self.in_order_of_answers and text else 0
        return SearchQuery(
            text,
            filters,
            HITS_PER_PAGE if self.offset else max(HITS_PER_PAGE, answer_hits),
            self.offset,
            sort=self.sort,
            facets=() if self.offset else ("tags",),
            fold=self.fold,
            answer_hits=answer_hits,
        )

    @property
    def in_order_of_answers(self) -> bool:
        """Whether the posts come in the order in which an answer uses them, so that its marks can number the cards."""
        return self.sort == "relevance" and self.fold

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters that `read` makes this from, without those that have their default."""
        single = [("since", self.since), ("until", self.until), ("min_likes", self.min_likes)]
        return [
            *([("q", self.text)] if self.text else []),
            *(("author", author) for author in self.authors),
            *(("tag", tag) for tag in self.tags),
            *(("language", language) for language in self.languages),
            *((name, str(value)) for name, value in single if value is not None),
            *([("sort", self.sort)] if self.sort != "relevance" else []),
            *([] if self.fold else [("fold", "0")]),
            *([("offset", str(self.offset))] if self.offset else []),
            *([("think", "1")] if self.thinking else []),
            *([("c", self.conversation)] if self.conversation else []),
            *([("t", str(self.turn))] if self.conversation and self.turn else []),
            *self.manner(),
        ]

    def manner(self) -> list[tuple[str, str]]:
        """The parameters that say how the page is shown, which every link keeps."""
        return [*([("ui", self.ui)] if self.ui else []), *([] if self.scripted else [("js", "off")])]

    def address(self, path: str = "/search", **more: str) -> str:
        """The address of a page that asks for this."""
        parameters = [*self.parameters(), *more.items()]
        return f"{path}?{urlencode(parameters)}" if parameters else path

    def post(self, post_id: str, quotes: Iterable[str] = ()) -> str:
        """The address of a post's own page, which leads back here.

        Args:
            quotes: What is lit there; see `Quoted.written`.
        """
        parameters = [*self.parameters(), *(("quote", one) for one in quotes)]
        path = f"/post/{quote(post_id, safe='', errors='replace')}"
        return f"{path}?{urlencode(parameters)}" if parameters else path

    def within(self, conversation: str, turn: int) -> PageRequest:
        """The same, as a turn of this conversation; of none if it is ""."""
        return replace(self, conversation=conversation, turn=turn, offset=0)

    def next(self, text: str = "") -> PageRequest:
        """Another question to ask after this one, with the same filters, in the same conversation."""
        following = self.turn + 1 if self.conversation else 0
        return replace(self, text=text, turn=following, offset=0, sort="relevance", fold=True)

    def home(self) -> str:
        """The address of the empty page, shown the same way."""
        return PageRequest(ui=self.ui, scripted=self.scripted).address("/")

    def chips(self) -> list[Chip]:
        first = replace(self, offset=0)
        chips = [
            *(
                Chip("author", one, replace(first, authors=_without(self.authors, one)).address())
                for one in self.authors
            ),
            *(Chip("tag", one, replace(first, tags=_without(self.tags, one)).address()) for one in self.tags),
            *(
                Chip("language", one, replace(first, languages=_without(self.languages, one)).address())
                for one in self.languages
            ),
        ]
        if self.since is not None:
            chips.append(Chip("since", str(self.since), replace(first, since=None).address()))
        if self.until is not None:
            chips.append(Chip("until", str(self.until), replace(first, until=None).address()))
        if self.min_likes is not None:
            chips.append(Chip("min_likes", f"{self.min_likes:,}", replace(first, min_likes=None).address()))
        return chips

    def typed_chips(self, pieces: Iterable[Piece]) -> list[Chip]:
        """The filters that were typed into the text."""
        first = replace(self, offset=0)
        return [
            Chip(piece.kind, piece.value, replace(first, text=without_piece(self.text, piece)).address())
            for piece in pieces
        ]

    def sorted_by(self, sort: Sort) -> str:
        """The same, in another order."""
        return replace(self, sort=sort, offset=0).address()

    def folding(self, fold: bool) -> str:
        """The same, with near copies under one card or each on its own."""
        return replace(self, fold=fold, offset=0).address()

    def by(self, author: str) -> str:
        """The same, of this author alone; all posts of the author if nothing is asked."""
        if not self.text:
            return replace(self, text=_typed("from:", author)).address()
        return replace(self, authors=(author,), offset=0).address()

    def tagged(self, tag: str) -> str:
        """The same, with this tag among those asked for; all posts with the tag if nothing is asked."""
        if not self.text:
            return replace(self, text=_typed("#", tag)).address()
        return replace(self, tags=(*_without(self.tags, tag), tag), offset=0).address()


def _typed(operator: str, value: str) -> str:
    """A filter as it is typed: what has spaces stands in quotation marks."""
    value = value.replace('"', "")
    return f'{operator}"{value}"' if any(one.isspace() for one in value) else operator + value


def _last(given: dict[str, list[str]], name: str) -> str:
    return given.get(name, [""])[-1]


def _several(given: dict[str, list[str]], name: str, read: Callable[[str], str]) -> tuple[str, ...]:
    values = map(read, given.get(name, []))
    unique = tuple(dict.fromkeys(value for value in values if value))
    if len(unique) > _MOST_VALUES:
        raise BadParameter("too_many", name, limit=_MOST_VALUES)
    return unique


def _language(written: str) -> str:
    code = read_language(written)
    if code is None:
        raise BadParameter("bad_language", "language", value=written.strip()[:40])
    return code


def _day(given: dict[str, list[str]], name: str) -> date | None:
    value = _last(given, name).strip()
    if not value:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadParameter("bad_date", name, value=value[:40]) from None


def _whole(given: dict[str, list[str]], name: str, most: int) -> int | None:
    value = _last(given, name).strip()
    if not value:
        return None
    # int() alone would also take "1_000" and " +7 ", and refuse to read more than 4,300 digits with a traceback.
    if not (value.isascii() and value.isdecimal() and len(value) <= len(str(most)) and int(value) <= most):
        raise BadParameter("bad_number", name, value=value[:40], least=0, most=f"{most:,}")
    return int(value)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _without(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(one for one in values if one != value)
