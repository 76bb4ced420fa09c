"""Which sentences of the hits may answer the question, and whether they are enough to answer at all."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.answering.asking import Kind, asked_for, holds
from app.answering.quarantine import sources
from app.answering.types import Evidence
from retrieval.embedding import Embedder
from retrieval.language import detect_language, knows
from retrieval.store import TermWeights
from retrieval.terms import TermWeigher
from retrieval.text import fold, han_runs, sentences
from retrieval.types import Hit, Post, Span

# Sentences looked at for one question; the posts come best first, so what is cut is the tail of the last ones.
_MOST_SENTENCES = 160
_SHORTEST = 4
# Evidence of which so much stands in better evidence adds nothing.
_NEAR_COPY = 0.9

# The weights below were chosen on the sample posts' queries and the answering sets of docs/decisions/0004-gate.md.
# A word of the question in the post's title or tags counts nearly as much as one in the sentence itself.
_CONTEXT = 0.9
# Taken off where the question asks for a price (a date, a place ...) and the sentence holds none.
_LACKING = 0.1
# A title announces more than it says, and a question is no answer.
_TITLE = 0.8
_ASKING = 0.7
# Prices rise and shops move: how far the newest of the posts is put before the oldest.
_NEWEST = 0.04
# Chatty posts and lists break the line every few words. A unit shorter than this takes the next sentence in, up to
# three times this length, so that a quote says something by itself; half of it where a full stop ends the unit.
_SHORT_LATIN, _SHORT_HAN = 100, 40
_FULL_STOPS = (".", "!", "?", "。", "！", "？", "…")
_TAGS_ALONE = re.compile(r"(?:[#＃]\S+\s*)+")


@dataclass(frozen=True, slots=True)
class EvidenceSelector:
    """Scores the sentences of hits against a question, by meaning where the embedder knows the language, and by words.

    Attributes:
        embedder: Its cosine counts `dense_weight_known` of the score in a language that it knows, less elsewhere.
    """

    embedder: Embedder
    weigher: TermWeigher
    dense_weight_known: float = 0.5
    dense_weight_unknown: float = 0.1

    def select(self, question: str, hits: Sequence[Hit]) -> list[Evidence]:
        """Every sentence of the hits with its score, best first, of equals the newer post's; near copies of a better
        one are left out.

        Args:
            hits: In the order of their marks: mark 1 is hits[0].

        Returns:
            Scores 0 to 1. Empty where the hits hold no sentence.
        """
        found = list(_sentences_of(hits))[:_MOST_SENTENCES]
        if not found:
            return []
        coverages = self._coverages(question, found, hits)
        cosines = self._cosines(question, found, hits)
        dense = self.dense_weight_known if self._knows(question) else self.dense_weight_unknown
        kinds = asked_for(question)
        scored = [
            replace(evidence, score=self._score(evidence, dense * cosine + (1 - dense) * coverage, kinds))
            for evidence, cosine, coverage in zip(found, cosines, coverages, strict=True)
        ]
        recency = _recency(hits)
        scored.sort(key=lambda one: (-one.score - _NEWEST * recency[one.mark], one.mark, one.start))
        return _without_near_copies(scored)

    def _score(self, evidence: Evidence, likeness: float, kinds: frozenset[Kind]) -> float:
        score = likeness - _LACKING * (1 - holds(kinds, evidence.text))
        if evidence.part == "title":
            score *= _TITLE
        if evidence.text.endswith(("?", "？")):
            score *= _ASKING
        return min(1.0, max(0.0, score))

    def _knows(self, question: str) -> bool:
        return knows(self.embedder.languages, detect_language(question))

    def _cosines(self, question: str, found: Sequence[Evidence], hits: Sequence[Hit]) -> list[float]:
        texts = [_in_its_post(evidence, hits[evidence.mark - 1].post) for evidence in found]
        return [float(cosine) for cosine in self.embedder.embed_passages(texts) @ self.embedder.embed_query(question)]

    def _coverages(self, question: str, found: Sequence[Evidence], hits: Sequence[Hit]) -> list[float]:
        """How much of the question's rare words each sentence holds; words in the post's title count in part."""
        asked = self.weigher.query(question).indices
        if not asked:
            return [0.0] * len(found)
        bodies = [set(terms.indices) for terms in self.weigher.passages([evidence.text for evidence in found])]
        titles = self._title_terms(hits)
        frequency = Counter(index for body in bodies for index in body)
        idf = {index: math.log(1 + (len(found) + 1) / (frequency[index] + 0.5)) for index in asked}
        total = sum(idf.values())
        return [
            sum(idf[index] * (1.0 if index in body else _CONTEXT * (index in titles[evidence.mark])) for index in asked)
            / total
            for evidence, body in zip(found, bodies, strict=True)
        ]

    def _title_terms(self, hits: Sequence[Hit]) -> dict[int, frozenset[int]]:
        weights: list[TermWeights] = self.weigher.passages(
            [f"{hit.post.title} {' '.join(hit.post.tags)}" for hit in hits]
        )
        return {mark: frozenset(terms.indices) for mark, terms in enumerate(weights, start=1)}


def confidence(evidence: Sequence[Evidence], known_language: bool) -> float:
    """How sure we may be that the posts answer the question, 0 to 1; .5 is where the default gate stands.

    A logistic curve over the best sentence's score. In a language that the embedder does not know, scores are made of
    words alone and lie lower. Where the middles come from: docs/decisions/0004-gate.md.

    Args:
        evidence: As `EvidenceSelector.select` gives it.
        known_language: Whether the embedder knows the question's language.
    """
    if not evidence:
        return 0.0
    middle = _MIDDLE_KNOWN if known_language else _MIDDLE_UNKNOWN
    return 1 / (1 + math.exp((middle - max(one.score for one in evidence)) / _WIDTH))


_MIDDLE_KNOWN = 0.43
_MIDDLE_UNKNOWN = 0.29
_WIDTH = 0.06


def _recency(hits: Sequence[Hit]) -> dict[int, float]:
    """By mark: 1 for the newest of the posts, 0 for the oldest and for one without a date."""
    dates = sorted({hit.post.created_at for hit in hits if hit.post.created_at is not None})
    steps = max(1, len(dates) - 1)
    return {
        mark: dates.index(hit.post.created_at) / steps if hit.post.created_at is not None else 0.0
        for mark, hit in enumerate(hits, start=1)
    }


def _sentences_of(hits: Sequence[Hit]) -> Iterator[Evidence]:
    for mark, hit in enumerate(hits, start=1):
        yield from sentences_of(hit.post, mark)


def sentences_of(post: Post, mark: int) -> Iterator[Evidence]:
    """The sentences of a post that may be evidence, in its order: title, text, comments; scores are 0."""
    own = sources(post)
    title = "" if own[0].barred else post.title
    for source in own:
        for unit in _units(source.text):
            for span in source.free(unit):
                sentence = source.text[span.start : span.end]
                if span.end - span.start >= _SHORTEST and _says_something(sentence):
                    yield Evidence(
                        mark, post.id, source.part, source.comment, span.start, span.end, sentence, 0.0, title
                    )


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text)) and not _TAGS_ALONE.fullmatch(text)


def _units(text: str) -> list[Span]:
    """Sentences, the short ones of a chatty post or a list taken together with the next."""
    units: list[Span] = []
    for span in sentences(text):
        if units and not _TAGS_ALONE.fullmatch(text[span.start : span.end]):
            last = units[-1]
            size = last.end - last.start
            most = _SHORT_HAN if han_runs(text[last.start : last.end]) else _SHORT_LATIN
            enough = most / 2 if text[last.start : last.end].endswith(_FULL_STOPS) else most
            if size < enough and span.end - last.start <= 3 * most and "\n\n" not in text[last.end : span.start]:
                units[-1] = Span(last.start, span.end)
                continue
        units.append(span)
    return units


def _in_its_post(evidence: Evidence, post: Post) -> str:
    return evidence.text if evidence.part == "title" or not post.title else f"{post.title}\n{evidence.text}"


def _without_near_copies(scored: list[Evidence]) -> list[Evidence]:
    kept: list[Evidence] = []
    seen: list[frozenset[str]] = []
    for evidence in scored:
        folded = fold(evidence.text)
        shingles = frozenset(folded[at : at + 4] for at in range(max(1, len(folded) - 3)))
        if all(len(shingles & other) < _NEAR_COPY * len(shingles) for other in seen):
            kept.append(evidence)
            seen.append(shingles)
    return kept


def similarity(embedder: Embedder, text: str, others: Sequence[str]) -> list[float]:
    """Cosine of one text with each of the others."""
    vectors = embedder.embed_passages([text, *others])
    return [float(cosine) for cosine in np.asarray(vectors[1:]) @ vectors[0]]
