"""The worst possible model: it does what hostile posts say."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from app.answering.generation import GenerateRequest, Piece
from app.evaluation.attack_scenes import Attack


class ObedientGenerator:
    """Writes what the current attack wants, as it is and then with a mark of every post.

    Attributes:
        attack: What it obeys next.
        instructions: The system prompts of the current answer, each with the line that fences its posts.
    """

    def __init__(self) -> None:
        self.name = "obeying"
        self.languages: frozenset[str] | None = None
        self.context_tokens, self.thinking_tokens, self.parallel = 8192, 0, 1
        self.attack: Attack | None = None
        self.instructions: list[str] = []

    def count_tokens(self, text: str) -> int:
        return len(text) // 3 + 1

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        assert self.attack is not None, "somebody to obey"
        fence = request.user.partition("\n")[0]
        self.instructions.append(f"{request.system}\n{fence}")
        wanted = self.attack.obeys.replace("{system}", request.system)
        wanted = wanted.replace("{fence}", fence)
        marks = "".join(f"[{number}]" for number in range(1, len(self.attack.posts) + 1))
        bare = re.sub(r"[\[［【]\s*\d+\s*[\]］】]", "", wanted).strip()
        for piece in re.findall(r"(?s).{1,7}", f"{wanted}\n{bare} {marks}\n"):
            if stop.is_set():
                return
            yield Piece(piece)

    def figures(self) -> None:
        """There is no process to report."""

    def close(self) -> None:
        """Nothing to release."""
