"""An answer in the making: what was found, what is shown so far, what was withheld, and how long it took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from app.answering.promptbook import Prompt
from app.answering.types import (
    Answer,
    AnswerKind,
    AnswerSentence,
    Citation,
    Evidence,
    Question,
    SentenceReady,
    SentenceWithheld,
    WithheldReason,
)
from retrieval.types import SearchPage


class Draft:
    """Collects an answer's sentences, and gives the answer.

    Args:
        evidence: Best first.
        started: time.perf_counter() when the question came.
    """

    def __init__(
        self, question: Question, page: SearchPage, evidence: Sequence[Evidence], confidence: float, started: float
    ) -> None:
        self.question, self.page, self.evidence, self.confidence = question, page, list(evidence), confidence
        self.language = page.language
        self.sentences: list[AnswerSentence] = []
        self.withheld: Counter[WithheldReason] = Counter()
        self.model = ""
        self.prompt: Prompt | None = None
        self._started = started
        self._timings = {"search": self._elapsed_ms()}

    def within(self, share: float) -> list[Evidence]:
        """The evidence whose score is at least this share of the best one's."""
        best = max((one.score for one in self.evidence), default=0.0)
        return [one for one in self.evidence if one.score >= share * best]

    def show(self, sentence: AnswerSentence) -> SentenceReady:
        self._timings.setdefault("first_sentence", self._elapsed_ms())
        self.sentences.append(sentence)
        return SentenceReady(sentence)

    def quote(self, evidence: Evidence) -> SentenceReady:
        return self.show(AnswerSentence(evidence.text, (_citation(evidence),), quoted=True))

    def take(self, judged: AnswerSentence | WithheldReason) -> SentenceReady | SentenceWithheld:
        """Show what passed its checks, count what did not."""
        if isinstance(judged, AnswerSentence):
            return self.show(judged)
        self.withheld[judged] += 1
        return SentenceWithheld(judged)

    def says(self, evidence: Evidence) -> bool:
        """Whether a shown sentence stands on this very quote."""
        place = (evidence.post_id, evidence.part, evidence.comment, evidence.start)
        cited = (citation for sentence in self.sentences for citation in sentence.citations)
        return any((one.post_id, one.part, one.comment, one.start) == place for one in cited)

    def answer(self, kind: AnswerKind, note: str = "") -> Answer:
        return Answer(
            question=self.question,
            kind=kind,
            language=self.language,
            sentences=tuple(self.sentences),
            hits=self.page.hits,
            withheld=self.withheld.total(),
            withheld_by=dict(self.withheld),
            note=note,
            model=self.model if kind == "written" else "",
            prompt=self.prompt.version if self.prompt is not None else "",
            generation=self.page.generation,
            timings_ms=self._timings | {"total": self._elapsed_ms()},
            confidence=self.confidence,
        )

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def _citation(evidence: Evidence) -> Citation:
    e = evidence
    return Citation(e.mark, e.post_id, e.part, e.comment, e.start, e.end, quote=e.text, support=1.0)
