"""A text with its folded form, and where the words of a question occur in it. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.text.folding import fold, fold_with_offsets, han_runs
from retrieval.text.highlight import query_pairs, query_words, stem

_WORD = re.compile(r"[a-z0-9]+(?:[.,]\d+)*(?:['’][a-z]+)?")
# Words that frame a question and need not occur in its answer.
_FRAME = frozenset(
    re.findall(r"\w+", "many much long old often far big date location year name called known type kind")
)


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text and its folded form.

    Attributes:
        offsets: For each folded code point, the index of the original one that it came from.
    """

    original: str
    folded: str
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> FoldedText:
        folded, offsets = fold_with_offsets(text)
        return cls(text, folded, tuple(offsets))

    def folded_span(self, start: int, end: int) -> tuple[int, int]:
        """The position of original[start:end] in the folded text."""
        return bisect_left(self.offsets, start), bisect_left(self.offsets, end)


def asked_words(question: str) -> list[str]:
    """The words of a question that say what it is about: stems of words, pairs of Chinese characters; each once."""
    words = [stem(word) for word in query_words(question) if word not in _FRAME]
    pairs = query_pairs(question) if han_runs(fold(question)) else []
    return list(dict.fromkeys([*words, *pairs]))


def places(text: FoldedText, words: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Where words, as `asked_words` gives them, occur in the folded text; words that do not occur are left out."""
    wanted = set(words)
    found: dict[str, list[tuple[int, int]]] = {}
    for match in _WORD.finditer(text.folded):
        word = stem(match.group())
        if word in wanted:
            found.setdefault(word, []).append(match.span())
    for pair in words:
        if not han_runs(pair):
            continue
        at = text.folded.find(pair)
        while at >= 0:
            found.setdefault(pair, []).append((at, at + len(pair)))
            at = text.folded.find(pair, at + 1)
    return found
