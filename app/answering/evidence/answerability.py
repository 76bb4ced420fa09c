"""Whether the evidence answers the question, how sure that is, and what is missing. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from app.answering.evidence.missing_information import missing_kinds, missing_words
from app.answering.question.answer_type import SEEN, AnswerType, Candidate, answer_type, candidates
from app.answering.question.chinese_names import shared_names
from app.answering.question.folded_text import FoldedText, asked_words, places
from app.answering.types import Evidence, Outcome
from retrieval.text.folding import fold
from retrieval.text.language import detect_language
from retrieval.types import Hit

# How likely an answer is, as a logistic curve over three signals. Learned by logistic regression on the sample posts'
# queries and everyday questions and four answering sets, with an intercept for each set, so that a set in which all
# scores are high teaches nothing; at the common intercept 93% of the answerable questions are answered, on average over
# the sets. Each family's figures when it was left out of the learning: docs/decisions/0004-gate.md.
_FIT, _LIKENESS, _AGREEMENT = 0.62, 0.5, 1.6
_INTERCEPT = 0.8
# The best sentence's score and its likeness to the question count in steps from where likely and unlikely meet; in a
# language that the embedder does not know there is no likeness, and scores come from words alone and are lower. Beyond
# the last steps they only say that the topic is right.
_MIDDLE_FIT_KNOWN, _MIDDLE_FIT_UNKNOWN, _MIDDLE_LIKENESS, _STEP = 0.37, 0.29, 0.40, 0.06
_STEPS_FIT, _STEPS_LIKENESS = (-3.0, 2.0), (-2.5, 3.0)

_LOOKED_AT = 12
_WEIGHED = 40
# At this distance from a candidate, in characters, a word of the question counts a third of what it does next to it.
_NEAR_LATIN, _NEAR_HAN = 60.0, 20.0
# A word of the title is near everything in its post, but next to nothing.
_IN_TITLE = 0.6
# The text speaks of another year than the question.
_OTHER_YEAR = 0.6
# "Burrow" in one post and "Joe Burrow" in another are almost certainly the same.
_PART_OF_NAME = 0.9
_NUMBER = 1.5
_YEAR = re.compile(r"(?<![\d.])(?:1[0-9]|20)\d\d(?![\d.%])")


@dataclass(frozen=True, slots=True)
class AnswerSignals:
    """What the decision is based on.

    Attributes:
        fit: The best sentence's score, 0 to 1.
        likeness: The highest cosine of a sentence with the question.
        agreement: How near the question's words two posts name the same thing of the type that is asked for, 0 to 1.
    """

    fit: float
    likeness: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Answerability:
    """Whether to answer.

    Attributes:
        outcome: "answer"; "partly", where several things were asked and some of them have no answer; "declined".
        confidence: 0 to 1; the default threshold is at .5.
        missing: What the posts do not say, one sentence in the question's language; "" where nothing is missing.
    """

    outcome: Outcome
    confidence: float
    missing: str


def assess(
    question: str, evidence: Sequence[Evidence], hits: Sequence[Hit], threshold: float, known: bool
) -> Answerability:
    """Whether these posts answer the question.

    Args:
        evidence: As `EvidenceSelector.select` gives it.
        hits: mark 1 is hits[0].
        threshold: Least confidence with which a question is answered.
        known: Whether the embedder knows the question's language.
    """
    if not evidence:
        return Answerability("declined", 0.0, "")
    confidence = confidence_of(signals(question, evidence, hits), known)
    texts = [f"{hits[one.mark - 1].post.title}\n{one.text}" for one in evidence[:_LOOKED_AT]]
    if confidence < threshold:
        return Answerability("declined", confidence, missing_words(question, texts))
    missing = missing_kinds(question, texts)
    return Answerability("partly" if missing else "answer", confidence, missing)


def confidence_of(seen: AnswerSignals, known: bool) -> float:
    """How likely the posts answer, 0 to 1, by a logistic curve over the signals."""
    weighed = _INTERCEPT + _AGREEMENT * seen.agreement
    weighed += _FIT * _steps(seen.fit, _MIDDLE_FIT_KNOWN if known else _MIDDLE_FIT_UNKNOWN, _STEPS_FIT)
    if known:
        weighed += _LIKENESS * _steps(seen.likeness, _MIDDLE_LIKENESS, _STEPS_LIKENESS)
    return 1 / (1 + math.exp(-weighed))


def _steps(value: float, middle: float, bounds: tuple[float, float]) -> float:
    least, most = bounds
    return min(most, max(least, (value - middle) / _STEP))


def signals(question: str, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> AnswerSignals:
    """What the evidence shows.

    Args:
        evidence: Best first; at least one.
    """
    fit, likeness, kind = evidence[0].score, max(one.likeness for one in evidence), answer_type(question)
    if kind is None and detect_language(question) != "zh":
        return AnswerSignals(fit, likeness, 0.0)
    view = _View(question, evidence, hits)
    by_characters = view.chinese and kind not in SEEN
    if by_characters or kind is None:
        return AnswerSignals(fit, likeness, view.shared_names(kind) if by_characters else 0.0)
    return AnswerSignals(fit, likeness, _agreement(view.candidates(kind)))


class _View:
    """The best evidence, seen from the words of the question."""

    def __init__(self, question: str, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> None:
        self._question, self._words = question, asked_words(question)
        self.chinese = detect_language(question) == "zh"
        texts = [FoldedText.of(one.text) for one in evidence[:_WEIGHED]]
        found = [places(text, self._words) for text in texts]
        self._evidence, self._texts, self._places = evidence[:_LOOKED_AT], texts[:_LOOKED_AT], found[:_LOOKED_AT]
        self._weights = {word: self._weight(word, found) for word in self._words}
        self._total = sum(self._weights.values()) or 1.0
        self._titles = {
            mark: frozenset(places(FoldedText.of(f"{hit.post.title} {' '.join(hit.post.tags)}"), self._words))
            for mark, hit in enumerate(hits, start=1)
        }
        self._years = set(_YEAR.findall(fold(question)))

    @staticmethod
    def _weight(word: str, found: Sequence[dict[str, list[tuple[int, int]]]]) -> float:
        having = sum(word in one for one in found)
        rarity = math.log(1 + (len(found) + 1) / (having + 0.5))
        return rarity * (_NUMBER if any(map(str.isdigit, word)) else 1.0)

    def candidates(self, kind: AnswerType) -> list[tuple[Candidate, int, float]]:
        """Candidates, the mark of their post, and how near the question's words they are, 0 to 1."""
        return [
            (candidate, one.mark, candidate.fit * self._nearness(row, candidate.start, candidate.end))
            for row, (one, text) in enumerate(zip(self._evidence, self._texts, strict=True))
            for candidate in candidates(kind, text, self._question)
        ]

    def shared_names(self, kind: AnswerType | None) -> float:
        """The highest nearness of a Chinese name that two posts share; 0 where they share none."""
        asked, best = fold(self._question), 0.0
        for one, other in combinations(range(len(self._texts)), 2):
            if self._evidence[one].mark == self._evidence[other].mark:
                continue
            for name, (at, its) in shared_names(
                self._texts[one], self._texts[other], asked, place=kind == "place"
            ).items():
                size = len(name)
                near = min(self._nearness(one, at, at + size), self._nearness(other, its, its + size))
                best = max(best, near)
        return best

    def _nearness(self, row: int, start: int, end: int) -> float:
        reach = _NEAR_HAN if self.chinese else _NEAR_LATIN
        title, found = self._titles[self._evidence[row].mark], self._places[row]
        near = 0.0
        for word in self._words:
            if word in found:
                gap = min(max(first - end, start - last, 0) for first, last in found[word])
                near += self._weights[word] * math.exp(-gap / reach)
            elif word in title:
                near += self._weights[word] * _IN_TITLE
        years = set(_YEAR.findall(self._texts[row].folded))
        elsewhen = bool(self._years and years) and not self._years & years
        return near / self._total * (_OTHER_YEAR if elsewhen else 1.0)


def _agreement(named: Sequence[tuple[Candidate, int, float]]) -> float:
    """The second-best post's nearness for the candidate on which two posts agree best; 0 where none agree."""
    by_name: dict[str, dict[int, float]] = {}
    for candidate, mark, nearness in named:
        own = by_name.setdefault(candidate.name, {})
        own[mark] = max(own.get(mark, 0.0), nearness)
    words = {name: frozenset(name.split()) for name in by_name}
    best = 0.0
    for name, own in by_name.items():
        joined = dict(own)
        for other, its in by_name.items():
            if other != name and (words[other] <= words[name] or words[name] <= words[other]):
                for mark, nearness in its.items():
                    joined[mark] = max(joined.get(mark, 0.0), nearness * _PART_OF_NAME)
        if len(joined) > 1:
            best = max(best, sorted(joined.values())[-2])
    return best
