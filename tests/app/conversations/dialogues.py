"""The judged dialogues: a last question, what was asked before it, and what it must be understood as."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.conversations.standalone.completion import complete
from app.conversations.standalone.context import EarlierQuestion

FILE = Path(__file__).with_name("dialogues.jsonl")


@dataclass(frozen=True)
class Dialogue:
    """`has` groups of alternatives that the understood question holds one of each of; None: it is left as it is."""

    id: str
    part: str
    language: str
    earlier: tuple[EarlierQuestion, ...]
    asked: str
    has: tuple[tuple[str, ...], ...] | None
    lacks: tuple[str, ...]

    def understood(self) -> bool:
        found = complete(self.asked, self.earlier)
        if self.has is None:
            return found.question == self.asked
        folded = found.question.casefold()
        return (
            found.was_completed
            and all(any(one.casefold() in folded for one in group) for group in self.has)
            and not any(one.casefold() in folded for one in self.lacks)
        )


def dialogues() -> list[Dialogue]:
    return [
        Dialogue(
            raw["id"],
            raw["part"],
            raw["language"],
            _said(raw["before"]),
            raw["asked"],
            None if raw["has"] is None else tuple(map(tuple, raw["has"])),
            tuple(raw["lacks"]),
        )
        for raw in map(json.loads, FILE.read_text("utf-8").splitlines())
    ]


def _said(before: list[dict[str, Any]]) -> tuple[EarlierQuestion, ...]:
    """Earlier questions, each completed from those before it, as a conversation keeps them."""
    earlier: list[EarlierQuestion] = []
    for one in before:
        earlier.append(EarlierQuestion(complete(one["question"], earlier).question, tuple(one["titles"])))
    return tuple(earlier)
