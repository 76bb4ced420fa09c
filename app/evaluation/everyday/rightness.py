"""Whether an answer is one that a person would call right, and how many are, by kind and by language."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from app.answering.types import Answer
from app.evaluation.everyday.question_file import OFF_TOPIC, EverydayQuestion
from app.evaluation.everyday.stated_facts import first_stating, stated, states, unstated
from app.evaluation.index_quality import share

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class GradedAnswer:
    """An answer, and what is wrong with it.

    Attributes:
        unsaid: Facts that it must state and does not.
        unsaid_should: Facts that it should state and does not.
        forbidden: What it states and must not.
        outdated: What it states as true now and was true before.
        right_side: Whether it answers what the posts say, and of what they do not say declines or says what is missing.
    """

    question: EverydayQuestion
    answer: Answer
    unsaid: tuple[tuple[str, ...], ...]
    unsaid_should: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...]
    outdated: tuple[str, ...]
    right_side: bool

    @property
    def right(self) -> bool:
        return self.right_side and not (self.unsaid or self.forbidden or self.outdated)

    @property
    def declined(self) -> bool:
        return self.answer.kind == "declined"

    @property
    def should(self) -> float | None:
        """Share of the facts that it should state and does; None where none were asked for."""
        wanted = len(self.question.should)
        return (wanted - len(self.unsaid_should)) / wanted if wanted else None

    def why(self) -> str:
        """One line on what is wrong; "" of a right answer."""
        said = [f"unsaid: {' | '.join(ways)}" for ways in self.unsaid]
        said += [f"must not: {way}" for way in self.forbidden] + [f"outdated: {way}" for way in self.outdated]
        if not self.right_side:
            said = ["declined"] if self.question.answerable else ["neither declined nor said to be missing"]
        return "; ".join(said)


def graded(question: EverydayQuestion, answer: Answer) -> GradedAnswer:
    """Judges an answer by what it shows: its sentences, and what it says is missing.

    What is outdated may be shown beside or after what is true now (the first `must`), or with a year in its sentence.
    """
    shown = [sentence.text for sentence in answer.sentences]
    text = "\n".join(shown)
    declined = answer.kind == "declined"
    unsaid = unstated(text, question.must)
    if question.answerable:
        right_side = not declined
    else:
        right_side = declined or bool(stated(answer.missing, question.absent))
    return GradedAnswer(
        question,
        answer,
        tuple(unsaid),
        tuple(unstated(text, question.should)),
        tuple(stated(text, question.must_not)),
        _outdated(question, shown),
        right_side,
    )


def _outdated(question: EverydayQuestion, shown: Sequence[str]) -> tuple[str, ...]:
    if not question.outdated:
        return ()
    now = first_stating(shown, question.must[0]) if question.must else None
    before = shown if now is None else shown[:now]
    undated = [text for text in before if not _YEAR.search(text)]
    return tuple(way for way in question.outdated if any(states(text, way) for text in undated))


def measured_rightness(dataset: str, answers: Sequence[GradedAnswer]) -> dict[str, Any]:
    """The figures of all answers, by language and by kind; a share of nothing is None.

    `right` counts all questions, `should` is the mean over answerable questions that have any, `must_not_shown` the
    share of questions whose answer shows what it must not or what is outdated, `wrongly_declined` is of the answerable
    ones, `declined_near` and `declined_off` of the unanswerable ones near the topic of the posts and off it;
    `declined_or_said_near` counts those as well of which the answer says what is missing.
    """

    def by(key: Callable[[GradedAnswer], str]) -> dict[str, Any]:
        groups: dict[str, list[GradedAnswer]] = {}
        for one in answers:
            groups.setdefault(key(one), []).append(one)
        return {name: _figures(own) for name, own in groups.items()}

    return {
        "dataset": dataset,
        **_figures(answers),
        "languages": by(lambda one: one.question.language),
        "kinds": by(lambda one: one.question.kind),
        "kinds_by_language": by(lambda one: f"{one.question.kind} {one.question.language}"),
    }


def _figures(answers: Sequence[GradedAnswer]) -> dict[str, Any]:
    can = [one for one in answers if one.question.answerable]
    near = [one for one in answers if not one.question.answerable and one.question.kind != OFF_TOPIC]
    off = [one for one in answers if not one.question.answerable and one.question.kind == OFF_TOPIC]
    should = [one.should for one in can if one.should is not None]
    return {
        "n": len(answers),
        "right": share([one.right for one in answers]),
        "should": round(fmean(should), 4) if should else None,
        "must_not_shown": share([bool(one.forbidden or one.outdated) for one in answers]),
        "wrongly_declined": share([one.declined for one in can]),
        "declined_near": share([one.declined for one in near]),
        "declined_or_said_near": share([one.right_side for one in near]),
        "declined_off": share([one.declined for one in off]),
        "written": share([one.answer.kind == "written" for one in answers if not one.declined]),
    }


_COLUMNS = {
    "n": "n",
    "right": "right",
    "should": "should",
    "must_not_shown": "must-not",
    "wrongly_declined": "wrongly declined",
    "declined_near": "declined near",
    "declined_or_said_near": "or said",
    "declined_off": "declined off",
}


def rightness_table(result: dict[str, Any]) -> str:
    """The figures of `measured_rightness` for people to read."""
    rows = [
        ("all", result),
        *result["languages"].items(),
        *result["kinds"].items(),
    ]
    head = f"{'':12} " + "  ".join(_COLUMNS.values())
    return "\n".join([head, *(f"{name:12} " + "  ".join(_cells(figures)) for name, figures in rows)])


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        f"{'' if (value := figures[name]) is None else value if name == 'n' else f'{value:.2f}':>{len(title)}}"
        for name, title in _COLUMNS.items()
    ]
