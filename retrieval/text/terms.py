"""BM25 term weights of passages and queries, the same for Chinese and English.

Words come from Qdrant's multilingual tokenizer. It treats 喝咖啡 as one word, so that a search for 咖啡 would miss
it; the pairs and single characters of each Chinese run are therefore terms too, with less weight. The weights were
measured on three Chinese sets: docs/decisions/0003-chinese-terms.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import qdrant_edge

from retrieval.text.folding import fold, han_runs
from retrieval.types import TermWeights

PAIR_WEIGHT = 0.3
CHARACTER_WEIGHT = 0.2
# Terms in a typical passage, for BM25's length norm. 30, 50 and 100 differ by less than .01 nDCG@10.
USUAL_TERMS = 50.0
_NUMBER = re.compile(r"(?<![a-z0-9.])\d+(?:[.,]\d+)*(?![a-z0-9])")


class TermWeigher:
    """Weighs the terms of passages and queries. Terms are hashed to 32 bits, as Qdrant does; no vocabulary is kept."""

    def __init__(self) -> None:
        words = qdrant_edge.Bm25Config(tokenizer=qdrant_edge.TokenizerType.Multilingual, avg_len=USUAL_TERMS)
        bare = qdrant_edge.Bm25Config(
            tokenizer=qdrant_edge.TokenizerType.Whitespace,
            avg_len=USUAL_TERMS,
            stopwords=qdrant_edge.StopwordsSet(custom=set()),
            stemmer=qdrant_edge.DisabledStemmer(),
        )
        self._words, self._bare = qdrant_edge.Bm25(words), qdrant_edge.Bm25(bare)

    def passages(self, texts: Sequence[str]) -> list[TermWeights]:
        """Term weights of each text: saturated, length-normalised counts (BM25 with k 1.2, b .75, without idf)."""
        return [self._passage(fold(text)) for text in texts]

    def query(self, text: str) -> TermWeights:
        """Each term of a query once, with weight 1; empty if a query has no terms (only punctuation)."""
        folded = fold(text)
        indices = dict.fromkeys(self._words.embed_query(folded).indices)
        if not indices:
            # A query of only stop words ("to be or not to be") still means something.
            indices |= dict.fromkeys(self._bare.embed_query(" ".join(w for w in folded.split() if w.isalnum())).indices)
        for text_of_terms in (_pairs(folded), _characters(folded), _numbers_and_symbols(folded)):
            indices |= dict.fromkeys(self._bare.embed_query(text_of_terms).indices)
        return TermWeights(tuple(indices), (1.0,) * len(indices))

    def _passage(self, folded: str) -> TermWeights:
        weights: dict[int, float] = {}
        words = self._words.embed_document(folded)
        pairs = self._bare.embed_document(_pairs(folded))
        characters = self._bare.embed_document(_characters(folded))
        symbols = self._bare.embed_document(_numbers_and_symbols(folded))
        for share, terms in ((1.0, words), (PAIR_WEIGHT, pairs), (CHARACTER_WEIGHT, characters), (1.0, symbols)):
            for index, weight in zip(terms.indices, terms.values, strict=True):
                weights[index] = weights.get(index, 0.0) + share * weight
        return TermWeights(tuple(weights), tuple(weights.values()))


def _pairs(folded: str) -> str:
    return " ".join(run[at : at + 2] for run in han_runs(folded) for at in range(len(run) - 1))


def _characters(folded: str) -> str:
    return " ".join("".join(han_runs(folded)))


def _numbers_and_symbols(folded: str) -> str:
    """What the tokenizer drops: numbers (prices, years) and emoji, so that 28 or 🍜 alone can find a post."""
    symbols = [character for character in folded if unicodedata.category(character) == "So"]
    return " ".join([number.replace(",", "") for number in _NUMBER.findall(folded)] + symbols)
