"""The two ways of writing an answer: from all posts at once, or from one post at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from app.answering.checking.sentence_check import Judge
from app.answering.draft import Draft
from app.answering.messages import frame
from app.answering.types import AnswerSentence, Evidence, SentenceReady, SentenceWithheld, WithheldReason
from app.answering.writing.grammars import copying
from app.answering.writing.prompt_assembly import Assembled, assemble, assemble_one, in_order, neutral
from app.answering.writing.prompt_files import load_prompt
from app.answering.writing.sentence_stream import SentenceCutter
from app.answering.writing.writer import Writer

Way = Literal["whole", "each"]
WayWanted = Literal["auto", "whole", "each"]
Written = SentenceReady | SentenceWithheld

# Below so many parameters a model mixes up the posts that it reads; see docs/decisions/0012-two-ways-of-writing.md.
SMALL_PARAMETERS = 1_500_000_000
_RESERVED_TOKENS = 64  # the chat template's own
# A model that reads all evidence is shown so much per sentence that it may write, and none much weaker than the best.
_EVIDENCE_PER_SENTENCE, _WEAKEST_READ = 4, 0.6
# More takes a small machine minutes to read, whatever the context holds.
_MOST_PROMPT_TOKENS = 1600
# A small one writes about whatever it is shown.
_EVIDENCE_PER_POST, _WEAKEST_POST, _SENTENCES_PER_POST = 2, 0.75, 1
_UNSAID = ("the posts do not say", "the posts don't say", "帖子没有提到")


def way_for(wanted: WayWanted, parameters: int | None) -> Way:
    """Which way suits a model of so many parameters; None for one that is not known, such as an endpoint's."""
    if wanted == "auto":
        return "each" if parameters is not None and parameters < SMALL_PARAMETERS else "whole"
    return wanted


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much may be written, and for how long."""

    sentences: int
    max_tokens: int
    timeout_s: float


class ContextTooSmall(Exception):
    """Not even the best sentence fits the model's context."""


class Unsaid(Exception):
    """The model says that the posts do not answer."""


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes a draft's sentences.

    Attributes:
        run: Runs work that takes milliseconds outside the event loop.
        fence: A code that no post can know.
    """

    writer: Writer
    judge: Judge
    sizes: Sizes
    fence: str
    run: Callable[[Callable[[], AnswerSentence | WithheldReason]], Awaitable[AnswerSentence | WithheldReason]]

    async def whole(self, draft: Draft) -> AsyncGenerator[Written, None]:
        """Sentences of a model that has read all evidence.

        Raises:
            ContextTooSmall, Unsaid: There is nothing to show for these reasons.
        """
        prompt = load_prompt(f"answer/v2.{frame(draft.language)}")
        draft.prompt = prompt.version
        evidence = draft.within(_WEAKEST_READ)[: _EVIDENCE_PER_SENTENCE * self.sizes.sentences]
        assembled = assemble(
            prompt,
            draft.question.text,
            evidence,
            sentences=self.sizes.sentences,
            fence=self.fence,
            budget=self._budget(),
            count_tokens=self.writer.generator.count_tokens,
            around=draft.evidence,
        )
        async with aclosing(self._written(draft, assembled, self.sizes.max_tokens)) as written:
            async for raw in written:
                if len(draft.sentences) == self.sizes.sentences:
                    return
                if not draft.sentences and raw.strip(' .。*_"').lower().startswith(_UNSAID):
                    raise Unsaid
                yield await self._judged(draft, raw, assembled.evidence)

    async def each(self, draft: Draft) -> AsyncGenerator[Written, None]:
        """A sentence of a model that has read one post at a time, the best one first, until what it chose among the
        words of one passes its checks.

        Raises:
            ContextTooSmall: There is nothing to show for this reason.
        """
        prompt = load_prompt(f"each/v1.{frame(draft.language)}")
        draft.prompt = prompt.version
        shown = draft.within(_WEAKEST_POST)
        asked = 0
        for mark in dict.fromkeys(one.mark for one in shown):
            # Of what it says more, quotes say better (docs/decisions/0012-two-ways-of-writing.md).
            if draft.sentences:
                return
            own = [one for one in shown if one.mark == mark][:_EVIDENCE_PER_POST]
            assembled = assemble_one(
                prompt,
                draft.question.text,
                own,
                fence=self.fence,
                budget=self._budget(),
                count_tokens=self.writer.generator.count_tokens,
            )
            if not assembled.evidence and asked:
                continue
            asked += 1
            words = [neutral(one.text) for one in in_order(assembled.evidence)]
            taken = 0
            tokens = min(self.sizes.max_tokens, 32 + self.writer.generator.count_tokens(" ".join(words)))
            async with aclosing(self._written(draft, assembled, tokens, copying(words) if words else None)) as written:
                async for raw in written:
                    event = await self._judged(draft, raw, assembled.evidence, (mark,))
                    yield event
                    taken += isinstance(event, SentenceReady)
                    if taken == _SENTENCES_PER_POST or len(draft.sentences) == self.sizes.sentences:
                        break

    def _budget(self) -> int:
        generator = self.writer.generator
        room = generator.context_tokens - self.sizes.max_tokens - generator.thinking_tokens - _RESERVED_TOKENS
        return min(room, _MOST_PROMPT_TOKENS)

    async def _written(
        self, draft: Draft, assembled: Assembled, max_tokens: int, grammar: str | None = None
    ) -> AsyncGenerator[str, None]:
        """Whole sentences as they are written, each with its marks."""
        if not assembled.evidence:
            raise ContextTooSmall
        cutter = SentenceCutter()
        pieces = self.writer.write(
            assembled.system, assembled.user, max_tokens, self.sizes.timeout_s,
            grammar=grammar, thoughts=draft.thoughts.append,
        )  # fmt: skip
        async with aclosing(pieces):
            async for piece in pieces:
                for raw in cutter.feed(piece):
                    yield raw
        for raw in cutter.rest():
            yield raw

    async def _judged(self, draft: Draft, raw: str, evidence: Sequence[Evidence], known: Sequence[int] = ()) -> Written:
        shown = tuple(draft.sentences)
        return draft.take(await self.run(lambda: self.judge.judge(raw, evidence, shown, known)))
