"""Of two sentences that state the same kind of value about the same thing, the newer post's first. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from app.answering.comparison.quantities import quantities
from app.answering.question.answer_type import Wanted, wanted
from app.answering.question.topic import about, held
from app.answering.types import Evidence
from retrieval.text.folding import fold
from retrieval.types import Hit, Post

# A newer sentence with less than this share of the older one's score is not about the same.
_NEAR = 0.75
_MONEY = frozenset({"yuan", "dollar", "euro", "yen", "pound", "tenth of the price"})
_DATES = frozenset({"month of the year", "day of the month"})
_DAYS = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|every ?day|daily|all week|bank holidays?)\b"
    r"|(?:周|星期|礼拜)[一二三四五六日天末]|工作日|节假日|每天|天天|全年无休"
)
_FREE = re.compile(r"\bfree\b|免费|不要钱")
# Which kinds of value answer what is wanted; a place or a person is no value, and an amount is any other measure.
_ANSWERS: Mapping[Wanted, frozenset[str]] = {
    "price": frozenset({"price"}),
    "time": frozenset({"time", "day"}),
    "date": frozenset({"date", "day"}),
    "year": frozenset({"date"}),
    "place": frozenset(),
    "person": frozenset(),
}
_NO_AMOUNT = frozenset({"price", "time", "date", "day", "line", "floor"})


def newer_first(question: str, ranked: Sequence[Evidence], hits: Sequence[Hit]) -> list[Evidence]:
    """The evidence in its order, but that a sentence which a newer one may replace comes behind that one.

    The newer one must be near in score and state another value of a kind that the older states too and that the
    question wants, or speaks of; and its post must name all of the thing asked about that the older post names.

    Args:
        ranked: Best first.
        hits: mark 1 is hits[0].
    """
    things, wants = about(question), _wants(question)
    ordered: list[Evidence] = []
    left = list(ranked)

    def place(one: Evidence) -> None:
        """Behind all that may replace it; these are newer, and so it replaces none of them."""
        left.remove(one)
        for newer in [other for other in left if _replaces(other, one, things, wants, hits)]:
            if newer in left:
                place(newer)
        ordered.append(one)

    while left:
        place(left[0])
    return ordered


def _wants(question: str) -> Callable[[str], bool]:
    """Whether values of a kind are what a question wants."""
    kind = wanted(question)
    if kind == "amount":
        return lambda value: value != "" and value not in _NO_AMOUNT
    answers = _ANSWERS[kind] if kind is not None else frozenset(_values(question))
    return lambda value: value != "" and value in answers


def _replaces(
    new: Evidence, old: Evidence, things: frozenset[str], wants: Callable[[str], bool], hits: Sequence[Hit]
) -> bool:
    if new.post_id == old.post_id or new.part == "title" or new.score < _NEAR * old.score:
        return False
    its, others = hits[new.mark - 1].post, hits[old.mark - 1].post
    said, before = _said_at(new, its), _said_at(old, others)
    if said is None or before is None or said <= before:
        return False
    values, values_before = _values(new.text), _values(old.text)
    # Who writes "from 32 to 38" of what was 32 yuan means yuan.
    for kind, known in values_before.items():
        if len(values.get("", set())) > 1 and values[""] & known:
            values.setdefault(kind, set()).update(values[""])
    told = any(wants(kind) and values[kind] - known for kind, known in values_before.items() if kind in values)
    return told and bool(held(things, new.text)) and held(things, _whole(others)) <= held(things, _whole(its))


def _values(text: str) -> dict[str, set[float | str]]:
    """The values that a text states, by kind; under "" its bare numbers."""
    values: dict[str, set[float | str]] = {}
    for one in quantities(text):
        values.setdefault(_kind(one.measure), set()).add(one.size)
    folded = fold(text)
    for kind, pattern in (("day", _DAYS), ("price", _FREE)):
        for match in pattern.finditer(folded):
            values.setdefault(kind, set()).add(match.group())
    return values


def _kind(measure: str) -> str:
    if measure in _MONEY:
        return "price"
    if measure == "clock":
        return "time"
    return "date" if measure in _DATES else measure


def _said_at(evidence: Evidence, post: Post) -> datetime | None:
    at = post.created_at
    if evidence.part == "comment" and evidence.comment is not None:
        at = post.comments[evidence.comment].created_at or at
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _whole(post: Post) -> str:
    return "\n".join([post.title, " ".join(post.tags), post.text, *(comment.text for comment in post.comments)])
