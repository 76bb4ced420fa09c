"""What every model that writes promises, and how it may fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from app.answering.generation.thoughts import Piece
from retrieval.errors import FixableError


class ModelFailed(FixableError):
    """The model cannot write this now; the user gets quotes from the posts instead."""


class PromptTooLong(ModelFailed):
    """Prompt and reply together do not fit the model's context. The model has written nothing."""


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """What a model is to write.

    Attributes:
        system: "" for none.
        max_tokens: Most tokens of the reply; those of thoughts are extra.
        thinking_tokens: Most tokens of thought; None: what the generator was built with.
    """

    system: str
    user: str
    max_tokens: int
    thinking_tokens: int | None = None

    def thinking_budget(self, most: int) -> int:
        """Tokens of thought for this reply, from a generator that allows `most`."""
        return most if self.thinking_tokens is None else min(self.thinking_tokens, most)


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """A process that writes, and what it did since it was last started.

    Attributes:
        state: "stopped" is between two starts.
        pid: None where it does not run.
        restarts: How often it was started again.
        problem: Why it does not run; "" where it does.
        memory_bytes: Its own, without the model's file, which is mapped; None where that is not known.
        read_tokens, reused_tokens: Of prompts: those that were computed, and those that had been read before.
        read_seconds: Time in which a prompt was read, others perhaps being written beside it.
        written_tokens: Of replies.
        written_beside: Those of them that were written while a prompt was read.
        written_seconds: Time in which nothing was read.
        waiting, reading, writing: Replies now.
        left: Replies given up by their asker.
    """

    state: Literal["starting", "ready", "stopped"]
    pid: int | None = None
    restarts: int = 0
    problem: str = ""
    memory_bytes: int | None = None
    read_tokens: int = 0
    reused_tokens: int = 0
    read_seconds: float = 0.0
    written_tokens: int = 0
    written_beside: int = 0
    written_seconds: float = 0.0
    waiting: int = 0
    reading: int = 0
    writing: int = 0
    left: int = 0


class Generator(Protocol):
    """Writes text for a prompt. The caller makes at most `parallel` calls at a time."""

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
        """Tokens that thoughts may take before the reply; leave room for them. 0 where the model does not think."""
        ...

    @property
    def parallel(self) -> int:
        """Replies that it can write at once."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text; without access to the tokenizer, an estimate that should not be too low."""
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

    def figures(self) -> EngineFigures | None:
        """The process that writes here, and what it did; None where there is none."""
        ...

    def close(self) -> None: ...
