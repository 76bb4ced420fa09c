"""An answer being written: what was found, what is shown so far, what was withheld, and how long it took."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from app.answering.checking.sentence_check import is_sentence
from app.answering.checking.sentence_language import is_foreign
from app.answering.comparison.term_overlap import coverage
from app.answering.finding import FoundEvidence
from app.answering.messages import message_language
from app.answering.types import (
    Answer,
    AnswerKind,
    AnswerSentence,
    Citation,
    Evidence,
    SentenceReady,
    SentenceWithheld,
    WithheldReason,
)
from retrieval.text.sentences import sentences

# Of the words of a piece of evidence; a sentence that holds as many has left nothing out that is worth a quote.
_SAID = 0.6


class Draft:
    """Collects an answer's sentences, and gives the answer.

    Args:
        started: time.perf_counter() when the question came.
    """

    def __init__(self, found: FoundEvidence, started: float) -> None:
        self.question, self.page = found.question, found.page
        read = [one for one in found.evidence if not is_foreign(one.text, one.title)]
        self.evidence = read or found.evidence
        self.answerability, self.differing, self.subjects = found.answerability, found.differing, found.subjects
        self.language = found.page.language
        self.sentences: list[AnswerSentence] = []
        self.withheld: Counter[WithheldReason] = Counter()
        self.thoughts: list[str] = []
        self.model = ""
        self.prompt = ""  # version of the one that was used
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
        """Show a sentence that passed its checks; count one that did not."""
        if isinstance(judged, AnswerSentence):
            return self.show(judged)
        self.withheld[judged] += 1
        return SentenceWithheld(judged)

    def unsaid(self, evidence: Evidence) -> Evidence | None:
        """The part of the evidence that no shown sentence has said: all of it, the whole sentences before or after one
        that was copied from it, whichever are longer, or None. A reworded sentence that cites it has said all of it if
        it holds most of its words.
        """
        rest = evidence
        for sentence in self.sentences:
            if not any(_overlap(citation, evidence) for citation in sentence.citations):
                continue
            at = rest.text.find(sentence.text)
            if at < 0:
                if coverage(rest.text, sentence.text) >= _SAID:
                    return None
                continue
            spans, end = sentences(rest.text), at + len(sentence.text)
            before, after = [one for one in spans if one.end <= at], [one for one in spans if one.start >= end]
            left = max(before, after, key=lambda own: own[-1].end - own[0].start if own else 0)
            if not left or not is_sentence(text := rest.text[left[0].start : left[-1].end]):
                return None
            start = rest.start + left[0].start
            rest = replace(rest, start=start, end=start + len(text), text=text)
        return rest

    def answer(self, kind: AnswerKind, note: str = "") -> Answer:
        return Answer(
            question=self.question,
            kind=kind,
            language=self.language,
            sentences=tuple(self.sentences),
            hits=self.page.hits,
            withheld=self.withheld.total(),
            withheld_by=dict(self.withheld),
            note=_joined(self.language, note, self.answerability.missing, self.differing if self.sentences else ""),
            model=self.model if kind == "written" else "",
            prompt=self.prompt,
            generation=self.page.generation,
            timings_ms=self._timings | {"total": self._elapsed_ms()},
            thinking="".join(self.thoughts),
            confidence=round(self.answerability.confidence, 4),
            outcome=self.answerability.outcome,
            missing=self.answerability.missing,
        )

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def _overlap(citation: Citation, evidence: Evidence) -> bool:
    same = (citation.post_id, citation.part, citation.comment) == (evidence.post_id, evidence.part, evidence.comment)
    return same and citation.start < evidence.end and evidence.start < citation.end


def _joined(language: str, *sentences: str) -> str:
    return ("" if message_language(language) == "zh" else " ").join(filter(None, sentences))


def _citation(evidence: Evidence) -> Citation:
    e = evidence
    return Citation(e.mark, e.post_id, e.part, e.comment, e.start, e.end, quote=e.text, support=1.0)
