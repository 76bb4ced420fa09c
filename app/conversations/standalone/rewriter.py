"""Completes follow-up questions with a capable model, within a budget, and checks that it adds nothing of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from app.answering.comparison.term_overlap import coverage
from app.answering.generation import GenerateRequest, Piece
from app.answering.writing.model_queue import ModelQueue, QueueFull
from app.answering.writing.prompt_assembly import neutral
from app.answering.writing.prompt_files import load_prompt
from app.conversations.standalone import chinese_words, english_words
from app.conversations.standalone.completion import complete
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from retrieval.errors import FixableError
from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import HAN_STOP, stem
from retrieval.text.language import knows

_log = structlog.get_logger()
_MOST_EARLIER = 4
_MOST_TITLES = 2
_MOST_TOKENS = 96
_TIMEOUT_S = 4.0
_LONGEST = 300
# A question with this many subject words that the rules leave as it is does not need the model either.
_CLEAR = 3
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


class Rewriter:
    """Asks the model that writes the answers to complete a question; falls back to the rules.

    Args:
        model_queue: Its model must be capable: SmolLM2-135M is not.
        budget_s: Longest that it takes, waiting for its turn included; what it takes, the answer has less to wait.
    """

    def __init__(self, model_queue: ModelQueue, budget_s: float = 8.0) -> None:
        self._model_queue, self._budget_s = model_queue, budget_s

    async def complete(self, asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
        """The standalone question; from the rules if the model is busy, slow, fails, or adds something of its own."""
        ruled = complete(asked, earlier)
        language = "zh" if han_runs(asked) else "en"
        clear = not ruled.was_completed and len(english_words.subject(asked)) >= _CLEAR
        if not earlier or clear or not knows(self._model_queue.generator.languages, language):
            return ruled
        shown = [
            EarlierQuestion(neutral(one.question), tuple(map(neutral, one.titles[:_MOST_TITLES])))
            for one in earlier[-_MOST_EARLIER:]
        ]
        system, user = load_prompt(f"rewrite/v1.{language}").parts(asked=neutral(asked), said=shown)
        request = GenerateRequest(system, user, _MOST_TOKENS, thinking_tokens=0)
        written = ""
        try:
            async with (
                asyncio.timeout(self._budget_s),
                aclosing(self._model_queue.stream(request, _TIMEOUT_S)) as pieces,
            ):
                async for piece in pieces:
                    written += piece.answer if isinstance(piece, Piece) else ""
                    if "\n" in written.lstrip() or len(written) > _LONGEST:
                        break
        except (QueueFull, FixableError, TimeoutError):
            return ruled
        line = (written.strip().splitlines() or [""])[0].strip().strip("\"'“”「」")
        if not adds_nothing(line, asked, earlier):
            _log.info("a rewritten question was not taken", length=len(line))
            return ruled
        # One that takes nothing from before, or is an earlier question again, completes nothing.
        known = {fold(one.question).strip(" ?？") for one in earlier}
        if coverage(line, asked) == 1 or fold(line).strip(" ?？") in known:
            return ruled
        return StandaloneQuestion(line, "model")


def adds_nothing(rewritten: str, asked: str, earlier: Sequence[EarlierQuestion]) -> bool:
    """Whether a rewritten question is one question, and its numbers, names and content words are all in the question
    or in earlier ones.

    >>> earlier = [EarlierQuestion("Price of tea at Blue Door?")]
    >>> adds_nothing("How much is an espresso at Blue Door?", "and an espresso?", earlier)
    True
    >>> adds_nothing("How much is an espresso at Red Door?", "and an espresso?", earlier)
    False
    """
    if (
        not rewritten
        or len(rewritten) > _LONGEST
        or not rewritten.isprintable()
        or re.search(r"[<>\[\]{}|]", rewritten)
    ):
        return False
    there = fold(" ".join([asked, *(text for one in earlier for text in (one.question, *one.titles))]))
    folded = fold(rewritten)
    if not set(_NUMBER.findall(folded)) <= set(_NUMBER.findall(there)):
        return False
    stems = {stem(word) for word in _WORD.findall(there)}
    words = [word for word in english_words.subject(folded) if not han_runs(word)]
    if any(stem(word) not in stems for word in words):
        return False
    bare = chinese_words.ASPECT.sub(" ", chinese_words.TIME.sub(" ", folded))
    new = [one for run in han_runs(bare) for one in run if one not in HAN_STOP and one not in there]
    # Something of what was asked must be left: a different question would not be a completion of this one.
    own = [*english_words.subject(fold(asked)), *"".join(han_runs(chinese_words.subject(fold(asked))))]
    return not new and (not own or any(word in folded for word in own))
