"""What every model that writes promises, and the ways in which it may fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from app.answering.generation.thoughts import Piece
from retrieval.errors import FixableError


class ModelFailed(FixableError):
    """The model cannot write this now; the asker gets the posts' own words instead."""


class PromptTooLong(ModelFailed):
    """Prompt and reply together do not fit the model's context. Nothing was sent to the model."""


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """What a model is to write.

    Attributes:
        system: "" for none.
        max_tokens: Most tokens of the reply; those of its thoughts come on top.
        grammar: GBNF that the reply follows; the model then does not think. An endpoint other than llama-server ignores
            it.
        thinking_tokens: Most tokens of thought; None: what the generator was built with.
    """

    system: str
    user: str
    max_tokens: int
    grammar: str | None = None
    thinking_tokens: int | None = None

    def thinking_budget(self, most: int) -> int:
        """Tokens of thought for this reply, by a generator that was built to allow so many."""
        if self.grammar is not None:
            return 0
        return most if self.thinking_tokens is None else min(self.thinking_tokens, most)


class Generator(Protocol):
    """Writes text for a prompt. At most `parallel` calls at a time; the caller sees to that."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes of the languages that it writes; None for all."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt, thoughts and reply share: the model's context without what its template takes."""
        ...

    @property
    def thinking_tokens(self) -> int:
        """Tokens that thoughts may take before the reply: leave room for them. 0 where the model does not think."""
        ...

    @property
    def parallel(self) -> int:
        """Replies that it can write at once."""
        ...

    @property
    def parameters(self) -> int | None:
        """How many numbers it is made of; None where that is not known, as of an endpoint's model."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text; where the tokenizer is not at hand, never fewer than there are, by all we know."""
        ...

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        """Pieces of the reply as they are written, until it ends, its tokens are written or `stop` is set.

        Args:
            stop: Leaves the model at once where it is a Stop, and between two tokens where it is a plain Event.

        Raises:
            PromptTooLong: The prompt does not fit.
            ModelFailed: Anything else that the operator can put right.
        """
        ...

    def close(self) -> None: ...
