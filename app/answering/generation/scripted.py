"""A generator that writes given replies, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from app.answering.generation.protocol import GenerateRequest
from app.answering.generation.thoughts import Piece, ThoughtSplitter


class ScriptedGenerator:
    """Gives the n-th reply to the n-th question, then the last one for ever; splits off thoughts as any model does."""

    def __init__(
        self,
        replies: Sequence[str],
        languages: frozenset[str] | None = None,
        parallel: int = 1,
    ) -> None:
        self.name, self.languages, self.context_tokens = "scripted", languages, 4096
        self.thinking_tokens, self.parallel = 0, parallel
        self._replies, self._asked = list(replies), 0
        self.prompts: list[tuple[str, str]] = []

    def count_tokens(self, text: str) -> int:
        return len(text) // 3 + 1

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        self.prompts.append((request.system, request.user))
        reply = self._replies[min(self._asked, len(self._replies) - 1)]
        self._asked += 1
        splitter = ThoughtSplitter()
        for at in range(0, len(reply), 3):
            if stop.is_set():
                return
            yield splitter.feed(reply[at : at + 3])
        yield splitter.rest()

    def figures(self) -> None:
        """There is no process to report."""

    def close(self) -> None:
        """Nothing to release."""
