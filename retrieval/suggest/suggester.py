"""Completions of what is being typed, from posts' titles and tags and from past queries. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from retrieval.suggest.past_queries import PastPhrases
from retrieval.suggest.phrase_scores import PINYIN
from retrieval.suggest.phrases import compact, folded_phrase, plain, stands, typed_prefix
from retrieval.suggest.post_phrases import Kind, PostPhrases
from retrieval.suggest.prefix_index import MOST_SCANNED

SUGGESTIONS = 8
LONGEST_TYPED = 60


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion: the text for the search box, and the first of these sources that has it."""

    text: str
    kind: Kind


class Suggester:
    """Completes what is typed. Immutable, and safe to call from several threads."""

    def __init__(self, posts: PostPhrases, past: PastPhrases) -> None:
        self.posts, self.past = posts, past

    def without(self, post_ids: Collection[str]) -> Suggester:
        """The same without what only these posts carry, and past queries that found them; takes milliseconds."""
        return Suggester(self.posts.without(post_ids), self.past.without(post_ids))

    def suggest(self, typed: str, limit: int = SUGGESTIONS) -> list[Suggestion]:
        """At most `limit` completions, best first, without duplicates and without what is already typed.

        First come phrases in which a word begins with everything typed; then those that contain all its words, the last
        perhaps unfinished; then the one or two words before the last, as typed, with a tag that a post has beside them.
        Nothing for more than LONGEST_TYPED code points: a whole sentence needs no completion.
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
        """Add what begins with the prefix, or with it as pinyin; a phrase that is also a past query counts for both."""
        posts, past = self.posts, self.past
        wanted = 2 * limit
        scored: dict[str, tuple[float, Suggestion]] = {}
        of_posts = _either(posts, prefix, wanted)
        of_past = _either(past, prefix, wanted)
        lines = posts.index.lines(list(of_posts))
        for line, (number, score) in zip(lines, of_posts.items(), strict=True):
            scored[line] = score, Suggestion(posts.texts[number], posts.kind(number))
            asked = past.numbers.get(line)
            if asked is not None and not past.hidden[asked]:
                scored[line] = score + float(past.scores[asked]), Suggestion(past.texts[asked], "query")
        lines = past.index.lines(list(of_past))
        for line, (number, score) in zip(lines, of_past.items(), strict=True):
            if line not in scored:
                carried = posts.index.owner_of(line)
                there = carried is not None and not posts.hidden[carried]
                total = score + (float(posts.scores[carried]) if there else 0.0)
                scored[line] = total, Suggestion(past.texts[number], "query")
        for line, (_, suggestion) in sorted(scored.items(), key=lambda one: (-one[1][0], len(one[0]), one[0])):
            found.setdefault(line, suggestion)

    def _holding(self, words: Sequence[str], limit: int, found: dict[str, Suggestion]) -> None:
        """Add phrases that contain all the words; only the best of the rarest word are examined."""
        *before, last = words
        for book in (self.past, self.posts):
            first = min((word for word in words if word), key=lambda word: _length(*book.index.stretch(word)))
            numbers = book.index.owners(first, MOST_SCANNED)
            numbers = numbers[~book.hidden[numbers]]
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
        # In the words as typed, except for signs before the first, and letters that folding turned into several words.
        words = plain(typed).split(" ")
        as_typed = " ".join(words[len(words) - len(before) - bool(last) :][: len(before)])
        head = as_typed if folded_phrase(as_typed) == " ".join(before) else " ".join(before)
        for _, _, tag in sorted(completions):
            text = f"{head} {tag}"
            found.setdefault(folded_phrase(text), Suggestion(text, "tag"))


def _either(book: PostPhrases | PastPhrases, prefix: str, limit: int) -> dict[int, float]:
    """The best numbers by letters and by pinyin, each with the better score."""
    found = dict(book.index.best(prefix, limit, book.hidden))
    letters = compact(prefix)
    if prefix.isascii() and letters:
        for number, score in book.pinyin.best(letters, limit, book.hidden):
            found[number] = max(score - PINYIN, found.get(number, -math.inf))
    return found


def _length(first: int, last: int) -> int:
    return last - first
