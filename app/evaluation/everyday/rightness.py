"""Whether an answer is one that a person would call right, and how many are, by kind and by language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from app.answering.types import Answer, AnswerSentence
from app.evaluation.everyday.question_file import OFF_TOPIC, EverydayQuestion
from app.evaluation.everyday.stated_facts import first_stating, stated, unstated
from app.evaluation.index_quality import share


@dataclass(frozen=True, slots=True)
class GradedAnswer:
    """An answer, and what is wrong with it.

    Attributes:
        unsaid: Facts that it must state and does not.
        unsaid_should: Facts that it should state and does not.
        forbidden: What it states and must not.
        outdated: What it states as true now and was true before.
        right_side: Whether it answers what the posts say, or may decline; and of what they do not say declines, or says
            what is missing.
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
        unsaid = self.unsaid and not (self.declined and self.question.may_decline)
        return self.right_side and not (unsaid or self.forbidden or self.outdated)

    @property
    def declined(self) -> bool:
        return self.answer.kind == "declined"

    @property
    def first(self) -> bool:
        """Whether the first sentence shown states the first fact that the answer must state."""
        sentence = next(iter(self.answer.sentences), None)
        if sentence is None or not _bears(self.question, sentence):
            return False
        return not unstated(sentence.text, self.question.must[:1])

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

    A fact counts where a sentence states it that cites a post which carries the answer: a number is easily somewhere in
    an answer by chance. What is outdated may be shown in the sentence that says what is true now, or after it.
    """
    shown = [sentence.text for sentence in answer.sentences]
    bearing = "\n".join(sentence.text for sentence in answer.sentences if _bears(question, sentence))
    declined = answer.kind == "declined"
    if question.answerable:
        right_side = not declined or question.may_decline
    else:
        right_side = declined or bool(stated(answer.missing, question.absent))
    return GradedAnswer(
        question,
        answer,
        unsaid=tuple(unstated(bearing, question.must)),
        unsaid_should=tuple(unstated(bearing, question.should)),
        forbidden=tuple(stated("\n".join(shown), question.must_not)),
        outdated=_outdated(question, shown),
        right_side=right_side,
    )


def _bears(question: EverydayQuestion, sentence: AnswerSentence) -> bool:
    return any(citation.post_id in question.posts for citation in sentence.citations)


def _outdated(question: EverydayQuestion, shown: Sequence[str]) -> tuple[str, ...]:
    """What was true before, where it is shown in a sentence before the one that says what is true now."""
    now = first_stating(shown, question.must[0]) if question.outdated else None
    return tuple(stated("\n".join(shown[:now]), question.outdated))


def measured_rightness(dataset: str, answers: Sequence[GradedAnswer]) -> dict[str, Any]:
    """The figures of all answers, by language and by kind; a share of nothing is None.

    `right` counts all questions; `first` is the share of the answerable ones whose first sentence states the first
    fact; `should` the mean over answerable questions that have any; `must_not_shown` the share of questions whose
    answer shows what it must not, or what is outdated; `wrongly_declined` is of the answerable ones, `declined_near`
    and `declined_off` of the unanswerable ones near the topic of the posts and off it; `declined_or_said_near` counts
    those as well of which the answer says what is missing; `characters` is the median length of what is shown in the
    answers given.
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
    lengths = [sum(len(sentence.text) for sentence in one.answer.sentences) for one in answers if not one.declined]
    should = [one.should for one in can if one.should is not None]
    return {
        "n": len(answers),
        "right": share([one.right for one in answers]),
        "first": share([one.first for one in can]),
        "should": round(fmean(should), 4) if should else None,
        "must_not_shown": share([bool(one.forbidden or one.outdated) for one in answers]),
        "wrongly_declined": share([one.declined and not one.right_side for one in can]),
        "declined_near": share([one.declined for one in near]),
        "declined_or_said_near": share([one.right_side for one in near]),
        "declined_off": share([one.declined for one in off]),
        "characters": round(median(lengths)) if lengths else None,
        "written": share([one.answer.kind == "written" for one in answers if not one.declined]),
    }


_COLUMNS = {
    "n": "n",
    "right": "right",
    "first": "first",
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
