"""One score from two: the convex combination of cosine and BM25, weighted by language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.types import Candidate


@dataclass(frozen=True, slots=True)
class Scale:
    """What cosine and BM25 count for among the candidates of one query.

    Attributes:
        dense_weight: Share of the cosine, 0 to 1.
        best_cosine, best_lexical: The best value on each side, which counts as 1; 0 if there is none.
        elsewhere: IDs of the posts in another language than the query's. They cannot have its words: for them the
            cosine counts `weight_elsewhere`, unless both together count more.
    """

    dense_weight: float
    best_cosine: float
    best_lexical: float
    elsewhere: frozenset[str] = frozenset()

    @classmethod
    def of(cls, candidates: Sequence[Candidate], dense_weight: float, elsewhere: frozenset[str] = frozenset()) -> Scale:
        """The scale of one query's candidates.

        Args:
            dense_weight: Share of the cosine, 0 to 1, if both sides found something.
            elsewhere: IDs of posts in another language than the query's, which the embedder knows.
        """
        if not 0 <= dense_weight <= 1:
            raise ValueError(f"dense_weight is {dense_weight}; it must be between 0 and 1")
        best_cosine = max((candidate.cosine for candidate in candidates), default=0.0)
        best_lexical = max((candidate.lexical for candidate in candidates), default=0.0)
        # If one side found nothing at all, the other decides alone; otherwise its share of the score would be lost.
        if best_lexical <= 0:
            dense_weight = 1.0
        elif best_cosine <= 0:
            dense_weight = 0.0
        return cls(dense_weight, best_cosine, best_lexical, elsewhere)

    @property
    def weight_elsewhere(self) -> float:
        """Share of the cosine of a post in another language; all of it where there are only such posts."""
        return self.dense_weight + (1 - self.dense_weight) * _WORDS_ELSEWHERE

    def scores(self, candidates: Sequence[Candidate]) -> list[float]:
        """The combined score of each candidate."""
        dense = self.dense_weight if self.best_cosine > 0 else 0.0
        lexical = 1 - self.dense_weight if self.best_lexical > 0 else 0.0
        best_cosine, best_lexical = self.best_cosine or 1.0, self.best_lexical or 1.0
        # Divided first: next to nothing times a share may be the same next to nothing.
        both = [
            dense * (max(one.cosine, 0.0) / best_cosine) + lexical * (one.lexical / best_lexical) for one in candidates
        ]
        if not self.elsewhere or dense <= 0:
            return both
        alone = self.weight_elsewhere
        return [
            max(score, alone * (one.cosine / best_cosine)) if one.post_id in self.elsewhere else score
            for score, one in zip(both, candidates, strict=True)
        ]

    def dense(self, candidate: Candidate) -> float:
        """What the cosine adds to a candidate's score."""
        return self._parts(candidate)[0]

    def lexical(self, candidate: Candidate) -> float:
        """What BM25 adds to a candidate's score."""
        return self._parts(candidate)[1]

    def _parts(self, candidate: Candidate) -> tuple[float, float]:
        cosine = max(candidate.cosine, 0.0) / self.best_cosine if self.best_cosine > 0 else 0.0
        dense = self.dense_weight * cosine
        lexical = (1 - self.dense_weight) * (candidate.lexical / self.best_lexical) if self.dense_weight < 1 else 0.0
        if dense > 0 and candidate.post_id in self.elsewhere:
            alone = self.weight_elsewhere * cosine
            return (alone, 0.0) if alone > dense + lexical else (dense, lexical)
        return dense, lexical


def fuse(candidates: Sequence[Candidate], scale: Scale) -> list[tuple[float, Candidate]]:
    """The best passage of each post with its fused score, best first.

    Cosine and BM25 are each divided by their best value among the candidates, so that the best on each side counts as
    1, and added with the scale's `dense_weight` and 1 - `dense_weight`. Ranks alone (RRF) lose to the better single
    retriever on both judged sets that were tried (docs/decisions/0002-convex-fusion.md).

    Args:
        candidates: From one query, each with both scores.
        scale: Of these candidates.

    Returns:
        (score, candidate) with 0 <= score <= 1, one per post; ties in the order of post IDs, so that pages are stable.

    Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023.
    """
    best: dict[str, tuple[float, Candidate]] = {}
    for score, candidate in zip(scale.scores(candidates), candidates, strict=True):
        kept = best.get(candidate.post_id)
        if kept is None or (score, -candidate.ordinal) > (kept[0], -kept[1].ordinal):
            best[candidate.post_id] = (score, candidate)
    return sorted(best.values(), key=lambda scored: (-scored[0], scored[1].post_id))


# What a post in another language than the query's is taken to have of the query's words, where its cosine is the best:
# more brings more of such posts, and takes places from those in the query's language (docs/decisions/
# 0021-several-embedders.md).
_WORDS_ELSEWHERE = 0.2

# Chinese words have one form, so that BM25 misses little that is said in the same words.
_IN_CHINESE = 0.75


def dense_weight_known(weight: float, language: str) -> float:
    """The share of the cosine in a language that the embedder knows; less in Chinese
    (docs/decisions/0021-several-embedders.md).

    Args:
        weight: The share in any other language.
    """
    return weight * _IN_CHINESE if language == "zh" else weight


# Code points at which a passage's vector, in a language that the embedder does not know, counts half as much as that
# of a very short one.
_HALF_TELLING = 15
_LONGEST_COUNTED = 600


def dense_weight_unknown(weight: float, candidates: Sequence[Candidate]) -> float:
    """Share of the cosine in a language that the embedder does not know, for candidates of this length.

    Such an embedder still sees that two short texts share characters; over a long passage its vector is a blur. With a
    fixed weight, what helps on short Chinese questions (LCQMC) hurts on paragraphs (XQuAD, CMRC); see
    docs/decisions/0002-convex-fusion.md.

    Args:
        weight: The share for passages of length zero.
    """
    if not candidates:
        return weight
    mean = sum(min(one.end - one.start, _LONGEST_COUNTED) for one in candidates) / len(candidates)
    return weight / (1 + (mean / _HALF_TELLING) ** 2)
