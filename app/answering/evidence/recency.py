"""Of two sentences that state the same kind of value about the same topic, the newer post's comes first. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from app.answering.comparison.quantities import quantities
from app.answering.comparison.term_overlap import units_of
from app.answering.evidence.subjects import NONE, Subjects
from app.answering.question.answer_type import AnswerType, answer_type
from app.answering.types import AnswerSentence, Evidence
from retrieval.text.folding import fold
from retrieval.types import Hit, Post

# A newer sentence with less than this share of the older one's score is about something else.
_NEAR = 0.75
# Where both posts are about one subject by their titles, the newer one's words are about it however they put it.
_NEAR_OF_SUBJECT = 0.5
# Titles that have this many telling units in common name one subject: "Menya Kumo", three pairs of characters, "144".
_SHARED_WORDS, _SHARED_PAIRS = 2, 3
# The question wants to know what was, not what is.
_OF_THEN = re.compile(
    r"\b(?:last year|years? ago|back in|used to|originally|back then)\b|\b(?:in|of) (?:19|20)\d\d\b"
    r"|去年|前年|以前|当时|那时|原来|(?:19|20)\d\d年"
)
_MONEY = frozenset({"yuan", "dollar", "euro", "yen", "pound", "tenth of the price"})
_DATES = frozenset({"month of the year", "day of the month"})
_DAYS = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|every ?day|daily|all week|bank holidays?)\b"
    r"|(?:周|星期|礼拜)[一二三四五六日天末]|工作日|节假日|每天|天天|全年无休"
)
_FREE = re.compile(r"\bfree\b|免费|不要钱")
# Which kinds of value give each type of answer; places and persons are not values, an amount is any other measure.
_ANSWERS: Mapping[AnswerType, frozenset[str]] = {
    "price": frozenset({"price"}),
    "time": frozenset({"time", "day"}),
    "date": frozenset({"date", "day"}),
    "year": frozenset({"date"}),
    "place": frozenset(),
    "person": frozenset(),
}
_NO_AMOUNT = frozenset({"price", "time", "date", "day", "line", "floor"})
# What a question wants to know, and words of time, days and measures: they are not part of its topic.
_SAID_OF_IT = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|every ?day|daily|today|now(?:adays)?"
    r"|currently|still|these days|at the moment|this year|right now|(?:19|20)\d\d|open(?:s|ing)?|clos(?:ed?|es|ing)"
    r"|costs?|prices?|fees?|hours?|times?|dates?|days?|long|much|many|far|often)\b"
    r"|什么时候|何时|哪一?[天年]|哪个月|几[点月号时天次个块元]|多少[钱块元]?|多[久长远大高重贵]|价[格钱]|费用|收费"
    r"|人均|营业|时间|日期|[开关][门店]|打烊|开放|闭馆|(?:周|星期|礼拜)[一二三四五六日天末]|工作日|平时|每天|天天|现在|目前|如今"
    r"|今年|最近|(?:19|20)\d\d年?|[一每][碗杯份斤次晚天张个间位月年人圈]|大概|一般|需要|要花?"
)


def newer_first(
    question: str, ranked: Sequence[Evidence], hits: Sequence[Hit], same: Subjects = NONE
) -> list[Evidence]:
    """The evidence in its order, except that a sentence which a newer one may replace comes after that one.

    The newer one must be near in score and state a different value of a kind that the older states too and the question
    asks for or mentions; and its post must name as much of the question's topic as the older post does, or be about
    the same subject by its title. What such a post says comes first in any case, unless the question is
    about earlier times: rules, addresses and opinions have no values to compare.

    Args:
        ranked: Best first.
        hits: mark 1 is hits[0].
        same: Which of them are about one subject.
    """
    topic, wants = topic_of(question), wanted_kinds(question)
    ordered: list[Evidence] = []
    of_now = not _OF_THEN.search(fold(question))

    def renews(new: Evidence, old: Evidence) -> bool:
        return of_now and new.part != "title" and _is_later_of_subject(new, old, hits, same)

    left = list(ranked)

    def place(one: Evidence) -> None:
        """After all that may replace it; these are newer, so it replaces none of them."""
        left.remove(one)
        for newer in [other for other in left if _replaces(other, one, topic, wants, hits, same) or renews(other, one)]:
            if newer in left:
                place(newer)
        ordered.append(one)

    while left:
        place(left[0])
    return ordered


def still_true(question: str, ranked: Sequence[Evidence], hits: Sequence[Hit], same: Subjects = NONE) -> list[Evidence]:
    """The evidence without what newer evidence replaces, as in `newer_first`: what a model should read.

    What an older post says is left out too where a newer one on the same subject answers nearly as well: a model that
    is told both picks either.
    """
    topic, wants = topic_of(question), wanted_kinds(question)
    of_now = not _OF_THEN.search(fold(question))

    def stands(one: Evidence) -> bool:
        return not any(
            _replaces(new, one, topic, wants, hits, same)
            or (of_now and new.score >= _NEAR * one.score and _is_later_of_subject(new, one, hits, same))
            for new in ranked
        )

    return [one for one in ranked if stands(one)]


def superseded(
    question: str, sentence: AnswerSentence, ranked: Sequence[Evidence], hits: Sequence[Hit], same: Subjects = NONE
) -> Literal["outdated", "beside the point"] | None:
    """Whether other evidence than a sentence rests on replaces the value that it states.

    Newer evidence replaces it as in `newer_first`; and so does evidence whose post names something of the question's
    topic that the sentence's posts lack, and more in all, or as much and fits better: the fare that was asked for, not
    that of another journey.

    Args:
        sentence: A model's, with its citations.
        ranked: Evidence, best first.
        hits: mark 1 is hits[0].
    """
    topic, wants = topic_of(question), wanted_kinds(question)
    cited = {(one.mark, one.part, one.comment, one.start) for one in sentence.citations}
    rests_on = [one for one in ranked if (one.mark, one.part, one.comment, one.start) in cited]
    stated = [replace(one, text=sentence.text) for one in rests_on]
    if stated and all(any(_replaces(new, old, topic, wants, hits, same) for new in ranked) for old in stated):
        return "outdated"
    if stated and all(any(_is_nearer(other, old, topic, wants, hits, same) for other in ranked) for old in stated):
        return "beside the point"
    return None


def _is_nearer(
    other: Evidence,
    stated: Evidence,
    topic: frozenset[str],
    wants: Callable[[str], bool],
    hits: Sequence[Hit],
    same: Subjects,
) -> bool:
    if other.post_id == stated.post_id or other.score < _NEAR * stated.score:
        return False
    if _is_later_of_subject(stated, other, hits, same):
        return False
    told = any(
        wants(kind) and not _values(other.text).get(kind, known) & known for kind, known in _values(stated.text).items()
    )
    its, others = (_held(topic, whole_text(hits[one.mark - 1].post)) for one in (other, stated))
    return told and bool(its - others) and (len(its), other.score) > (len(others), stated.score)


def wanted_kinds(question: str) -> Callable[[str], bool]:
    """Whether values of a kind ("price", "time", a measure ...) answer a question."""
    kind = answer_type(question)
    if kind == "amount":
        return lambda value: value != "" and value not in _NO_AMOUNT
    answers = _ANSWERS[kind] if kind is not None else frozenset(_values(question))
    return lambda value: value != "" and value in answers


def _replaces(
    new: Evidence,
    old: Evidence,
    topic: frozenset[str],
    wants: Callable[[str], bool],
    hits: Sequence[Hit],
    same: Subjects,
) -> bool:
    if new.post_id == old.post_id or new.part == "title" or not _is_later(new, old, hits):
        return False
    of_subject = _is_later_of_subject(new, old, hits, same)
    if new.score < _NEAR * old.score and not of_subject:
        return False
    its, others = hits[new.mark - 1].post, hits[old.mark - 1].post
    values, values_before = _values(new.text), _values(old.text)
    # Where the older post says 32 yuan, "from 32 to 38" means yuan.
    for kind, known in values_before.items():
        if len(values.get("", set())) > 1 and values[""] & known:
            values.setdefault(kind, set()).update(values[""])
    told = any(wants(kind) and values[kind] - known for kind, known in values_before.items() if kind in values)
    if told and of_subject:
        return True
    return told and bool(_held(topic, new.text)) and _held(topic, whole_text(others)) <= _held(topic, whole_text(its))


def _is_later(new: Evidence, old: Evidence, hits: Sequence[Hit]) -> bool:
    new_at, old_at = (published_at(one, hits[one.mark - 1].post) for one in (new, old))
    return new_at is not None and old_at is not None and new_at > old_at


def _is_later_of_subject(new: Evidence, old: Evidence, hits: Sequence[Hit], same: Subjects) -> bool:
    """Whether it is later, good enough, and of a post about the same subject, as its title or its meaning tell."""
    if new.post_id == old.post_id or new.score < _NEAR_OF_SUBJECT * old.score or not _is_later(new, old, hits):
        return False
    if (new.mark, old.mark) in same:
        return True
    its, others = (frozenset(units_of(hits[one.mark - 1].post.title).telling) for one in (new, old))
    shared = its & others
    words = [unit for unit in shared if unit.isascii()]
    return (
        len(words) >= _SHARED_WORDS
        or len(shared) - len(words) >= _SHARED_PAIRS
        or any(map(str.isdigit, "".join(words)))
    )


def _values(text: str) -> dict[str, set[float | str]]:
    """The values that a text states, by kind; bare numbers under ""."""
    values: dict[str, set[float | str]] = {}
    for one in quantities(text):
        values.setdefault(kind_of(one.measure), set()).add(one.size)
    folded = fold(text)
    for kind, pattern in (("day", _DAYS), ("price", _FREE)):
        for match in pattern.finditer(folded):
            values.setdefault(kind, set()).add(match.group())
    return values


def kind_of(measure: str) -> str:
    """The kind of value that a quantity's measure is."""
    if measure in _MONEY:
        return "price"
    if measure == "clock":
        return "time"
    return "date" if measure in _DATES else measure


def published_at(evidence: Evidence, post: Post) -> datetime | None:
    """When a post was written, or its comment where that has a date of its own; with a time zone."""
    at = post.created_at
    if evidence.part == "comment" and evidence.comment is not None:
        at = post.comments[evidence.comment].created_at or at
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def whole_text(post: Post) -> str:
    """All words of a post but its place, a line each."""
    return "\n".join([post.title, " ".join(post.tags), post.text, *(comment.text for comment in post.comments)])


def topic_of(question: str) -> frozenset[str]:
    """The telling units of what a question is about, without those of what it wants to know.

    >>> sorted(topic_of("How much is a flat white at Tidewater now?")), sorted(topic_of("马三哥多少钱一碗"))
    (['flat', 'tidewater', 'white'], ['三哥', '马三'])
    """
    return frozenset(units_of(_SAID_OF_IT.sub(" | ", fold(question))).telling)


def _held(units: frozenset[str], text: str) -> frozenset[str]:
    """The units that a text holds.

    A pair of Chinese characters counts too if both belong to pairs that it holds: 鹿角的咖啡 holds 角咖.
    """
    shown = units_of(text)
    there = {unit for unit in units if shown.holds(unit)}
    characters = {character for unit in there if not unit.isascii() for character in unit}
    return frozenset(there | {unit for unit in units if not unit.isascii() and set(unit) <= characters})
