"""Which values the posts agree on: what one post alone says against several people does not lead. Pure.

A claim is a sentence that states a value the question asks for, about what it asks. People are counted, not posts: near
copies and one author count once, so do posts of a few days that all say the same, and a copy with another number in it
counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from math import log

from app.answering.comparison.quantities import Quantity, quantities
from app.answering.comparison.term_overlap import units_of
from app.answering.evidence.recency import kind_of, published_at, topic_of, wanted_kinds, whole_text
from app.answering.messages import message_language
from app.answering.question.answer_type import is_broad
from app.answering.types import Evidence
from retrieval.text.folding import fold, han_runs
from retrieval.text.sentences import sentences
from retrieval.types import Hit, SearchPage

# A date counts as in the future from so long after now: clocks and time zones differ.
_AHEAD = timedelta(days=1)
# What is outvoted, or of a post from the future, scores this share of the best: too little to be quoted or read to a
# model beside anything else (docs/decisions/0025-posts-that-lie.md).
_OUTVOTED = 0.45
# Share of the best score from which a sentence is a claim, and share of the best claim's topic that it must hold.
_CLAIMS, _ON_TOPIC = 0.4, 0.8
# Any sentence on half of the topic, from this share on, bears out a value that such a claim states; posts that hold
# less of the topic than this are about something else.
_BEARS_OUT, _LEAST_TOPIC = 0.15, 0.3
_SEVERAL = 2
# Posts that say the same within so many days count as one: whoever writes three posts with three names is in a hurry.
_BURST = timedelta(days=4)
# One post may report a price that changed by less than this factor; of 12 changes in the sample posts the largest is
# 1.5, while who invents a price to harm somebody invents a large one.
_MOST_CHANGE = 2.0
# Texts of fewer letters are alike by chance.
_COPIED, _FEWEST_LETTERS, _FEWEST_HAN = 0.85, 40, 16
_MOST_SHOWN = 3
_COMPARED = frozenset({"price", "time", "line", ""})

_ROUTE_ASKED = re.compile(
    r"\b(?:which|what) (?:bus|tram|train|line|metro|subway|route|ferry|platform|gate|exit|number)\b"
    r"|(?:哪|几|什么)一?(?:路|条线|号线|趟|班车|号口|个出口)"
)
_BY_ROUTE = re.compile(rf"{_ROUTE_ASKED.pattern}|\b(?:goes|go|takes?|gets?|runs?)\b|公交车?|地铁|[去到坐乘搭]")
_ROUTE = re.compile(
    r"\b(?:bus|tram|train|line|route|ferry|platform|gate|exit|number|no\.?|the|take)\s?#?(\d{1,4}[a-z]?)\b"
    r"(?!\s?(?:min|hour|day|night|euro|yuan|pound|dollar|km|m\b|people|year|month|week|percent|%|€|£|:|\.\d|-))"
    r"|(?<![\d.])(\d{1,4}[a-z]?)\s?(?:路|号线|线|号口|专线)"
)
_CLAUSE = re.compile(r"[,，;；。！!?？\n]|\.\s|\s[-–—]\s")
# In a clause with these, a value is one that was.
_PAST = re.compile(
    r"\b(?:dropped|no longer|any ?more|was|were|used to|instead of|not|cancelled|discontinued|last year|before)\b"
    r"|改线|停[开运了]|取消|不再|以前|原来|原先|之前|去年|前年|不是"
)
# In a clause with these, a value is a difference: 3 yuan more for oat milk.
_DIFFERENCE = re.compile(
    r"\b(?:more|extra|off|cheaper|less|dearer|on top|surcharge|supplement)\b|[另再外]加|多[收付]|便宜|贵了?\d"
)
# What comes after these is what it changed to; before them in the clause, what it was.
_CHANGED_TO = re.compile(
    r"\b(?:now|up to|down to|raised to|changed to|went to|from [^,.;]{1,24} to|since then)\b"
    r"|(?:涨|升|降|跌|改|调整?|变|提)(?:到|成|为|至|了)|现在|如今|[→➡]"
)
_CHANGE = re.compile(
    r"\b(?:now|went (?:up|down|from)|gone up|raised|increased|changed|moved|no longer|new (?:price|hours|timetable"
    r"|line|route)"
    r"|since|used to|dropped|starting|as of)\b|涨|降|改|调整|变|现在|如今|不再|新价|取消|[月日年]起"
)
# Who calls what others wrote outdated wants to be believed alone.
_DISCREDITS = re.compile(
    r"\b(?:old(?:er)?|earlier|previous|other|former|all|those|these) (?:\w+ )?(?:prices?|posts?|numbers?|info\w*"
    r"|answers?"
    r"|comments?|reviews?|hours|times|figures?|reports?)\b[^.]{0,40}\b(?:no longer|wrong|outdated|out of date|not"
    r"|don.?t|obsolete|invalid|void|expired|history)\b"
    r"|\b(?:ignore|forget|disregard) (?:\w+ ){0,3}(?:prices?|posts?|numbers?|info\w*|answers?|comments?|reviews?)\b"
    r"|(?:以前|之前|别人|其他|其它|前面|过去|旧|老|网友)[^。]{0,10}(?:价格?|帖子?|说的?|写的?|信息|攻略"
    r"|消息)[^。]{0,10}"
    r"(?:过时|作废|不准|不对|别信|错|无效|不算|失效|老黄历)"
)
_UNITS: Mapping[str, tuple[str, str]] = {
    "yuan": ("{} yuan", "{}元"), "dollar": ("{} dollars", "{}美元"), "euro": ("{} euros", "{}欧元"),
    "yen": ("{} yen", "{}日元"), "pound": ("£{}", "{}英镑"), "line": ("line {}", "{}号线"),
}  # fmt: skip
_SAID = {
    "en": ("Posts differ: {}.", "{value} ({people}{date})", ("1 person", "{} people"), ", {}", "; "),
    "zh": ("帖子说法不一：{}。", "{value}（{people}{date}）", ("1人", "{}人"), "，{}", "；"),
}

Value = tuple[str, float | str]
"""A measure, and a size in it."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence with values that answer the question.

    Attributes:
        values: Those that it says are.
        past: Those that it says were.
        voice: Whose it is.
        counts: Whether it is believed at all.
        leads: Whether it is about what is asked; another only bears out what such a one says.
        topic: Share of the question's topic that it holds, rare words counting more.
    """

    evidence: Evidence
    values: frozenset[Value]
    past: frozenset[Value]
    voice: str
    at: datetime | None
    topic: float
    text: str
    counts: bool = True
    leads: bool = True


@dataclass(frozen=True, slots=True)
class Agreement:
    """Evidence by how many people bear it out.

    Attributes:
        evidence: Best first; what is outvoted has a score too low to be shown beside the rest.
        differing: One sentence in the question's language with the values that differ, how many say each, and since
            when; "" where none do.
    """

    evidence: list[Evidence]
    differing: str


def without_future_dates(page: SearchPage, now: datetime) -> tuple[SearchPage, frozenset[int]]:
    """The page, its posts' and comments' dates unknown where they are in the future, and the marks of such posts."""

    def ahead(at: datetime | None) -> bool:
        return at is not None and (at if at.tzinfo else at.replace(tzinfo=UTC)) > now + _AHEAD

    hits, marks = [], set()
    for mark, hit in enumerate(page.hits, start=1):
        post = hit.post
        if any(ahead(comment.created_at) for comment in post.comments):
            comments = (replace(one, created_at=None) if ahead(one.created_at) else one for one in post.comments)
            post = replace(post, comments=tuple(comments))
        if ahead(post.created_at):
            post = replace(post, created_at=None)
            marks.add(mark)
        hits.append(hit if post is hit.post else replace(hit, post=post))
    return replace(page, hits=tuple(hits)), frozenset(marks)


def agreement(
    question: str, language: str, ranked: Sequence[Evidence], hits: Sequence[Hit], undated: frozenset[int] = frozenset()
) -> Agreement:
    """The evidence by how many people bear it out, and in which values they differ.

    A claim is outvoted by a value that it does not state and that more people state, at least two of them, unless it
    says in a later post of its own that the value changed, by a believable factor and without calling the others wrong.
    Where several people state a value, posts without one add nothing.

    Args:
        language: Of the sentence about what differs.
        ranked: Best first.
        hits: mark 1 is hits[0].
        undated: Marks of posts whose date is no date; what they say comes after what others say.
    """
    claims = _claims(question, ranked, hits)
    voices = _voices(claims)
    lost = {id(one.evidence) for one in claims if _outvoted(one, claims, voices)}
    lost |= {id(one) for one in ranked if one.mark in undated and one.part != "comment"}
    borne_out = {value for value, count in voices.items() if count >= _SEVERAL}
    if any(one.leads and one.values & borne_out for one in claims):
        # Where people agree on the value, a post that states none has nothing to add but what it wants.
        telling = {one.evidence.mark for one in claims if id(one.evidence) not in lost}
        lost |= {id(one) for one in ranked if one.mark not in telling}
    best = max((one.score for one in ranked if id(one) not in lost), default=0.0)
    if not best:
        return Agreement(list(ranked), "")
    weighed = [one for one in ranked if id(one) not in lost]
    weighed += [replace(one, score=min(one.score, _OUTVOTED * best)) for one in ranked if id(one) in lost]
    told = [one for one in claims if one.evidence.mark not in undated and one.leads]
    told.sort(key=lambda one: id(one.evidence) in lost)
    return Agreement(weighed, _differing(question, told, voices, message_language(language)))


def _claims(question: str, ranked: Sequence[Evidence], hits: Sequence[Hit]) -> list[_Claim]:
    """Each voice's claims; where one author states several values at several times, the newest alone."""
    reads = _reader(question)
    if reads is None:
        return []
    best = max((one.score for one in ranked), default=0.0)
    weights = _topic_weights(question, hits)
    found = [
        claim
        for one in ranked
        if one.score >= _BEARS_OUT * best and one.part != "title"
        for claim in _claim(one, reads, weights, hits)
    ]
    most = max((one.topic for one in found), default=0.0)
    found = [one for one in found if one.topic >= max(_LEAST_TOPIC, most / 2)]
    found = [
        replace(one, leads=one.topic >= _ON_TOPIC * most and one.evidence.score >= _CLAIMS * best) for one in found
    ]
    said = {value for one in found if one.leads for value in one.values}
    found = [
        one if one.leads else replace(one, values=one.values & said) for one in found if one.leads or one.values & said
    ]
    copies = _copies({one.evidence.mark for one in found}, hits)
    found = [_as_copied(one, found, copies) for one in found]
    return [
        one
        for one in found
        if not any(
            other.voice == one.voice and other.values.isdisjoint(one.values) and _later(other, one) for other in found
        )
    ]


def _claim(
    one: Evidence, reads: Callable[[str], Iterator[Value]], weights: Mapping[str, float], hits: Sequence[Hit]
) -> Iterator[_Claim]:
    hit = hits[one.mark - 1]
    for span in sentences(one.text):
        text = fold(one.text[span.start : span.end])
        current, past = _stated(text, reads)
        if not current:
            continue
        # A comment is about what its post is about.
        around = whole_text(hit.post) if one.part == "comment" else one.title
        shown = units_of(f"{around}\n{one.text[span.start : span.end]}")
        held = sum(weight for unit, weight in weights.items() if shown.holds(unit))
        total = sum(weights.values())
        author = hit.post.author
        if one.part == "comment" and one.comment is not None:
            comment = hit.post.comments[one.comment]
            # Nobody knows when undated comments were written, and who wrote the post may have written them all.
            author = comment.author if comment.created_at is not None else f"comments under {one.mark}"
        topic = held / total if total else 1.0
        voice = fold(author) or f"post {one.mark}"
        counts = not _DISCREDITS.search(fold(one.text))
        yield _Claim(one, current, past, voice, published_at(one, hit.post), topic, text, counts)
        return


def _reader(question: str) -> Callable[[str], Iterator[Value]] | None:
    """What reads the values that answer a question from a folded text; None where none does."""
    if _ROUTE_ASKED.search(fold(question)):
        return _routes
    wants = wanted_kinds(question)

    def read(text: str) -> Iterator[Value]:
        for one in quantities(text):
            if wants(kind_of(one.measure)):
                yield one.measure, _size(one)

    return read


def _routes(text: str) -> Iterator[Value]:
    for match in _ROUTE.finditer(text):
        yield "", match[1] or match[2]


def _size(one: Quantity) -> float:
    return one.size % 720 if one.measure == "clock" and not one.sure else one.size


def _stated(text: str, reads: Callable[[str], Iterator[Value]]) -> tuple[frozenset[Value], frozenset[Value]]:
    """The values that a sentence says are, and those that it says were."""
    current: set[Value] = set()
    past: set[Value] = set()
    at = 0
    for stop in [*(match.span() for match in _CLAUSE.finditer(text)), (len(text), len(text))]:
        clause, at = text[at : stop[0]], stop[1]
        cues = list(_CHANGED_TO.finditer(clause))
        if cues and (after := frozenset(reads(clause[cues[-1].end() :]))):
            current |= after
            past |= frozenset(reads(clause)) - after
            # "From 14 to 17 euros" means euros twice.
            bare = [one.size for one in quantities(clause[: cues[-1].end()]) if not one.measure]
            past |= {(measure, size) for measure, _ in after for size in bare}
        elif _DIFFERENCE.search(clause):
            continue
        elif _PAST.search(clause):
            past |= frozenset(reads(clause))
        else:
            current |= frozenset(reads(clause))
    return frozenset(current or past), frozenset(past - current if current else ())


def _topic_weights(question: str, hits: Sequence[Hit]) -> dict[str, float]:
    """What each unit of the question's topic counts for: the rarer among the posts, the more."""
    texts = [units_of(whole_text(hit.post)) for hit in hits]
    held = {unit: sum(text.holds(unit) for text in texts) for unit in topic_of(_BY_ROUTE.sub(" | ", fold(question)))}
    # What no post holds is a pair of characters from two words, or another word for the same.
    return {unit: log((len(texts) + 1) / (count + 0.5)) for unit, count in held.items() if count}


def _copies(marks: set[int], hits: Sequence[Hit]) -> set[tuple[int, int]]:
    """Pairs of posts that are the same but for their numbers."""
    texts = {mark: f"{hits[mark - 1].post.title} {hits[mark - 1].post.text}" for mark in marks}
    letters = {mark: _letters(text) for mark, text in texts.items()}
    long = [
        mark
        for mark in sorted(marks)
        if len(letters[mark]) >= (_FEWEST_HAN if han_runs(texts[mark]) else _FEWEST_LETTERS)
    ]
    return {
        (one, other)
        for one, other in combinations(long, 2)
        if len(letters[one] & letters[other]) >= _COPIED * len(letters[one] | letters[other])
    }


def _letters(text: str) -> frozenset[str]:
    kept = "".join("0" if one.isdigit() else one for one in fold(text[:1000]) if one.isalnum())
    return frozenset(kept[at : at + 4] for at in range(len(kept) - 3))


def _as_copied(one: _Claim, found: Sequence[_Claim], copies: set[tuple[int, int]]) -> _Claim:
    """The claim as it counts where its post is a later copy of another's: as the other's, or with other values not."""
    if one.evidence.part == "comment":
        return one
    mark = one.evidence.mark
    for other in found:
        pair = (min(mark, other.evidence.mark), max(mark, other.evidence.mark))
        if other.evidence.part == "comment" or pair not in copies or not _later(one, other):
            continue
        if one.values == other.values:
            return replace(one, voice=other.voice)
        if one.voice != other.voice and not _CHANGE.search(one.text):
            return replace(one, counts=False)
    return one


def _later(one: _Claim, other: _Claim) -> bool:
    return one.at is not None and (other.at is None or one.at > other.at)


def _voices(claims: Sequence[_Claim]) -> dict[Value, int]:
    """How many people state each value."""
    counted = {}
    for value in {value for one in claims for value in one.values}:
        known = {one.voice: one for one in claims if value in one.values and one.counts}
        posted = sorted(one.at for one in known.values() if one.evidence.part != "comment" and one.at is not None)
        in_a_burst = sum(later - earlier <= _BURST for earlier, later in pairwise(posted))
        counted[value] = len(known) - in_a_burst
    return counted


def _outvoted(one: _Claim, claims: Sequence[_Claim], voices: Mapping[Value, int]) -> bool:
    if not one.leads:
        return False
    strength = max(voices[value] for value in one.values) if one.counts else 0
    for value, count in voices.items():
        if value in one.values or count <= strength or count < (_SEVERAL if one.counts else 1):
            continue
        others = [other for other in claims if value in other.values and other.counts]
        measures = {measure for measure, _ in one.values}
        if value[0] in measures and not _believable_change(one, value, others, claims):
            return True
    return False


def _believable_change(one: _Claim, value: Value, others: Sequence[_Claim], claims: Sequence[_Claim]) -> bool:
    if not one.counts or not all(_later(one, other) for other in others):
        return False
    if not (_CHANGE.search(one.text) or value in one.past):
        return False
    allies = [
        other
        for other in claims
        if other is not one and other.evidence.mark != one.evidence.mark and other.values & one.values and other.at
    ]
    if one.at is not None and any(other.at is not None and abs(one.at - other.at) <= _BURST for other in allies):
        return False  # one of a burst
    sizes = [size for measure, size in one.values if measure == value[0]]
    return any(_believable(size, value[1]) for size in sizes) or value in one.past


def _believable(new: float | str, old: float | str) -> bool:
    if isinstance(new, str) or isinstance(old, str) or not new or not old:
        return True
    return max(new, old) / min(new, old) < _MOST_CHANGE


def _differing(question: str, claims: Sequence[_Claim], voices: Mapping[Value, int], language: str) -> str:
    """What differs, the leading claim's value first; nothing where several things are asked, or one post has both."""
    if is_broad(question) or not claims:
        return ""
    shown: list[tuple[Value, list[_Claim]]] = []
    for one in claims:
        if any(value in one.values for value, _ in shown) or one.topic < claims[0].topic:
            continue
        # Of several prices in a sentence, the one that others state too is the one that was asked for.
        left = one.values - {value for _, own in shown for other in own for value in other.values}
        if not left:
            continue
        value, *more = sorted(left, key=lambda value: -voices[value])
        if more and voices[more[0]] == voices[value]:
            continue
        if kind_of(value[0]) in _COMPARED and all(
            value[0] == other[0] and one.evidence.mark != told.evidence.mark for other, own in shown for told in own
        ):
            shown.append((value, [other for other in claims if value in other.values]))
    if len(shown) < 2:
        return ""
    frame, item, (single, several), dated, between = _SAID[language]
    items = []
    for value, own in shown[:_MOST_SHOWN]:
        count = max(voices[value], 1)
        newest = max((one.at for one in own if one.at is not None), default=None)
        items.append(
            item.format(
                value=_written(value, language),
                people=single if count == 1 else several.format(count),
                date=dated.format(f"{newest:%Y-%m-%d}") if newest is not None else "",
            )
        )
    return frame.format(between.join(items))


def _written(value: Value, language: str) -> str:
    measure, size = value
    if isinstance(size, str):
        return size
    if measure == "clock":
        return f"{int(size) // 60}:{int(size) % 60:02}"
    return _UNITS.get(measure, ("{}", "{}"))[language == "zh"].format(f"{size:g}")
