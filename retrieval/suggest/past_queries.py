"""Past queries as suggestions, and whether a post bears a query out. Pure."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from retrieval.suggest.phrase_scores import INSIDE, USE, freshness
from retrieval.suggest.phrases import folded_phrase, pinyin_keys, plain, stands, starts
from retrieval.suggest.prefix_index import Hidden, PrefixIndex, Scores
from retrieval.text.folding import fold
from retrieval.text.highlight import query_pairs, query_words, stem
from retrieval.types import Post


@dataclass(frozen=True, slots=True)
class PastQuery:
    """A past query: as it was last typed, how often, and on which day last.

    Attributes:
        post_id: The post that was its best hit; "" if unknown.
    """

    text: str
    count: int
    last_day: date
    post_id: str = ""


class PastPhrases:
    """The past queries, for suggesting.

    Attributes:
        hidden: Those not to be suggested.
    """

    def __init__(self, queries: Iterable[PastQuery] = ()) -> None:
        merged: dict[str, PastQuery] = {}
        for query in queries:
            folded = folded_phrase(query.text)
            if starts(folded):
                same = merged.get(folded, query)
                count = query.count if same is query else same.count + query.count
                merged[folded] = replace(query, count=count, last_day=max(same.last_day, query.last_day))
        queries = list(merged.values())
        self._best = [query.post_id for query in queries]
        self.hidden: Hidden = np.zeros(len(queries), bool)
        self.texts = [plain(query.text) for query in queries]
        fresh = freshness(array("l", [query.last_day.toordinal() for query in queries]))
        used = np.log1p(np.array([query.count for query in queries], np.float64))
        self.scores: Scores = (USE * used * fresh).astype(np.float32)
        self.numbers = {folded: number for number, folded in enumerate(merged)}
        self.index = PrefixIndex(
            ((line, starts(line), number) for line, number in self.numbers.items()), self.scores, INSIDE
        )
        self.pinyin = PrefixIndex(
            ((key, (0,), number) for line, number in self.numbers.items() for key in pinyin_keys(line)), self.scores
        )

    def without(self, post_ids: Collection[str]) -> PastPhrases:
        """The same without the queries whose best hit was one of these posts."""
        left = copy.copy(self)
        left.hidden = self.hidden | np.array([best in post_ids for best in self._best], bool)
        return left


def carries(query: str, post: Post) -> bool:
    """Whether a post contains more than half of the words and pairs of Chinese characters that a query is about.

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
