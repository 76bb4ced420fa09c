"""Dialogues whose last question depends on the earlier ones, or must not: whether it is understood."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from app.conversations.turns import earlier_question
from app.evaluation.everyday.judged_lines import groups, no_other_fields, read_lines, text, texts
from app.evaluation.everyday.stated_facts import Groups, stated, unstated
from app.evaluation.index_quality import share
from retrieval.types import Post

Complete = Callable[[str, Sequence[EarlierQuestion]], Awaitable[StandaloneQuestion]]
"""Completes a question from the earlier ones."""

_SHAPE = (
    'write each line as {"id": …, "language": …, "kind": …, "before": [{"question": …, "posts": [ids]}], "asked": …,'
    ' "has": [["one way", "another"]], "lacks": ["words"]}'
)
_FIELDS = frozenset(("id", "language", "kind", "before", "asked", "has", "lacks"))


@dataclass(frozen=True, slots=True)
class Asked:
    """An earlier question of a dialogue, and ids of the posts that its answer cited."""

    question: str
    posts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Questions in their order, and what the last one must be understood as.

    Attributes:
        kind: Such as "pronoun", "fragment" or "switch"; figures are given by it.
        before: The earlier questions as typed, oldest first; at least one.
        asked: The last question, as typed.
        has: What the understood question holds.
        lacks: What it does not: a subject that was left, or a word that was replaced.
    """

    id: str
    language: str
    kind: str
    before: tuple[Asked, ...]
    asked: str
    has: Groups
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnderstoodDialogue:
    """A dialogue, and its last question as it was completed."""

    dialogue: Dialogue
    question: StandaloneQuestion

    @property
    def understood(self) -> bool:
        return not (
            unstated(self.question.question, self.dialogue.has) or stated(self.question.question, self.dialogue.lacks)
        )


def read_dialogues(path: Path) -> list[Dialogue]:
    """The dialogues of a file, in its order.

    Raises:
        FixableError: The file cannot be read or holds no dialogue, or a line is not one (file:line).
    """
    return read_lines(path, _dialogue, "a dialogue", _SHAPE)


def _dialogue(raw: dict[str, Any]) -> Dialogue:
    no_other_fields(raw, _FIELDS)
    before = raw["before"]
    if not isinstance(before, list) or not before or not all(isinstance(one, dict) for one in before):
        raise TypeError("'before' must be a list of objects that is not empty")
    found = Dialogue(
        text(raw, "id"),
        text(raw, "language"),
        text(raw, "kind"),
        tuple(Asked(text(one, "question"), texts(one, "posts")) for one in before),
        text(raw, "asked"),
        groups(raw, "has"),
        texts(raw, "lacks"),
    )
    if not found.has:
        raise ValueError("'has' must not be empty")
    return found


def cited_posts(dialogues: Sequence[Dialogue]) -> list[str]:
    """Ids of all the posts that the answers of these dialogues cited, each once."""
    return list(dict.fromkeys(post for one in dialogues for asked in one.before for post in asked.posts))


async def understand(
    dialogues: Sequence[Dialogue], posts: Mapping[str, Post], complete: Complete
) -> list[UnderstoodDialogue]:
    """Each dialogue's questions completed in their order, as a conversation completes and keeps them."""
    found: list[UnderstoodDialogue] = []
    for dialogue in dialogues:
        earlier: list[EarlierQuestion] = []
        for asked in dialogue.before:
            completed = await complete(asked.question, earlier)
            cited = [posts[one] for one in asked.posts if one in posts]
            earlier.append(earlier_question(completed.question, cited))
        found.append(UnderstoodDialogue(dialogue, await complete(dialogue.asked, earlier)))
    return found


def measured_dialogues(dataset: str, found: Sequence[UnderstoodDialogue]) -> dict[str, Any]:
    """The share that is understood, of all, by language and by kind."""

    def by(key: Callable[[Dialogue], str]) -> dict[str, float | None]:
        names = dict.fromkeys(key(one.dialogue) for one in found)
        return {name: share([one.understood for one in found if key(one.dialogue) == name]) for name in names}

    return {
        "dataset": dataset,
        "n": len(found),
        "understood": share([one.understood for one in found]),
        "languages": by(lambda one: one.language),
        "kinds": by(lambda one: one.kind),
        "by_model": share([one.question.by == "model" for one in found]),
    }


def dialogues_table(result: dict[str, Any]) -> str:
    """The figures of `measured_dialogues` for people to read."""
    rows = {"all": result["understood"], **result["languages"], **result["kinds"]}
    return "\n".join([f"{result['n']} dialogues, understood:", *(f"  {name:12} {of:.2f}" for name, of in rows.items())])


def dialogues_transcript(models: str, found: Sequence[UnderstoodDialogue]) -> str:
    """All dialogues with what was understood, in Markdown, for a person to read."""
    lines = [f"# {sum(one.understood for one in found)} of {len(found)} understood", "", models, ""]
    for one in found:
        dialogue, said = one.dialogue, one.question.question
        lines += [f"## {dialogue.id}: {'understood' if one.understood else 'NOT UNDERSTOOD'}"]
        lines += [f"- {asked.question}" for asked in dialogue.before]
        lines += [f"- **{dialogue.asked}**", f"- understood ({one.question.by}): {said}"]
        lines += [f"- lacks: {' | '.join(ways)}" for ways in unstated(said, dialogue.has)]
        lines += [f"- holds: {way}" for way in stated(said, dialogue.lacks)]
        lines += [""]
    return "\n".join(lines)
