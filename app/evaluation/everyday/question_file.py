"""A file of questions as people type them, with the facts that a right answer states."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from app.evaluation.everyday.judged_lines import groups, no_other_fields, read_lines, text, texts
from app.evaluation.everyday.stated_facts import Groups

_SHAPE = (
    'write each line as {"id": …, "language": "en" or "zh", "kind": …, "question": …, "answerable": true or false,'
    ' "must": [["one way", "another"]], "posts": [ids]}; docs/evaluation.md has all fields'
)
_FIELDS = frozenset(
    {
        *("id", "language", "kind", "question", "answerable"),
        *("must", "should", "must_not", "outdated", "absent", "posts", "may_decline", "now"),
    }
)
OFF_TOPIC = "off"


@dataclass(frozen=True, slots=True)
class EverydayQuestion:
    """A question, and what a person who knows the posts expects of its answer.

    Attributes:
        kind: Such as "changed", "verdict", "near"; figures are given by it. "off": nothing in the posts is near it.
        answerable: Whether the posts say it.
        must: Facts that a right answer states; the first one is what `outdated` is compared with. Each question whose
            posts answer it has one, and no other.
        should: Facts that a good answer states too.
        must_not: What no right answer states, such as an advertisement's words.
        outdated: What was true before; wrong unless what is true now comes first, or with it.
        absent: What the posts do not have; an answer that says so of one of them is as right as none. Empty for an
            answerable one.
        posts: Ids of the posts that carry the answer, near copies among them: a sentence states a fact if it cites one.
        may_decline: Whether declining is as right as answering: only an advertisement answers it.
        now: The day on which it is asked, where its words for time depend on it.
    """

    id: str
    language: str
    kind: str
    text: str
    answerable: bool
    must: Groups = ()
    should: Groups = ()
    must_not: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    may_decline: bool = False
    now: date | None = None


def read_everyday_questions(path: Path) -> list[EverydayQuestion]:
    """The questions of a file, in its order.

    Raises:
        FixableError: The file cannot be read or holds no question, or a line is not such a question (file:line).
    """
    return read_lines(path, _question, "an everyday question", _SHAPE)


def holds_everyday_questions(path: Path) -> bool:
    """Whether the first line of a file names a kind of question; False where it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = json.loads(next((line for line in lines if line.strip()), "null"))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and "kind" in first and "question" in first


def _question(raw: dict[str, Any]) -> EverydayQuestion:
    no_other_fields(raw, _FIELDS)
    answerable, may_decline = raw["answerable"], raw.get("may_decline", False)
    if not isinstance(answerable, bool) or not isinstance(may_decline, bool):
        raise TypeError("'answerable' and 'may_decline' must be true or false")
    question = EverydayQuestion(
        id=text(raw, "id"),
        language=text(raw, "language"),
        kind=text(raw, "kind"),
        text=text(raw, "question"),
        answerable=answerable,
        must=groups(raw, "must"),
        should=groups(raw, "should"),
        must_not=texts(raw, "must_not"),
        outdated=texts(raw, "outdated"),
        absent=texts(raw, "absent"),
        posts=texts(raw, "posts"),
        may_decline=may_decline,
        now=date.fromisoformat(text(raw, "now")) if "now" in raw else None,
    )
    if answerable and not question.must:
        raise ValueError("an answerable question needs a 'must'")
    if answerable and not question.posts:
        raise ValueError("an answerable question needs 'posts'")
    if answerable and question.absent:
        raise ValueError("'absent' is for an unanswerable question")
    of_answers = (question.must, question.should, question.outdated, question.posts, may_decline)
    if not answerable and any(of_answers):
        raise ValueError("an unanswerable question has no 'must', 'should', 'outdated', 'posts' or 'may_decline'")
    return question
