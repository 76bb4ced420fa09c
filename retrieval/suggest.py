"""Completions for what is being typed, out of posts' titles and tags and of past queries. Pure.

Score of a phrase, higher is better; two that read the same when folded are one phrase with one score:

    USE * ln(1 + times asked) * half-life of HALF_LIFE_DAYS since it was asked last
    + ln(1 + sum over the posts that carry it of 1 + likes) + FRESH * the same half-life since the newest of them

Phrases that begin with what was typed come before those in which a later word does (less INSIDE), or that are typed
in pinyin (less PINYIN). Days count from the newest of all posts, or queries; the weights are by judgement, not tuned.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.highlight import query_pairs, query_words, stem
from retrieval.phrases import (
    compact,
    folded_phrase,
    is_spelled,
    pinyin_keys,
    plain,
    stands,
    starts,
    title_phrase,
    typed_prefix,
)
from retrieval.prefixes import Numbers, PrefixIndex, Scores
from retrieval.text import fold
from retrieval.types import Post

SUGGESTIONS = 8
LONGEST_TYPED = 60
USE, FRESH, HALF_LIFE_DAYS = 6.0, 3.0, 180
INSIDE, PINYIN = 2.0, 2.0
_MOST_SCANNED = 1000

Counts = NDArray[np.int64]
Kind = Literal["query", "tag", "title"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion: the text to put into the search box, and where it comes from, the first of these that it is."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class PastQuery:
    """What was asked before: in the words of who asked last, how often, and on which day last."""

    text: str
    count: int
    last_day: date


class PostPhrases:
    """The titles and tags of posts. Building it takes about a minute a million posts; it stays in memory."""

    def __init__(self, posts: Iterable[Post]) -> None:
        numbers: dict[str, int] = {}
        self.texts: list[str] = []
        tags, liked, days = bytearray(), array("d"), array("l")
        carried, bounds = array("I"), array("I", [0])
        pinyin: list[tuple[str, int]] = []
        for post in posts:
            day = post.created_at.toordinal() if post.created_at is not None else 0
            phrases = [(title_phrase(post.title), 0), *((plain(tag), 1) for tag in post.tags)]
            for text, is_tag in phrases:
                folded = folded_phrase(text)
                if not starts(folded):
                    continue
                number = numbers.setdefault(folded, len(self.texts))
                if number == len(self.texts):
                    self.texts.append(text)
                    tags.append(0)
                    liked.append(0.0)
                    days.append(0)
                    pinyin.extend((key, number) for key in pinyin_keys(folded))
                tags[number] |= is_tag
                liked[number] += 1 + post.likes
                days[number] = max(days[number], day)
                carried.append(number)
            bounds.append(len(carried))
        self.are_tags = np.array(tags, bool)
        self.scores: Scores = (np.log1p(np.array(liked)) + FRESH * _freshness(days)).astype(np.float32)
        self.index = PrefixIndex(
            ((line, starts(line), number) for line, number in numbers.items()), self.scores, INSIDE
        )
        self.pinyin = PrefixIndex(((key, (0,), number) for key, number in pinyin), self.scores)
        # Which phrases a post carries, and which posts carry a phrase: rows of `values` between two bounds each.
        self._phrases_of = (np.array(bounds, np.uint32), np.array(carried, np.uint32))
        of_post = np.repeat(np.arange(len(bounds) - 1, dtype=np.uint32), np.diff(self._phrases_of[0]))
        counts = np.bincount(self._phrases_of[1], minlength=len(self.texts))
        by_phrase = of_post[np.argsort(self._phrases_of[1], kind="stable")]
        self._posts_of = (np.concatenate(([0], np.cumsum(counts))).astype(np.uint32), by_phrase)

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        arrays = (*self._phrases_of, *self._posts_of, self.scores, self.are_tags)
        texts = self.texts.__sizeof__() + sum(text.__sizeof__() for text in self.texts)
        return texts + sum(one.nbytes for one in arrays) + self.index.size_bytes + self.pinyin.size_bytes

    def kind(self, number: int) -> Kind:
        return "tag" if self.are_tags[number] else "title"

    def tags_with(self, words: Sequence[str], prefix: str) -> tuple[Numbers, Counts]:
        """Tags that begin with the prefix, of posts whose phrases hold all these folded words; and of how many of
        those posts. Of very many posts, a sample.
        """
        tags = self.index.first_owners(prefix) if prefix else np.arange(len(self.texts), dtype=np.uint32)
        tags = tags[self.are_tags[tags]]
        holding: NDArray[np.bool_] | None = None
        for word in words if len(tags) else ():
            owners = self.index.owners(word, _MOST_SCANNED)
            if is_spelled(word[-1]):  # else any word that begins so holds it
                whole = [stands(line, word, whole=True) for line in self.index.lines(owners)]
                owners = owners[np.array(whole, bool)]
            of_word = np.zeros(len(self._phrases_of[0]) - 1, bool)
            of_word[_rows(self._posts_of, owners)] = True
            holding = of_word if holding is None else holding & of_word
        posts = np.flatnonzero(holding) if holding is not None else np.arange(0)
        sample = posts[:: 1 + len(posts) // _MOST_SCANNED]
        counts = np.bincount(_rows(self._phrases_of, sample), minlength=len(self.texts))[tags]
        return tags[counts > 0], counts[counts > 0]


class PastPhrases:
    """The past queries, for suggesting."""

    def __init__(self, queries: Iterable[PastQuery] = ()) -> None:
        merged: dict[str, PastQuery] = {}
        for query in queries:
            folded = folded_phrase(query.text)
            if starts(folded):
                same = merged.get(folded, PastQuery(query.text, 0, query.last_day))
                merged[folded] = PastQuery(query.text, same.count + query.count, max(same.last_day, query.last_day))
        queries = list(merged.values())
        self.texts = [plain(query.text) for query in queries]
        fresh = _freshness(array("l", [query.last_day.toordinal() for query in queries]))
        used = np.log1p(np.array([query.count for query in queries], np.float64))
        self.scores: Scores = (USE * used * fresh).astype(np.float32)
        self.numbers = {folded: number for number, folded in enumerate(merged)}
        self.index = PrefixIndex(
            ((line, starts(line), number) for line, number in self.numbers.items()), self.scores, INSIDE
        )
        self.pinyin = PrefixIndex(
            ((key, (0,), number) for line, number in self.numbers.items() for key in pinyin_keys(line)), self.scores
        )


class Suggester:
    """Completes what is typed. Safe to call from several threads; it never changes."""

    def __init__(self, posts: PostPhrases, past: PastPhrases) -> None:
        self.posts, self.past = posts, past

    def suggest(self, typed: str, limit: int = SUGGESTIONS) -> list[Suggestion]:
        """At most `limit` completions, best first, none twice and none what is already typed.

        Phrases in which a word begins with all that was typed come first; then those that hold all its words, the last
        one perhaps unfinished; then one or two words before the last, as typed, with a tag that a post carries beside
        them. Nothing for more than LONGEST_TYPED code points: who has typed a sentence needs no completion.
        """
        prefix = typed_prefix(typed)
        if not prefix or len(prefix) > LONGEST_TYPED or limit < 1:
            return []
        found: dict[str, Suggestion] = {prefix.strip(): Suggestion(typed, "query")}
        self._beginning(prefix, limit, found)
        *before, last = prefix.split(" ")
        if before and len(found) <= limit:
            self._holding([*before, last], limit, found)
        if 1 <= len(before) <= 2 and len(found) <= limit:
            self._beside([word for word in before if word], last, typed, found)
        return list(found.values())[1 : limit + 1]

    def _beginning(self, prefix: str, limit: int, found: dict[str, Suggestion]) -> None:
        """Add what begins with the prefix, or is typed so in pinyin; a phrase asked before counts for both."""
        posts, past = self.posts, self.past
        wanted = 2 * limit
        scored: dict[str, tuple[float, Suggestion]] = {}
        of_posts = _either(posts.index, posts.pinyin, prefix, wanted)
        of_past = _either(past.index, past.pinyin, prefix, wanted)
        lines = posts.index.lines(list(of_posts))
        for line, (number, score) in zip(lines, of_posts.items(), strict=True):
            scored[line] = score, Suggestion(posts.texts[number], posts.kind(number))
            asked = past.numbers.get(line)
            if asked is not None:
                scored[line] = score + float(past.scores[asked]), Suggestion(past.texts[asked], "query")
        lines = past.index.lines(list(of_past))
        for line, (number, score) in zip(lines, of_past.items(), strict=True):
            if line not in scored:
                carried = posts.index.owner_of(line)
                total = score + (float(posts.scores[carried]) if carried is not None else 0.0)
                scored[line] = total, Suggestion(past.texts[number], "query")
        for line, (_, suggestion) in sorted(scored.items(), key=lambda one: (-one[1][0], len(one[0]), one[0])):
            found.setdefault(line, suggestion)

    def _holding(self, words: Sequence[str], limit: int, found: dict[str, Suggestion]) -> None:
        """Add phrases that hold all the words; of the rarest word's, the best are looked through."""
        *before, last = words
        for book in (self.past, self.posts):
            first = min((word for word in words if word), key=lambda word: _length(*book.index.stretch(word)))
            numbers = book.index.owners(first, _MOST_SCANNED)
            fitting = list(zip(numbers.tolist(), book.index.lines(numbers), strict=True))
            for word in words:  # quickly first, then as whole words
                fitting = [(number, line) for number, line in fitting if word in line]
            fitting = [
                (number, line)
                for number, line in fitting
                if stands(line, last) and all(stands(line, word, whole=True) for word in before)
            ]
            for number, line in sorted(fitting, key=lambda one: (-book.scores[one[0]], one[1]))[:limit]:
                kind: Kind = "query" if isinstance(book, PastPhrases) else book.kind(number)
                found.setdefault(line, Suggestion(book.texts[number], kind))

    def _beside(self, before: Sequence[str], last: str, typed: str, found: dict[str, Suggestion]) -> None:
        """Add the words before the last, followed by a tag that begins with the last."""
        posts = self.posts
        beside, counts = posts.tags_with(before, last)
        completions = [
            (-count, -float(posts.scores[number]), posts.texts[number])
            for number, count, line in zip(beside.tolist(), counts.tolist(), posts.index.lines(beside), strict=True)
            if not any(stands(line, word, whole=True) for word in before)
        ]
        # In the words as typed, but for signs before the first, and letters that folding changed into several words.
        words = plain(typed).split(" ")
        as_typed = " ".join(words[len(words) - len(before) - bool(last) :][: len(before)])
        head = as_typed if folded_phrase(as_typed) == " ".join(before) else " ".join(before)
        for _, _, tag in sorted(completions):
            text = f"{head} {tag}"
            found.setdefault(folded_phrase(text), Suggestion(text, "tag"))


def carries(query: str, post: Post) -> bool:
    """Whether a post mentions more than half of the words and pairs of Chinese characters that a query is about.

    Only such a query is worth suggesting to others: the post bears it out.
    """
    words = {stem(word) for word in query_words(query)}
    pairs = set(query_pairs(query))
    missing = len(words) + len(pairs)
    needed = missing // 2 + 1
    if missing == 0:
        return False
    for text in (post.title, *post.tags, post.text, *(comment.text for comment in post.comments)):
        folded = fold(text)
        words -= {stem(word) for word in query_words(folded)} | {word for word in words if stands(folded, word)}
        pairs = {pair for pair in pairs if pair not in folded}
        if missing - len(words) - len(pairs) >= needed:
            return True
    return False


def _either(index: PrefixIndex, pinyin: PrefixIndex, prefix: str, limit: int) -> dict[int, float]:
    """The best numbers of both, with the better score."""
    found = dict(index.best(prefix, limit))
    letters = compact(prefix)
    if prefix.isascii() and letters:
        for number, score in pinyin.best(letters, limit):
            found[number] = max(score - PINYIN, found.get(number, -math.inf))
    return found


def _freshness(days: array[int]) -> Scores:
    """1 for the newest of some days, halved every HALF_LIFE_DAYS before it; 0 for day 0, which is unknown."""
    ordinals = np.array(days, np.float64)
    newest = ordinals.max(initial=0.0)
    return np.where(ordinals > 0, np.exp2((ordinals - newest) / HALF_LIFE_DAYS), 0.0).astype(np.float32)


def _rows(table: tuple[Numbers, Numbers], rows: Numbers | NDArray[np.int64]) -> Numbers:
    """The values of several rows of a table, one after the other."""
    bounds, values = table
    wanted = rows.astype(np.int64)
    first = bounds[wanted].astype(np.int64)
    length = bounds[wanted + 1].astype(np.int64) - first
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    found: Numbers = values[np.repeat(first, length) + within]
    return found


def _length(first: int, last: int) -> int:
    return last - first
