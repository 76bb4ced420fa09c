"""Offsets of a query's words in a text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.text.folding import fold, fold_with_offsets, han_runs
from retrieval.types import Span

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
LATIN_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "near",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "should",
        "so",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
# Function characters: a pair with one of them says little about the topic (我的, 在哪, 是什).
HAN_STOP = frozenset("的了吗呢吧啊在是有和与我你他她它这那哪什么怎很都就也还不要会能可以个多少为请问到去")


@dataclass(frozen=True, slots=True)
class _Sought:
    """What of a query to look for in texts."""

    stems: frozenset[str]
    words: tuple[re.Pattern[str], ...]
    pairs: tuple[str, ...]


@lru_cache(maxsize=64)
def _sought(query: str) -> _Sought:
    """Cached for the twenty texts of a page."""
    words = query_words(query)
    # Chinese and Latin text are adjacent without a space; \w+ takes them for one word.
    alone = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])") for word in words if word.isascii()]
    return _Sought(frozenset(map(stem, words)), tuple(alone), tuple(query_pairs(query)))


def query_words(query: str) -> list[str]:
    """The folded words of a query without stop words; all of its words if nothing else is left."""
    words = [word for word in _WORD.findall(fold(query)) if not han_runs(word)]
    return [word for word in words if word not in LATIN_STOP] or words


def query_pairs(query: str) -> list[str]:
    """The folded pairs of Chinese characters of a query, without those that contain a function character; if none are
    left, its single Chinese characters.
    """
    runs = han_runs(fold(query))
    pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
    telling = [pair for pair in pairs if not (set(pair) & HAN_STOP)]
    return telling or [character for run in runs for character in run if character not in HAN_STOP]


def stem(word: str) -> str:
    """An English word without its most common endings: enough to match runs and running."""
    for ending in ("'s", "\u2019s", "ing", "ies", "es", "ed", "s", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            bare = word[: -len(ending)]
            # running, stopped: the ending doubled the letter; falls, passes: it did not.
            return bare[:-1] if ending in {"ing", "ed"} and bare[-1] == bare[-2] and bare[-1] not in "lsz" else bare
    return word


def highlight(query: str, text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans of the query's words in text[start:end], in order, adjacent ones merged; offsets into `text`."""
    end = len(text) if end is None else end
    folded, offsets = fold_with_offsets(text[start:end])
    found: list[tuple[int, int]] = []
    sought = _sought(query)
    if sought.stems:
        found += [match.span() for match in _WORD.finditer(folded) if stem(match.group()) in sought.stems]
        for word in sought.words:
            found += [match.span() for match in word.finditer(folded)]
    for pair in sought.pairs:
        at = folded.find(pair)
        while at >= 0:
            found.append((at, at + len(pair)))
            at = folded.find(pair, at + 1)
    spans: list[Span] = []
    for first, last in sorted(found):
        span = Span(start + offsets[first], start + offsets[last - 1] + 1)
        if spans and span.start <= spans[-1].end:
            spans[-1] = Span(spans[-1].start, max(spans[-1].end, span.end))
        else:
            spans.append(span)
    return spans
