"""What a post must have of a query to be found: it is nearer than unrelated texts are, or has the query's words.

A search always brings the nearest vectors, however far away they are. How near an unrelated text is depends on the
embedder, on the query and on both languages, so that no cosine can be the border. It is measured: the query is compared
with texts that have nothing to do with it (`reference_texts`), and a post is near if its cosine lies so many of their
standard deviations above their mean. Chosen by judged data: docs/decisions/0027-relevance-floor.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from retrieval.models.embedding import Embedder
from retrieval.search.reference_texts import CHINESE, ENGLISH
from retrieval.types import Candidate, Vectors

# Standard deviations above the mean of unrelated texts: of what is found, and of what at least one post has to have
# before the cosine counts at all.
_NEAR, _ANCHOR = 3.0, 4.0
# Share of the best BM25 score with which a post is found by its words: usually, and where no post is near.
_WORDS, _WORDS_ALONE = 0.2, 0.5


class Unrelated(NamedTuple):
    """Cosines of one query with unrelated texts."""

    mean: float
    deviation: float


class Background:
    """Unrelated texts, embedded once, when a query first needs them. Safe to call from several
    threads.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._lock = embedder, Lock()
        self._vectors: dict[str, Vectors] = {}

    def of(self, vector: Vectors) -> dict[str, Unrelated]:
        """The cosines of a query's vector with unrelated texts, by the language of these."""
        with self._lock:
            if not self._vectors:
                texts = {"en": ENGLISH, "zh": CHINESE}
                self._vectors = {language: self._embedder.embed_passages(some) for language, some in texts.items()}
        cosines = {language: vectors @ vector for language, vectors in self._vectors.items()}
        return {language: Unrelated(float(some.mean()), float(some.std())) for language, some in cosines.items()}


@dataclass(frozen=True, slots=True)
class Floor:
    """The border of what is found for one query; the same on all its pages.

    Attributes:
        cosines: Least cosine by the post's language; infinite where nothing is near.
        elsewhere: Least cosine of a post in any other language: the least of all.
        lexical: Least BM25 score, above 0.
    """

    cosines: Mapping[str, float]
    elsewhere: float
    lexical: float

    @classmethod
    def none(cls) -> Floor:
        """The floor that lets everything through."""
        return cls({}, -math.inf, 0.0)

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        languages: Mapping[str, str],
        unrelated: Mapping[str, Unrelated],
        *,
        known: bool,
    ) -> Floor:
        """The floor of a query by its best candidates.

        Args:
            candidates: The first that a search brings, each with both scores.
            languages: Of their posts, by post ID.
            known: Whether the embedder knows the query's language.
        """
        best = max((one.lexical for one in candidates), default=0.0)
        anchors = {language: of.mean + _ANCHOR * of.deviation for language, of in unrelated.items()}
        anchor = min(anchors.values(), default=math.inf)
        anchored = any(one.cosine >= anchors.get(languages.get(one.post_id, ""), anchor) for one in candidates)
        words = _WORDS if anchored or not known else _WORDS_ALONE
        cosines = dict.fromkeys(unrelated, math.inf)
        if anchored or not known:
            cosines = {language: of.mean + _NEAR * of.deviation for language, of in unrelated.items()}
        return cls(
            cosines,
            min(cosines.values(), default=math.inf),
            words * best if best > 0 else math.inf,
        )

    def keeps(self, candidate: Candidate, language: str) -> bool:
        """Whether a passage of a post in this language is enough for the post to be found."""
        return candidate.lexical >= self.lexical or candidate.cosine >= self.cosines.get(language, self.elsewhere)

    def ends(self, cosine: float, lexical: float) -> bool:
        """Whether no passage is found whose scores are at most these."""
        return lexical < self.lexical and cosine < self.elsewhere


def kept(candidates: Sequence[Candidate], languages: Mapping[str, str], floor: Floor) -> set[str]:
    """IDs of the posts that are found; one without a language is not."""
    return {one.post_id for one in candidates if one.post_id in languages and floor.keeps(one, languages[one.post_id])}
