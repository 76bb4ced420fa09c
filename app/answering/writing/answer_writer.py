"""Writes an answer in one of two ways: from all posts at once, or from one post at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.answering.checking.sentence_check import SentenceChecker
from app.answering.draft import Draft
from app.answering.generation import GenerateRequest, Generator, Piece
from app.answering.messages import message_language
from app.answering.types import AnswerSentence, Evidence, WithheldReason
from app.answering.writing.grammars import copying
from app.answering.writing.prompt_assembly import assemble, assemble_one, in_order, neutral
from app.answering.writing.prompt_files import load_prompt
from app.answering.writing.sentence_stream import SentenceCutter

Strategy = Literal["whole", "each"]
StrategySetting = Literal["auto", "whole", "each"]

# A model with fewer parameters mixes up the posts that it reads; see docs/decisions/0012-two-ways-of-writing.md.
SMALL_PARAMETERS = 1_500_000_000
_RESERVED_TOKENS = 64  # the chat template's own
# Evidence shown per sentence to be written, and the weakest share of the best score, for a model that reads all posts.
_EVIDENCE_PER_SENTENCE, _WEAKEST_READ = 2, 0.6
# Whatever fits into the context: more takes a small machine minutes to read.
_MOST_PROMPT_TOKENS = 700
# The same per post, for a small model, which writes about whatever it is shown.
_EVIDENCE_PER_POST, _WEAKEST_POST = 2, 0.75
_UNSAID = ("the posts do not say", "the posts don't say", "帖子没有提到")


def strategy_for(setting: StrategySetting, parameters: int | None) -> Strategy:
    """The strategy that suits a model.

    Args:
        parameters: How many it has; None where that is not known, as for an endpoint's model.
    """
    if setting == "auto":
        return "each" if parameters is not None and parameters < SMALL_PARAMETERS else "whole"
    return setting


class ContextTooSmall(Exception):
    """Not even the best sentence fits the model's context."""


class Unsaid(Exception):
    """The model says that the posts do not answer."""


@dataclass(frozen=True, slots=True)
class WritingTask:
    """One request to the model, and what it is about.

    Attributes:
        evidence: What the prompt shows.
        marks: Those that count as written, because the prompt shows no other post.
    """

    request: GenerateRequest
    evidence: tuple[Evidence, ...]
    marks: tuple[int, ...] = ()


class AnswerWriter:
    """Writes one answer: says what the model is asked, cuts its replies into sentences, and checks them.

    Args:
        sentences: Most of an answer.
        max_tokens: Most of a reply.
        fence: A code that no post can know.
    """

    def __init__(
        self,
        draft: Draft,
        generator: Generator,
        checker: SentenceChecker,
        strategy: Strategy,
        *,
        sentences: int,
        max_tokens: int,
        fence: str,
    ) -> None:
        self._draft, self._generator, self._checker, self._strategy = draft, generator, checker, strategy
        self._sentences, self._max_tokens, self._fence = sentences, max_tokens, fence
        self._cutter = SentenceCutter()
        draft.model = generator.name

    @property
    def wants_more(self) -> bool:
        """Whether another sentence would be shown. What a small model says beyond its first, quotes say better
        (docs/decisions/0012-two-ways-of-writing.md).
        """
        return len(self._draft.sentences) < (self._sentences if self._strategy == "whole" else 1)

    def tasks(self) -> Iterator[WritingTask]:
        """What the model is asked, one task after another: once with all evidence, or a post at a time, the best first.

        Raises:
            ContextTooSmall: There is nothing to ask.
        """
        for task in self._with_all_posts() if self._strategy == "whole" else self._post_by_post():
            self._cutter = SentenceCutter()
            yield task

    def cut(self, piece: Piece | None) -> list[str]:
        """The sentences, each with its marks, that a piece of the reply completes; None: the reply has ended."""
        if piece is None:
            return self._cutter.rest()
        self._draft.thoughts.append(piece.thought)
        return self._cutter.feed(piece.answer)

    def check(self, task: WritingTask, sentence: str) -> AnswerSentence | WithheldReason:
        """The sentence as it is shown, or why it is not.

        Raises:
            Unsaid: It says that the posts do not answer.
        """
        shown = tuple(self._draft.sentences)
        if self._strategy == "whole" and not shown and sentence.strip(' .。*_"').lower().startswith(_UNSAID):
            raise Unsaid
        return self._checker.check(sentence, task.evidence, shown, task.marks)

    def _with_all_posts(self) -> Iterator[WritingTask]:
        draft, prompt = self._draft, load_prompt(f"answer/v3.{message_language(self._draft.language)}")
        draft.prompt = prompt.version
        assembled = assemble(
            prompt,
            draft.question.text,
            draft.within(_WEAKEST_READ)[: _EVIDENCE_PER_SENTENCE * self._sentences],
            sentences=self._sentences,
            fence=self._fence,
            budget=self._budget(),
            count_tokens=self._generator.count_tokens,
            around=draft.evidence,
            dates={
                mark: f"{hit.post.created_at:%Y-%m-%d}"
                for mark, hit in enumerate(draft.page.hits, start=1)
                if hit.post.created_at is not None
            },
        )
        if not assembled.evidence:
            raise ContextTooSmall
        request = GenerateRequest(assembled.system, assembled.user, self._max_tokens)
        yield WritingTask(request, assembled.evidence)

    def _post_by_post(self) -> Iterator[WritingTask]:
        draft, prompt = self._draft, load_prompt(f"each/v1.{message_language(self._draft.language)}")
        draft.prompt = prompt.version
        count_tokens, asked = self._generator.count_tokens, False
        shown = draft.within(_WEAKEST_POST)
        for mark in dict.fromkeys(one.mark for one in shown):
            if not self.wants_more:
                return
            assembled = assemble_one(
                prompt,
                draft.question.text,
                [one for one in shown if one.mark == mark][:_EVIDENCE_PER_POST],
                fence=self._fence,
                budget=self._budget(),
                count_tokens=count_tokens,
            )
            if not assembled.evidence:
                if not asked:
                    raise ContextTooSmall
                continue
            asked = True
            words = [neutral(one.text) for one in in_order(assembled.evidence)]
            max_tokens = min(self._max_tokens, 32 + count_tokens(" ".join(words)))
            request = GenerateRequest(assembled.system, assembled.user, max_tokens, copying(words))
            yield WritingTask(request, assembled.evidence, (mark,))

    def _budget(self) -> int:
        generator = self._generator
        room = generator.context_tokens - self._max_tokens - generator.thinking_tokens - _RESERVED_TOKENS
        return min(room, _MOST_PROMPT_TOKENS)
