"""What was asked and the posts do not say, as one sentence in the user's language. Pure.

Its words are Stipple's own or the question's, never a post's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from app.answering.messages import message_language
from app.answering.question.answer_type import SEEN, Kind, answer_type, asked_kinds, candidates, holds
from app.answering.question.folded_text import FoldedText, asked_words, places
from retrieval.text.folding import han_runs
from retrieval.text.language import detect_language
from retrieval.types import Filters, Span

_LONGEST = 60
# Words this close are shown as one stretch, with the small words between them: "camp at the lake".
_GAP = 8
# Kinds that are checked separately when both are asked for. A date also answers a question about a time.
_TOLD_APART: tuple[tuple[Kind, ...], ...] = (("price",), ("time", "date"))
_SHORTEST_THING, _THING_HAN = 4, range(3, 6)
_VERB = re.compile(r"(?:ing|ed|ly|ate|ify|ise|ize)\Z")
_ASKING = frozenset("几多少吗呢怎么什哪谁收搭要能会该去有是")
_KINDS = {
    "en": {"price": "a price", "amount": "a number", "time": "a time", "date": "a date", "year": "a year"},
    "zh": {"price": "价格", "amount": "数字", "time": "时间", "date": "日期", "year": "年份"},
}
_PHRASES = {
    "en": {
        "kind": "They mention “{topic}”; none mentions {kind}.",
        "kind alone": "None of them mentions {kind}.",
        "words": "None of them mentions “{absent}”.",
        "name": "No post found mentions “{absent}”.",
        "time": "No post {time} answers this; these are of other times.",
        "nothing": "They come near, but none answers this.",
    },
    "zh": {
        "kind": "帖子提到了“{topic}”，没有提到{kind}。",
        "kind alone": "帖子没有提到{kind}。",
        "words": "没有帖子提到“{absent}”。",
        "name": "没有找到提到“{absent}”的帖子。",
        "time": "{time}的帖子没有回答，以下是其他时间的。",
        "nothing": "话题相近，但没有一篇回答了这个问题。",
    },
}


def missing_words(question: str, texts: Sequence[str]) -> str:
    """What a declined question lacks: the type of answer it asks for, or words of it that no text holds.

    Args:
        texts: The best evidence, each with its post's title.
    """
    language = message_language(detect_language(question))
    phrases, kind = _PHRASES[language], answer_type(question)
    if kind in SEEN and not any(candidates(kind, FoldedText.of(text), question) for text in texts):
        topic = _longest(question, _held(question, texts))
        named = _KINDS[language][kind]
        return phrases["kind"].format(topic=topic, kind=named) if topic else phrases["kind alone"].format(kind=named)
    absent = _longest(question, _absent(question, texts))
    return phrases["words"].format(absent=absent) if _names_a_thing(absent) else phrases["nothing"]


def _names_a_thing(absent: str) -> bool:
    """Whether words that no post holds are likely what the question is about, and not what is asked of it: a name or a
    thing, not "push or carry" or 觉得. Without a grammar at hand, only short ones are trusted.
    """
    if han_runs(absent):
        return len(absent) in _THING_HAN and not set(absent) & _ASKING
    words = absent.split()
    named = any(word[:1].isupper() for word in words)
    return named or (len(words) == 1 and len(absent) >= _SHORTEST_THING and not _VERB.search(absent.lower()))


def missing_name(question: str, name: str) -> str:
    """That no post mentions a name of the question."""
    return _PHRASES[message_language(detect_language(question))]["name"].format(absent=name)


def missing_time(question: str, filters: Filters, missing: str) -> str:
    """That only posts of another time answer, before what else is missing."""
    language = message_language(detect_language(question))
    since, until = filters.since, filters.until
    first = f"{since:%Y-%m-%d}" if since is not None else ""
    last = f"{until - timedelta(days=1):%Y-%m-%d}" if until is not None else ""
    if language == "zh":
        time = f"{first}至{last}" if first and last else f"{first}以来" if first else f"{last}以前"
    else:
        time = f"from {first} to {last}" if first and last else f"since {first}" if first else f"until {last}"
    said = _PHRASES[language]["time"].format(time=time)
    return " ".join(filter(None, [said, missing])) if language == "en" else said + missing


def missing_kinds(question: str, texts: Sequence[str]) -> str:
    """The kinds, of several asked for, that no text holds; "" where none or all of them are missing."""
    kinds = asked_kinds(question)
    groups = [group for group in _TOLD_APART if kinds & set(group)]
    lacking = [group for group in groups if not any(holds(frozenset({kind}), text) for text in texts for kind in group)]
    if not lacking or len(lacking) == len(groups):
        return ""
    language = message_language(detect_language(question))
    named = [_KINDS[language][next(kind for kind in group if kind in kinds)] for group in lacking]
    return _PHRASES[language]["kind alone"].format(kind=(" or " if language == "en" else "和").join(named))


def _held(question: str, texts: Sequence[str]) -> list[Span]:
    """The stretches of the question whose words the texts hold."""
    return _stretches(question, [span for spans in _words_held(question, texts).values() for span in spans])


def _absent(question: str, texts: Sequence[str]) -> list[Span]:
    """The stretches of the question whose words no text holds."""
    held = _words_held(question, texts)
    own = places(FoldedText.of(question), asked_words(question))
    covered = {at for spans in held.values() for span in spans for at in range(span.start, span.end)}
    spans = [Span(start, end) for word, found in own.items() if word not in held for start, end in found]
    return _stretches(question, [span for span in spans if not covered & set(range(span.start, span.end))])


def _words_held(question: str, texts: Sequence[str]) -> dict[str, list[Span]]:
    words = asked_words(question)
    held = {word for text in texts for word in places(FoldedText.of(text), words)}
    own = places(FoldedText.of(question), words)
    return {word: [Span(start, end) for start, end in found] for word, found in own.items() if word in held}


def _stretches(question: str, spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if joined and span.start - joined[-1].end <= _GAP and not _stops(question[joined[-1].end : span.start]):
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _stops(between: str) -> bool:
    return any(not (character.isalnum() or character in " '’-&") for character in between)


def _longest(question: str, spans: Sequence[Span]) -> str:
    best = max(spans, key=lambda span: span.end - span.start, default=None)
    return " ".join(question[best.start : best.end].split())[:_LONGEST] if best is not None else ""
