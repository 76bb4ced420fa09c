"""Writes an answer: a model reads the evidence of all posts at once and marks what each sentence is taken from."""

from __future__ import annotations

from app.answering.checking.sentence_check import SentenceChecker
from app.answering.draft import Draft
from app.answering.evidence.recency import still_true, superseded
from app.answering.generation import GenerateRequest, Generator, Piece
from app.answering.messages import message_language
from app.answering.types import AnswerSentence, Evidence, WithheldReason
from app.answering.writing.prompt_assembly import assemble
from app.answering.writing.prompt_files import load_prompt
from app.answering.writing.sentence_stream import SentenceCutter

_RESERVED_TOKENS = 64  # the chat template's own
# Evidence shown per sentence to be written, and the weakest share of the best score.
_EVIDENCE_PER_SENTENCE, _WEAKEST_READ = 2, 0.7
# Whatever fits into the context: more takes a small machine minutes to read.
_MOST_PROMPT_TOKENS = 700
_UNSAID = ("the posts do not say", "the posts don't say", "帖子没有提到")


class ContextTooSmall(Exception):
    """Not even the best sentence fits the model's context."""


class Unsaid(Exception):
    """The model says that the posts do not answer."""


class AnswerWriter:
    """Writes one answer: says what the model is asked, cuts its reply into sentences, and checks them.

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
        *,
        sentences: int,
        max_tokens: int,
        fence: str,
    ) -> None:
        self._draft, self._generator, self._checker = draft, generator, checker
        self._sentences, self._max_tokens, self._fence = sentences, max_tokens, fence
        self._cutter, self._evidence = SentenceCutter(), tuple[Evidence, ...]()
        draft.model = generator.name

    @property
    def wants_more(self) -> bool:
        """Whether another sentence would be shown."""
        return len(self._draft.sentences) < self._sentences

    def cut(self, piece: Piece | None) -> list[str]:
        """The sentences, each with its marks, that a piece of the reply completes; None: the reply has ended."""
        if piece is None:
            return self._cutter.rest()
        self._draft.thoughts.append(piece.thought)
        return self._cutter.feed(piece.answer)

    def check(self, sentence: str) -> AnswerSentence | WithheldReason:
        """The sentence as it is shown, or why it is not.

        Raises:
            Unsaid: It says that the posts do not answer.
        """
        shown = tuple(self._draft.sentences)
        if not shown and sentence.strip(' .。*_"').lower().startswith(_UNSAID):
            raise Unsaid
        checked = self._checker.check(sentence, self._evidence, shown)
        if isinstance(checked, str):
            return checked
        draft = self._draft
        return superseded(draft.question.text, checked, draft.evidence, draft.page.hits, draft.subjects) or checked

    def request(self) -> GenerateRequest:
        """What the model is asked: everything at once, with as much evidence as fits.

        Raises:
            ContextTooSmall: Not even the best sentence fits.
        """
        draft, prompt = self._draft, load_prompt(f"answer/v4.{message_language(self._draft.language)}")
        draft.prompt = prompt.version
        true = still_true(draft.question.text, draft.evidence, draft.page.hits, draft.subjects)
        best = [one for one in draft.within(_WEAKEST_READ) if one in true]
        assembled = assemble(
            prompt,
            draft.question.text,
            best[: _EVIDENCE_PER_SENTENCE * self._sentences],
            sentences=self._sentences,
            fence=self._fence,
            budget=self._budget(),
            count_tokens=self._generator.count_tokens,
            around=true,
            dates={
                mark: f"{hit.post.created_at:%Y-%m-%d}"
                for mark, hit in enumerate(draft.page.hits, start=1)
                if hit.post.created_at is not None
            },
        )
        if not assembled.evidence:
            raise ContextTooSmall
        self._evidence = assembled.evidence
        return GenerateRequest(assembled.system, assembled.user, self._max_tokens)

    def _budget(self) -> int:
        generator = self._generator
        room = generator.context_tokens - self._max_tokens - generator.thinking_tokens - _RESERVED_TOKENS
        return min(room, _MOST_PROMPT_TOKENS)
