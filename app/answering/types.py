"""The nouns of answering: question, citation, sentence, answer, and the events in which an answer arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from retrieval.types import Filters, Hit

AnswerKind = Literal["written", "quoted", "declined"]
# Whether the evidence was enough; "partly": several things were asked, and the posts do not say all of them.
Outcome = Literal["answer", "partly", "declined"]
# The part of a post that a quote's offsets refer to: its title, its text, or one of its comments.
QuotePart = Literal["title", "text", "comment"]


# Why a sentence by the model is not shown. "order": it instructs a model, or gives the prompt away; "language": it is
# not in the question's language.
WithheldReason = Literal[
    "unsupported",
    "outdated",
    "beside the point",
    "repeated",
    "not a sentence",
    "language",
    "order",
    "markup",
    "forgotten",
]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, and which posts may answer it."""

    text: str
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a post that may answer the question.

    Attributes:
        mark: Number of its post in the answer, 1 is the first hit shown.
        start, end: Code points in the post's title, text or comment, as `part` says.
        text: text[start:end], verbatim.
        score: How well it fits the question, 0 to 1.
        title: Its post's title: what "it" and "here" in the sentence mean.
        likeness: Cosine with the question, read with its post's title.
    """

    mark: int
    post_id: str
    part: QuotePart
    comment: int | None
    start: int
    end: int
    text: str
    score: float
    title: str = ""
    likeness: float = 0.0


@dataclass(frozen=True, slots=True)
class Citation:
    """A checked mark: it points at a shown post, which contains the quote word for word.

    Attributes:
        mark: Number of the post among the answer's hits, from 1.
        start, end: Code points of the quote in the post's title, text or comment, as `part` says.
        quote: Exactly those code points.
        support: How far the quote supports the sentence, 0 to 1.
    """

    mark: int
    post_id: str
    part: QuotePart
    comment: int | None
    start: int
    end: int
    quote: str
    support: float


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence that was checked before it is shown. `text` holds no marks; they are the citations' numbers.

    Attributes:
        quoted: Whether `text` is a post's own words and not the model's; its one citation is then its source.
    """

    text: str
    citations: tuple[Citation, ...]
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown for a question.

    Attributes:
        kind: "written" by the model (quotes may follow what it wrote), "quoted" verbatim from posts, or "declined":
            the posts don't say.
        language: Of the question, and so of the answer's frame; quotes stay in their own.
        sentences: None where `kind` is "declined".
        hits: The posts that were shown to the model, or where declined the nearest ones; mark 1 is hits[0].
        withheld: Sentences that the model wrote and that are not shown.
        note: Why there is no written answer, for the user, in the question's language; "" where there is one.
        model: Name of the model that wrote; "" where none did.
        prompt: Version of the prompt, such as "answer/v1.en@3f2a9c01"; "" where none was used.
        generation: Generation of the index that was searched.
        timings_ms: Wall-clock since the question came: "search", "first_sentence", "total".
        confidence: How likely these posts answer the question, 0 to 1.
        withheld_by: Sentences withheld, by reason.
        thinking: What the model thought before it wrote, unchecked, and never part of the answer; "" where it did not.
        outcome: Whether the evidence was enough.
        missing: What the posts do not say, one sentence in the question's language; "" where nothing is missing.
    """

    question: Question
    kind: AnswerKind
    language: str
    sentences: tuple[AnswerSentence, ...]
    hits: tuple[Hit, ...]
    withheld: int
    note: str
    model: str
    prompt: str
    generation: str
    timings_ms: dict[str, float]
    confidence: float = 0.0
    withheld_by: Mapping[WithheldReason, int] = field(default_factory=dict)
    thinking: str = ""
    outcome: Outcome = "answer"
    missing: str = ""


@dataclass(frozen=True, slots=True)
class HitsFound:
    """First event: the posts, before a word of the answer is there."""

    hits: tuple[Hit, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Queued:
    """Others are before this question at the model; sent each time that changes, until it is its turn.

    Attributes:
        place: 1 is the next.
        seconds: About how long until its turn; None where nobody's turn has ended yet.
    """

    place: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence passed its checks."""

    sentence: AnswerSentence


@dataclass(frozen=True, slots=True)
class SentenceWithheld:
    """The model wrote a sentence that is not shown, and why."""

    reason: WithheldReason


@dataclass(frozen=True, slots=True)
class Done:
    """Last event: the whole answer, equal to what the events before it said."""

    answer: Answer


AnswerEvent: TypeAlias = HitsFound | Queued | SentenceReady | SentenceWithheld | Done
