"""Which sentences of the hits may answer the question, best first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.answering.evidence.coverage import coverages
from app.answering.evidence.interrogatives import asks
from app.answering.evidence.sentence_units import in_runs, sentences_of_hits
from app.answering.injection.adverts import advertises
from app.answering.question.answer_type import asked_kinds, holds, is_broad
from app.answering.types import Evidence
from retrieval.models.embedding import Embedder
from retrieval.text.folding import fold, han_runs
from retrieval.text.language import detect_language, knows
from retrieval.text.terms import TermWeigher
from retrieval.types import Hit, Post

# Sentences whose meaning is compared with the question: the best by words. Embedding them takes nearly all the time of
# selecting evidence.
_EMBEDDED = 48
# Evidence that overlaps this much with better evidence adds nothing.
_NEAR_COPY = 0.9
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")

# The weights below were chosen on the sample posts' queries and the answering sets of docs/decisions/0009-evidence.md.
# Subtracted where the question asks for a price (a date, a place ...) and the sentence holds none.
_LACKING = 0.1
# A title promises more than it says.
_TITLE = 0.8
# A remark under a post says less than it seems to: "both work. end of war pls".
_REMARK, _REMARK_LATIN, _REMARK_HAN = 0.85, 60, 20
# Prices rise and shops move: the advantage of the newest post over the oldest.
_NEWEST = 0.04
# Meaning counts less for a question of several parts: no single sentence is like the whole of it.
_BROAD_DENSE = 0.2
# A comment shorter than this means nothing alone, unless it holds a word of the question or a number.
_BARE_LATIN, _BARE_HAN = 30, 10
# A neighbour with at least this share of the best score is quoted together with a sentence: alone, few sentences of a
# post say what they are about.
_JOINS = 0.4


@dataclass(frozen=True, slots=True)
class EvidenceSelector:
    """Scores the sentences of hits against a question, by words, and by meaning where the embedder knows the language.

    Attributes:
        embedder: Its cosine counts `dense_weight_known` of the score in a language that it knows, less in others.
    """

    embedder: Embedder
    weigher: TermWeigher
    dense_weight_known: float = 0.5
    dense_weight_unknown: float = 0.1

    def select(self, question: str, hits: Sequence[Hit]) -> list[Evidence]:
        """The sentences of the hits with their scores, best first, the newer post's first among equals. Near copies
        of a better one are left out, and so are sentences that ask something themselves, comments that mean nothing
        alone ("same here!"), and what adverts say. Good neighbours come as one piece of evidence.

        All sentences are compared with the question by words, however long the posts; the best also by meaning.

        Args:
            hits: In the order of their marks: mark 1 is hits[0].

        Returns:
            Scores 0 to 1. Empty where the hits hold no sentence that states something.
        """
        paid = {mark for mark, hit in enumerate(hits, start=1) if advertises(hit.post)}
        found = [one for one in sentences_of_hits(hits) if one.part == "comment" or one.mark not in paid]
        if not found:
            return []
        kinds, broad = asked_kinds(question), is_broad(question)
        headings = [f"{hit.post.title} {' '.join(hit.post.tags)}" for hit in hits]
        lacking = np.array([_LACKING * (1 - holds(kinds, one.text)) for one in found])
        factor = np.array([_TITLE if one.part == "title" else _REMARK if _is_remark(one) else 1.0 for one in found])
        shares = coverages(self.weigher, question, found, headings)
        dense = self._dense_weights(question, found, hits) * (_BROAD_DENSE if broad else 1)
        first = np.argsort(-(shares + (dense == 1) - lacking) * factor, kind="stable")[:_EMBEDDED]
        cosines = self._cosines(question, found, hits, first)
        scores = np.clip((dense * cosines + (1 - dense) * shares - lacking) * factor, 0, 1)
        # Sentences that ask are scored all the same: they say what the sentences around them are about.
        scored = [
            replace(one, score=float(score), likeness=float(cosine))
            for one, score, cosine in zip(found, scores, cosines, strict=True)
            if not asks(one.text) and not self._means_nothing_alone(one, question)
        ]
        recency = _recency(hits)
        scored.sort(key=lambda one: (-one.score - _NEWEST * recency[one.mark], one.mark, one.start))
        ranked = _without_near_copies(scored)
        return in_runs(ranked, hits, _JOINS)

    def _means_nothing_alone(self, one: Evidence, question: str) -> bool:
        longest = _BARE_HAN if han_runs(one.text) else _BARE_LATIN
        if one.part != "comment" or len(one.text) >= longest or any(map(str.isdigit, one.text)):
            return False
        if detect_language(one.text) != detect_language(question):  # it cannot have the question's words
            return False
        kinds = asked_kinds(question)
        [own], asked = self.weigher.passages([one.text]), self.weigher.query(question)
        return not (kinds and holds(kinds, one.text)) and set(own.indices).isdisjoint(asked.indices)

    def _dense_weights(self, question: str, found: Sequence[Evidence], hits: Sequence[Hit]) -> NDArray[np.float64]:
        """(n,) what meaning counts for: all, where the words of another language cannot be those of the question."""
        asked = detect_language(question)
        if not knows(self.embedder.languages, asked):
            return np.full(len(found), self.dense_weight_unknown)
        foreign = {
            mark: detect_language(f"{hit.post.title}\n{hit.post.text}") != asked
            and knows(self.embedder.languages, "zh")
            for mark, hit in enumerate(hits, start=1)
        }
        return np.array([1.0 if foreign[one.mark] else self.dense_weight_known for one in found])

    def _cosines(
        self, question: str, found: Sequence[Evidence], hits: Sequence[Hit], first: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """(n,) cosines of the sentences with the question; those not among the `first` get the lowest."""
        texts = [_in_its_post(found[row], hits[found[row].mark - 1].post) for row in first]
        near = self.embedder.embed_passages(texts) @ self.embedder.embed_query(question)
        cosines = np.full(len(found), float(near.min()))
        cosines[first] = near
        return cosines


def _is_remark(one: Evidence) -> bool:
    """Whether it is a short comment without a number."""
    longest = _REMARK_HAN if han_runs(one.text) else _REMARK_LATIN
    return one.part == "comment" and len(one.text) < longest and not any(map(str.isdigit, one.text))


def _recency(hits: Sequence[Hit]) -> dict[int, float]:
    """By mark: 1 for the newest of the posts, 0 for the oldest and for one without a date."""
    dates = sorted({hit.post.created_at for hit in hits if hit.post.created_at is not None})
    steps = max(1, len(dates) - 1)
    return {
        mark: dates.index(hit.post.created_at) / steps if hit.post.created_at is not None else 0.0
        for mark, hit in enumerate(hits, start=1)
    }


def _in_its_post(evidence: Evidence, post: Post) -> str:
    return evidence.text if evidence.part == "title" or not post.title else f"{post.title}\n{evidence.text}"


def _without_near_copies(scored: list[Evidence]) -> list[Evidence]:
    kept: list[Evidence] = []
    seen: list[tuple[frozenset[str], frozenset[str]]] = []
    for evidence in scored:
        folded = fold(evidence.text)
        shingles = frozenset(folded[at : at + 4] for at in range(max(1, len(folded) - 3)))
        # With another number it is no copy, however similar: it may say what it costs now.
        numbers = frozenset(_NUMBER.findall(folded))
        if all(len(shingles & other) < _NEAR_COPY * len(shingles) or numbers - its for other, its in seen):
            kept.append(evidence)
            seen.append((shingles, numbers))
    return kept
