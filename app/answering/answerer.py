"""From a question to an answer, event by event: search, evidence, enough?, write, check, show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from app.answering.checking.citations import SupportChecker
from app.answering.checking.sentence_check import SentenceChecker
from app.answering.draft import Draft
from app.answering.evidence.quotes import quotes
from app.answering.finding import EvidenceFinder
from app.answering.generation import Generator, Piece
from app.answering.messages import Reason, note
from app.answering.question.answer_type import asked_kinds, holds
from app.answering.types import AnswerEvent, Done, Evidence, HitsFound, Question, Queued, SentenceWithheld
from app.answering.writing.answer_writer import AnswerWriter, ContextTooSmall, Unsaid
from app.answering.writing.fence import Fence
from app.answering.writing.model_queue import ModelQueue, QueueFull
from retrieval.errors import FixableError
from retrieval.text.language import knows
from retrieval.types import Hit, SearchPage

_log = structlog.get_logger()
_Result = TypeVar("_Result")

# A quote weaker than this share of the best one is more likely irrelevant than helpful.
_WEAKEST_QUOTE = 0.55
# A quote after written sentences may be a little weaker: what the model left out is then still there.
_WEAKEST_ADDED = 0.6


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """Sizes and thresholds of an answer; each is a setting of nearly the same name."""

    sentences: int = 3
    support: float = 0.7
    max_tokens: int = 256
    timeout_s: float = 120.0


class Answerer:
    """Answers questions from the posts that an EvidenceFinder finds.

    Searching, embedding and checking run in `executor`, the model in the ModelQueue's own threads; the event loop only
    passes events on.

    Args:
        model_queue: None makes every answer one of quotes.
        without_model: Why there is none, for the reader.
        fence: Makes the code that fences posts in a prompt, which no post can know; None: a Fence.
    """

    def __init__(
        self,
        finder: EvidenceFinder,
        checker: SupportChecker,
        model_queue: ModelQueue | None,
        executor: Executor,
        limits: AnswerLimits,
        fence: Callable[[Sequence[Hit]], str] | None = None,
        without_model: Reason = "no_model",
    ) -> None:
        self._finder, self._checker = finder, checker
        self._model_queue, self._executor, self._limits, self._fence = model_queue, executor, limits, fence or Fence()
        self._without_model = without_model

    async def answer(
        self, question: Question, page: SearchPage | None = None, *, refuse_when_busy: bool = False
    ) -> AsyncGenerator[AnswerEvent, None]:
        """HitsFound, Queued while others are before it, SentenceReady and SentenceWithheld as they come, then Done.

        Closing the iterator early stops the model.

        Args:
            page: A search for this question that has been made already; see EvidenceFinder.find. None searches.
            refuse_when_busy: Raise QueueFull where too many wait for the model, instead of answering by quotes.

        Raises:
            QueueFull: As chosen by `refuse_when_busy`.
            FixableError: The index cannot be read.
        """
        started = time.perf_counter()
        if refuse_when_busy and self._model_queue is not None:
            self._model_queue.check_room()
        draft = Draft(await self._run(lambda: self._finder.find(question, page)), started)
        yield HitsFound(draft.page.hits, draft.page.language)
        if draft.answerability.outcome == "declined":
            yield Done(draft.answer("declined", note(draft.language, "declined")))
            return
        reason: Reason = self._without_model if self._model_queue is None else "language"
        queue = self._model_queue
        if queue is not None and knows(queue.generator.languages, draft.language):
            writer = self._writer(draft, queue.generator)
            try:
                request = await queue.prepare(writer.request)
                async with aclosing(queue.stream(request, self._limits.timeout_s)) as pieces:
                    piece: Piece | Queued | None = Piece()
                    while piece is not None and writer.wants_more:
                        piece = await anext(pieces, None)
                        if isinstance(piece, Queued):
                            yield piece
                            continue
                        for sentence in writer.cut(piece):
                            if writer.wants_more:
                                taken = draft.take(await self._run(partial(writer.check, sentence)))
                                if isinstance(taken, SentenceWithheld):
                                    queue.note_withheld()
                                elif len(draft.sentences) == 1:
                                    queue.note_first_sentence(time.perf_counter() - started)
                                yield taken
                reason = "unsupported" if draft.withheld else "silent"
            except QueueFull:
                if refuse_when_busy:
                    raise
                reason = "busy"
            except Exception as error:
                # The model may fail in ways that nobody foresaw; the posts can still be quoted.
                reason = _failure(error, question)
        if not draft.sentences:
            for evidence in self._quotes(draft, _WEAKEST_QUOTE)[: self._limits.sentences]:
                yield draft.quote(evidence)
            yield Done(draft.answer("quoted", note(draft.language, reason)))
            return
        kinds = asked_kinds(question.text)
        # The best evidence must be in the answer, whatever the model wrote: a small one often leaves it out.
        added = self._quotes(draft, _WEAKEST_ADDED)
        most = len(draft.sentences) + self._limits.sentences
        for evidence in added:
            unsaid = draft.unsaid(evidence) if len(draft.sentences) < most else None
            # What is left of a quote that the model copied from needs to hold what the question asks for.
            if unsaid is not None and (unsaid == evidence or holds(kinds, unsaid.text)):
                yield draft.quote(unsaid)
        yield Done(draft.answer("written"))

    @staticmethod
    def _quotes(draft: Draft, weakest: float) -> list[Evidence]:
        return quotes(draft.question.text, draft.evidence, draft.page.hits, draft.subjects, weakest)

    def _writer(self, draft: Draft, generator: Generator) -> AnswerWriter:
        limits, fence = self._limits, self._fence(draft.page.hits)
        checker = SentenceChecker(self._checker, draft.question.text, limits.support, fence)
        return AnswerWriter(
            draft, generator, checker,
            sentences=limits.sentences, max_tokens=limits.max_tokens, fence=fence,
        )  # fmt: skip

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _failure(error: Exception, question: Question) -> Reason:
    """Why the model stopped without an answer; what the operator should know is logged."""
    if isinstance(error, (ContextTooSmall, Unsaid)):
        return _REASONS[type(error)]
    if isinstance(error, FixableError):
        _log.warning("the model cannot write", problem=error.problem, fix=error.fix)
    else:
        _log.exception("the model failed", question_length=len(question.text))
    return "failed"


_REASONS: dict[type[Exception], Reason] = {ContextTooSmall: "context", Unsaid: "unsaid"}
