"""Changes a typed query to what the posts can answer: tags that none has, and Chinese in pinyin. Reads the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from retrieval.query.mistakes import mistake
from retrieval.query.pieces import ParsedQuery, tags_as_words
from retrieval.stores.contract import Generation
from retrieval.text.folding import han_runs
from retrieval.text.pinyin import first_pairs, is_syllable, like_pinyin, read_in, syllables
from retrieval.text.terms import TermWeigher
from retrieval.types import Candidate, Filters

_READ_POSTS = 50  # in which a spelling is looked up: rare words come first, and frequent ones fill the rest


class KnownWords:
    """Safe to call from several threads."""

    def __init__(self) -> None:
        self._weigher = TermWeigher()

    @staticmethod
    def concerns(typed: str) -> bool:
        """Whether a query may change: otherwise the index need not be asked."""
        return any(sign in typed for sign in "#＃") or any(map(like_pinyin, typed.split()))

    def of(
        self, generation: Generation, typed: str, parsed: ParsedQuery, is_usual: Callable[[str], bool]
    ) -> ParsedQuery:
        """The query, where no post has any of its tags, with their words instead, and where no post has a word that is
        pinyin, with the Chinese word that is spelled so; each of them with a mistake that says so.

        Args:
            is_usual: Whether a word is known in its own language.
        """
        tags = parsed.filters.tags
        if tags and not generation.matching(Filters(tags=tags), 1):
            parsed = tags_as_words(typed, parsed)
        return self._without_pinyin(generation, typed, parsed, is_usual)

    def _without_pinyin(
        self, generation: Generation, typed: str, parsed: ParsedQuery, is_usual: Callable[[str], bool]
    ) -> ParsedQuery:
        words = parsed.text.split()
        if not words or han_runs(parsed.text):
            return parsed
        if len(words) > 1 and all(map(is_syllable, words)) and not any(map(is_usual, words)):  # huo guo
            words = ["".join(words)] if syllables("".join(words)) else words
        read: dict[str, str] = {}
        for word in words:
            if syllables(word) and not is_usual(word) and not self._having(generation, word, 1):
                texts = self._having(generation, " ".join(first_pairs(word)), _READ_POSTS)
                posts = generation.posts(list(dict.fromkeys(one.post_id for one in texts)))
                said = (f"{post.title}\n{post.text}\n{' '.join(post.tags)}" for post in posts.values())
                read[word] = read_in(word, said)
        read = {word: chinese for word, chinese in read.items() if chinese}
        if not read:
            return parsed
        mistakes = list(parsed.mistakes)
        for word in read:
            at = typed.find(word)
            mistakes.append(mistake("pinyin", typed, max(at, 0), at + len(word) if at >= 0 else len(typed)))
        return replace(
            parsed,
            text=" ".join(read.get(word, word) for word in words),
            mistakes=tuple(sorted(mistakes, key=lambda one: one.start)),
        )

    def _having(self, generation: Generation, words: str, limit: int) -> list[Candidate]:
        """Passages that have these words, at most so many."""
        terms = self._weigher.query(words)
        if not terms.indices:
            return []
        anywhere = np.zeros(generation.info.identity.dimension, np.float32)
        anywhere[0] = 1  # only the words count, but a store wants a direction
        found = generation.candidates(anywhere, terms, limit, Filters(), alone=("terms",))
        return [one for one in found if one.lexical > 0]
