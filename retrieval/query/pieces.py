"""The pieces of a query and the patterns that recognise them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from retrieval.query.mistakes import Mistake, mistake
from retrieval.query.times import TIMES
from retrieval.types import Filters, Near

PieceKind = Literal[
    "author",
    "tag",
    "language",
    "since",
    "until",
    "time",
    "likes",
    "near",
    "phrase",
    "without",
    "without_tag",
    "without_author",
]

QUOTES = '"＂“”„‟'
BRACKETS = {"「": "」", "『": "』"}
OPENING = QUOTES + "".join(BRACKETS)
QUOTED = OPENING + "".join(BRACKETS.values())
ENDS_WORD = ",，、;；。!！?？()（）"
# After these, and after white space, a word can begin.
BEFORE_WORD = frozenset("([{（［【《〈<" + "，、。；：！？…～,;!?」』】》〉）" + "“”＂")

NAMES: dict[str, PieceKind] = {
    "from": "author", "author": "author", "作者": "author", "博主": "author",
    "tag": "tag", "标签": "tag", "標籤": "tag", "话题": "tag", "話題": "tag",
    "lang": "language", "language": "language", "语言": "language", "語言": "language",
    "since": "since", "after": "since", "起": "since", "自": "since", "开始": "since", "開始": "since",
    "until": "until", "before": "until", "止": "until", "至": "until", "截止": "until",
    "likes": "likes", "赞": "likes", "点赞": "likes", "讚": "likes", "點讚": "likes",
    "near": "near", "附近": "near",
}  # fmt: skip
LIKES_NAMES = "|".join(sorted((name for name, kind in NAMES.items() if kind == "likes"), key=len, reverse=True))
ALL_NAMES = "|".join(sorted(NAMES, key=len, reverse=True))

# Everything at which a piece may begin. Each alternative matches a bounded length, or up to white space and is then
# skipped, so that the whole is linear.
BEGINS = re.compile(
    rf"""
    (?P<address>(?<![A-Za-z0-9+.-])(?:[A-Za-z][A-Za-z0-9+.-]{{0,20}}://|www\.)\S*)
    | (?P<quote>[{OPENING}])
    | (?P<hash>[#＃]+)
    | (?P<minus>[-－]+)
    | (?P<named>(?a:(?<![A-Za-z0-9_])(?i:{ALL_NAMES}))(?=[:：]))
    | (?P<likes>(?a:(?<![A-Za-z0-9_])(?i:{LIKES_NAMES}))\s{{0,2}}(?=[<>=≤≥＜＞＝]))
    | (?P<time>{TIMES})
    """,
    re.VERBOSE,
)
NAMED = re.compile(rf"(?P<name>(?ai:{ALL_NAMES}))[:：]")
COMPARED = re.compile(rf"(?ai:{LIKES_NAMES})(?P<gap>\s{{0,2}})(?P<sign>[<>=≤≥＜＞＝]{{1,2}})(?P<gap_after>\s{{0,2}})")
TAG = re.compile(rf"[^\s#＃{QUOTED}{ENDS_WORD}\[\]【】<>《》:：]+")
VALUE = re.compile(rf"[#＃]?[^\s#＃{QUOTED}!！?？。;；]+")
WORD = re.compile(rf"[^\s{QUOTED}{ENDS_WORD}]+")
COORDINATES = re.compile(
    r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?\s?[,，]\s?[+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?"
    r"(?:\s?[,，]\s?[0-9]{1,6}(?:\.[0-9]{1,6})?\s?(?:km|公里|千米|m|米|mi(?:les?)?|英里)?(?![0-9A-Za-z.]))?",
    re.IGNORECASE,
)
RADIUS_AFTER = re.compile(
    r"\s?[,，]\s?[0-9]{1,6}(?:\.[0-9]{1,6})?\s?(?:km|公里|千米|m|米|mi(?:les?)?|英里)?(?![0-9A-Za-z.])", re.IGNORECASE
)
SPACED_LETTER_OR_DIGIT = re.compile(r"[A-Za-z0-9\u00aa-\u02af\u0370-\u058f]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what was typed that was understood as more than words.

    Attributes:
        value: What it asks for, as typed, without signs and quotation marks.
        start, end: Code points [start, end) of what was typed.
    """

    kind: PieceKind
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A parsed query.

    Attributes:
        text: The text to search for, including exact phrases; "" if there are only filters. Without pieces it is
            exactly what was typed.
        filters: All filters.
        pieces: Where the filters come from, in the order in which they were typed.
        mistakes: What may not have been taken as meant, in the same order.
    """

    text: str
    filters: Filters
    pieces: tuple[Piece, ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    @property
    def phrases(self) -> tuple[str, ...]:
        return self.filters.phrases

    @property
    def without(self) -> tuple[str, ...]:
        return self.filters.without

    @property
    def near(self) -> Near | None:
        return self.filters.near


def tags_as_words(typed: str, parsed: ParsedQuery) -> ParsedQuery:
    """The query where the words of its tags are searched for, since no post has any of them; each is a mistake."""
    tags = [piece for piece in parsed.pieces if piece.kind == "tag"]
    words = [piece.value for piece in tags]
    mistakes = [*parsed.mistakes, *(mistake("unknown_tag", typed, piece.start, piece.end) for piece in tags)]
    return replace(
        parsed,
        text=" ".join([*words, parsed.text]).strip(),
        filters=replace(parsed.filters, tags=()),
        pieces=tuple(piece for piece in parsed.pieces if piece.kind != "tag"),
        mistakes=tuple(sorted(mistakes, key=lambda one: one.start)),
    )


def without_piece(typed: str, piece: Piece) -> str:
    """What was typed without one of its pieces; the words of a phrase stay, but need not be adjacent."""
    kept = typed[piece.start + 1 : piece.end - 1] if piece.kind == "phrase" else ""
    parts = (typed[: piece.start], kept, typed[piece.end :])
    return " ".join(part.strip() for part in parts if part.strip())


def tells(text: str) -> bool:
    """Whether it contains a letter, a digit or a symbol such as an emoji, not just punctuation."""
    return any(character.isalnum() or (ord(character) >= 0x2190 and not character.isspace()) for character in text)


def may_begin(typed: str, at: int) -> bool:
    """Whether a word can begin here."""
    return at == 0 or typed[at - 1].isspace() or typed[at - 1] in BEFORE_WORD


def touches_word(typed: str, at: int) -> bool:
    """Whether a letter or digit precedes, in a script with spaces between words."""
    return at > 0 and SPACED_LETTER_OR_DIGIT.match(typed[at - 1]) is not None
