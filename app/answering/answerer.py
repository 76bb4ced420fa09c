"""From a question to an answer, event by event: search, evidence, enough?, write, check, show."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from app.answering.checking.citations import SupportChecker
from app.answering.checking.sentence_check import Judge
from app.answering.draft import Draft
from app.answering.evidence.answerability import decide
from app.answering.evidence.recency import newer_first
from app.answering.evidence.selector import EvidenceSelector
from app.answering.messages import Reason, note
from app.answering.question.asked_kinds import asked_for, holds
from app.answering.types import AnswerEvent, Done, Evidence, HitsFound, Question
from app.answering.writing.strategies import ContextTooSmall, Pen, Sizes, Unsaid, WayWanted, Written, way_for
from app.answering.writing.writer import QueueFull, Writer
from retrieval.errors import FixableError
from retrieval.search.search import Searcher
from retrieval.text.language import knows
from retrieval.types import SearchPage, SearchQuery

_log = structlog.get_logger()
_Result = TypeVar("_Result")

# A quote this much weaker than the best one is more likely beside the point than helpful.
_WEAKEST_QUOTE = 0.55
# A quote after written sentences must be nearly as good as the best.
_WEAKEST_ADDED = 0.85

# Quotes that are looked at for newer ones.
_ORDERED = 12


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """Sizes and thresholds of an answer, and the way of writing it; each is a setting of nearly the same name."""

    hits: int = 6
    sentences: int = 3
    gate: float = 0.5
    support: float = 0.7
    max_tokens: int = 256
    timeout_s: float = 120.0
    writing: WayWanted = "auto"


class Answerer:
    """Answers questions from the posts that a Searcher finds.

    Searching, embedding and checking run in `executor`, the model in the Writer's own thread; the event loop only
    passes events on.

    Args:
        writer: None makes every answer one of quotes.
        fence: Makes the code that fences posts in a prompt: new each time, and nothing that a post can know.
    """

    def __init__(
        self,
        searcher: Searcher,
        selector: EvidenceSelector,
        checker: SupportChecker,
        writer: Writer | None,
        executor: Executor,
        limits: AnswerLimits,
        fence: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._searcher, self._selector, self._checker = searcher, selector, checker
        self._writer, self._executor, self._limits, self._fence = writer, executor, limits, fence
        self._way = way_for(limits.writing, writer.generator.parameters if writer is not None else None)

    async def answer(self, question: Question, found: SearchPage | None = None) -> AsyncGenerator[AnswerEvent, None]:
        """HitsFound, then SentenceReady and SentenceWithheld as they come, then Done.

        Closing the iterator early stops the model.

        Args:
            found: A search for this question that was made with `answer_hits` of at least these limits, to answer from;
                None searches.

        Raises:
            FixableError: The index cannot be read.
        """
        draft = await self._find(question, found)
        yield HitsFound(draft.page.hits, draft.page.language)
        if draft.decision.outcome == "declined":
            yield Done(draft.answer("declined", note(draft.language, "declined")))
            return
        reason: Reason = "no_model"
        if self._writer is not None:
            reason = "language"
            if knows(self._writer.generator.languages, draft.language):
                try:
                    async with aclosing(self._write(draft, self._writer)) as events:
                        async for event in events:
                            yield event
                    reason = "unsupported" if draft.withheld else "silent"
                except (ContextTooSmall, Unsaid, QueueFull) as why:
                    reason = _REASONS[type(why)]
                except FixableError as error:
                    _log.warning("the model cannot write", problem=error.problem, fix=error.fix)
                    reason = "failed"
                except Exception:
                    # The model is the one part that may fail in ways nobody listed; the posts are still there.
                    _log.exception("the model failed", question_length=len(question.text))
                    reason = "failed"
        if not draft.sentences:
            for evidence in self._newer_first(draft, _WEAKEST_QUOTE)[: self._limits.sentences]:
                yield draft.quote(evidence)
            yield Done(draft.answer("quoted", note(draft.language, reason)))
            return
        kinds = asked_for(question.text)
        # What answers best must be in the answer, whatever the model made of it: a small one often leaves it out.
        for evidence in self._newer_first(draft, _WEAKEST_QUOTE if self._way == "each" else _WEAKEST_ADDED):
            unsaid = draft.unsaid(evidence) if len(draft.sentences) < self._limits.sentences else None
            # What is left of a piece that was copied from is worth a place where it holds what the question asks for.
            if unsaid is not None and (unsaid == evidence or holds(kinds, unsaid.text)):
                yield draft.quote(unsaid)
        yield Done(draft.answer("written"))

    @staticmethod
    def _newer_first(draft: Draft, weakest: float) -> list[Evidence]:
        return newer_first(draft.question.text, draft.within(weakest)[:_ORDERED], draft.page.hits)

    async def _find(self, question: Question, found: SearchPage | None) -> Draft:
        started = time.perf_counter()
        # The posts that match best, whoever wrote them and whatever their age. Copies say nothing new, and the page
        # that shows the answer has its posts in this order (docs/decisions/0006-near-copies.md).
        query = SearchQuery(question.text, question.filters, limit=self._limits.hits, per_author=0, boosts=False)
        page = found if found is not None else await self._run(lambda: self._searcher.search(query))
        page = replace(page, hits=page.hits[: self._limits.hits])
        # Filters without a word ask nothing that a sentence could answer.
        asks = bool(question.text.strip())
        evidence = await self._run(lambda: self._selector.select(question.text, page.hits)) if asks else []
        known = knows(self._selector.embedder.languages, page.language)
        decision = await self._run(lambda: decide(question.text, evidence, page.hits, self._limits.gate, known))
        return Draft(question, page, evidence, decision, started)

    def _write(self, draft: Draft, writer: Writer) -> AsyncGenerator[Written, None]:
        limits, fence = self._limits, self._fence()
        draft.model = writer.generator.name
        judge = Judge(self._checker, draft.question.text, limits.support, fence)
        sizes = Sizes(limits.sentences, limits.max_tokens, limits.timeout_s)
        pen = Pen(writer, judge, sizes, fence, self._run)
        return pen.each(draft) if self._way == "each" else pen.whole(draft)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


_REASONS: dict[type[Exception], Reason] = {ContextTooSmall: "context", Unsaid: "unsaid", QueueFull: "busy"}
