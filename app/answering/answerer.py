"""From a question to an answer, event by event: search, evidence, enough?, write, check, show."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import structlog

from app.answering.asking import asked_for, holds
from app.answering.citations import SentenceCutter, SupportChecker, split_marks
from app.answering.evidence import EvidenceSelector, confidence
from app.answering.promptbook import Prompt, load_prompt
from app.answering.prompting import assemble
from app.answering.types import (
    Answer,
    AnswerEvent,
    AnswerKind,
    AnswerSentence,
    Citation,
    Done,
    Evidence,
    HitsFound,
    Question,
    SentenceReady,
    SentenceWithheld,
)
from app.answering.writing import QueueFull, Writer
from retrieval.errors import FixableError
from retrieval.language import knows
from retrieval.search import Searcher
from retrieval.text import fold, han_runs
from retrieval.types import SearchPage, SearchQuery

_log = structlog.get_logger()
_Result = TypeVar("_Result")

# Evidence shown to the model per sentence that it may write: the right one is among so many nearly always
# (gold in the best 3 of .94 on both XQuAD sets), and each costs a small machine time to read.
_EVIDENCE_PER_SENTENCE = 2
# ... but not what is much weaker than the best: a small model writes about whatever it is shown.
_WEAKEST_SHOWN = 0.75
# A quote this much weaker than the best one is more likely beside the point than helpful.
_WEAKEST_QUOTE = 0.55
# A quote after written sentences must be nearly as good as the best.
_WEAKEST_ADDED = 0.85
_FEWEST_WORDS = 3
_RESERVED_TOKENS = 64  # the chat template's own


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """Sizes and thresholds of an answer; each is a setting of the same name."""

    hits: int = 6
    sentences: int = 3
    gate: float = 0.5
    support: float = 0.7
    max_tokens: int = 256
    timeout_s: float = 120.0


class Answerer:
    """Answers questions from the posts that a Searcher finds.

    Searching, embedding and checking run in `executor`, the model in the Writer's own thread; the event loop only
    passes events on.

    Args:
        writer: None makes every answer one of quotes.
    """

    def __init__(
        self,
        searcher: Searcher,
        selector: EvidenceSelector,
        checker: SupportChecker,
        writer: Writer | None,
        executor: Executor,
        limits: AnswerLimits,
    ) -> None:
        self._searcher, self._selector, self._checker = searcher, selector, checker
        self._writer, self._executor, self._limits = writer, executor, limits

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """HitsFound, then SentenceReady and SentenceWithheld as they come, then Done.

        Closing the iterator early stops the model.

        Raises:
            FixableError: The index cannot be read.
        """
        draft = await self._find(question)
        yield HitsFound(draft.page.hits, draft.page.language)
        if not draft.evidence or draft.confidence < self._limits.gate:
            yield Done(draft.answer("declined", note=_NOTES[_frame(draft.language)]["declined"]))
            return
        reason = "no_model"
        if self._writer is not None:
            reason = "language"
            if knows(self._writer.generator.languages, draft.language):
                try:
                    async with aclosing(self._write(draft, self._writer)) as events:
                        async for event in events:
                            yield event
                    reason = "unsupported"
                except QueueFull:
                    reason = "busy"
                except FixableError as error:
                    _log.warning("the model cannot write", problem=error.problem, fix=error.fix)
                    reason = "failed"
                except Exception:
                    # The model is the one part that may fail in ways nobody listed; the posts are still there.
                    _log.exception("the model failed", question_length=len(question.text))
                    reason = "failed"
        if not draft.sentences:
            for evidence in _within(draft.evidence, _WEAKEST_QUOTE)[: self._limits.sentences]:
                yield draft.quote(evidence)
            yield Done(draft.answer("quoted", note=_NOTES[_frame(draft.language)][reason]))
            return
        # What answers best must be in the answer, whatever the model made of it: a small one often leaves it out.
        for evidence in _within(draft.evidence, _WEAKEST_ADDED)[: self._limits.sentences - len(draft.sentences)]:
            if not draft.cites(evidence):
                yield draft.quote(evidence)
        yield Done(draft.answer("written"))

    async def _find(self, question: Question) -> _Draft:
        started = time.perf_counter()
        # The posts that match best, whoever wrote them and whatever their age. Copies say nothing new, and the page
        # that shows the answer has its posts in this order (docs/decisions/0006-near-copies.md).
        query = SearchQuery(question.text, question.filters, limit=self._limits.hits, per_author=0, boosts=False)
        page = await self._run(lambda: self._searcher.search(query))
        # Filters without a word ask nothing that a sentence could answer.
        asks = bool(question.text.strip())
        evidence = await self._run(lambda: self._selector.select(question.text, page.hits)) if asks else []
        sure = confidence(evidence, knows(self._selector.embedder.languages, page.language))
        return _Draft(question, page, evidence, sure, started)

    async def _write(self, draft: _Draft, writer: Writer) -> AsyncGenerator[AnswerEvent, None]:
        limits, generator = self._limits, writer.generator
        draft.prompt = load_prompt(f"answer/v1.{_frame(draft.language)}")
        draft.model = generator.name
        assembled = assemble(
            draft.prompt,
            draft.question.text,
            _within(draft.evidence, _WEAKEST_SHOWN)[: _EVIDENCE_PER_SENTENCE * limits.sentences],
            draft.page.hits,
            sentences=limits.sentences,
            budget=generator.context_tokens - limits.max_tokens - _RESERVED_TOKENS,
            count_tokens=generator.count_tokens,
        )
        if not assembled.evidence:
            return
        cutter = SentenceCutter()
        pieces = writer.write(assembled.system, assembled.user, limits.max_tokens, limits.timeout_s)
        async with aclosing(pieces):
            async for piece in pieces:
                for raw in cutter.feed(piece):
                    yield await self._judge(draft, raw, assembled.evidence)
                    if len(draft.sentences) == limits.sentences:
                        return
        for raw in cutter.rest():
            if len(draft.sentences) < limits.sentences:
                yield await self._judge(draft, raw, assembled.evidence)

    async def _judge(self, draft: _Draft, raw: str, evidence: Sequence[Evidence]) -> SentenceReady | SentenceWithheld:
        """One sentence of the model, checked: shown with its citations, or withheld with the reason."""
        text, marks = split_marks(raw)
        if not _is_sentence(text):
            return draft.withhold("not a sentence")
        if any(fold(text) == fold(shown.text) for shown in draft.sentences):
            return draft.withhold("repeated")
        kinds = asked_for(draft.question.text)
        if kinds and not holds(kinds, text):
            return draft.withhold("beside the point")
        citations = await self._run(lambda: self._checker.citations(text, marks, evidence, self._limits.support))
        if not citations:
            return draft.withhold("unsupported")
        sentence = AnswerSentence(text, citations)
        draft.show(sentence)
        return SentenceReady(sentence)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


class _Draft:
    """An answer in the making."""

    def __init__(
        self, question: Question, page: SearchPage, evidence: list[Evidence], confidence: float, started: float
    ) -> None:
        self.question, self.page, self.evidence, self.confidence = question, page, evidence, confidence
        self.language = page.language
        self.sentences: list[AnswerSentence] = []
        self.withheld = 0
        self.model = ""
        self.prompt: Prompt | None = None
        self._started = started
        self._timings = {"search": self._elapsed_ms()}

    def show(self, sentence: AnswerSentence) -> None:
        self._timings.setdefault("first_sentence", self._elapsed_ms())
        self.sentences.append(sentence)

    def quote(self, evidence: Evidence) -> SentenceReady:
        sentence = AnswerSentence(evidence.text, (_citation(evidence),), quoted=True)
        self.show(sentence)
        return SentenceReady(sentence)

    def cites(self, evidence: Evidence) -> bool:
        """Whether a shown sentence stands on this very quote."""
        place = (evidence.post_id, evidence.part, evidence.comment, evidence.start)
        cited = (citation for sentence in self.sentences for citation in sentence.citations)
        return any((one.post_id, one.part, one.comment, one.start) == place for one in cited)

    def withhold(self, reason: str) -> SentenceWithheld:
        self.withheld += 1
        return SentenceWithheld(reason)

    def answer(self, kind: AnswerKind, note: str = "") -> Answer:
        return Answer(
            question=self.question,
            kind=kind,
            language=self.language,
            sentences=tuple(self.sentences),
            hits=self.page.hits,
            withheld=self.withheld,
            note=note,
            model=self.model if kind == "written" else "",
            prompt=self.prompt.version if self.prompt is not None else "",
            generation=self.page.generation,
            timings_ms=self._timings | {"total": self._elapsed_ms()},
            confidence=self.confidence,
        )

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def _is_sentence(text: str) -> bool:
    """Whether a line of the model says something by itself: not "Beijing:", nor "28"."""
    words = re.findall(r"[^\W_]+", text)
    size = sum(len(run) for run in han_runs(text)) / 2 + sum(not han_runs(word) for word in words)
    return size >= _FEWEST_WORDS and not text.rstrip("*_ ").endswith((":", "："))


def _within(evidence: Sequence[Evidence], share: float) -> list[Evidence]:
    """The evidence whose score is at least this share of the best one's."""
    best = max((one.score for one in evidence), default=0.0)
    return [one for one in evidence if one.score >= share * best]


def _citation(evidence: Evidence) -> Citation:
    e = evidence
    return Citation(e.mark, e.post_id, e.part, e.comment, e.start, e.end, quote=e.text, support=1.0)


def _frame(language: str) -> str:
    """The language that Stipple itself speaks to this asker: Chinese or English."""
    return "zh" if language == "zh" else "en"


_NOTES = {
    "en": {
        "declined": "These posts don't say.",
        "no_model": "No model is set up to write answers; these are the posts' own words.",
        "language": "The model at hand does not write this language; these are the posts' own words.",
        "unsupported": "Nothing the model wrote was borne out by the posts; these are the posts' own words.",
        "busy": "Many are asking at the moment; these are the posts' own words.",
        "failed": "The model failed on this question; these are the posts' own words.",
    },
    "zh": {
        "declined": "这些帖子没有提到。",
        "no_model": "没有配置撰写答案的模型，以下是帖子原文。",
        "language": "当前模型不会写这种语言，以下是帖子原文。",
        "unsupported": "模型写的内容没有帖子支持，以下是帖子原文。",
        "busy": "现在提问的人很多，以下是帖子原文。",
        "failed": "模型回答这个问题时出错，以下是帖子原文。",
    },
}
