"""What the JSON API gives of answers. `from_domain` is the one crossing from inside to outside."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.answering.types import Answer, AnswerSentence, Citation
from app.web.responses import HitOut, NoteOut, Out, UnderstoodOut


class CitationOut(Out):
    """A checked mark. `quote` stands word for word at [start, end) of the post's title, text or comment."""

    mark: int
    post_id: str
    part: Literal["title", "text", "comment"]
    comment: int | None
    start: int
    end: int
    quote: str
    support: float

    @classmethod
    def from_domain(cls, citation: Citation) -> CitationOut:
        return cls.model_validate(citation, from_attributes=True)


class SentenceOut(Out):
    text: str
    citations: list[CitationOut]
    quoted: bool = Field(description="Whether `text` is a post's own words and not the model's.")

    @classmethod
    def from_domain(cls, sentence: AnswerSentence) -> SentenceOut:
        return cls(
            text=sentence.text,
            citations=[CitationOut.from_domain(citation) for citation in sentence.citations],
            quoted=sentence.quoted,
        )


class AnswerOut(Out):
    """An answer; mark n of a citation is hits[n - 1]."""

    question: str
    kind: Literal["written", "quoted", "declined"] = Field(
        description='"written" by the model, "quoted" verbatim from posts, "declined": these posts don\'t say.'
    )
    language: str
    sentences: list[SentenceOut]
    hits: list[HitOut]
    withheld: int = Field(description="Sentences that the model wrote and that are not shown.")
    withheld_by: dict[str, int] = Field(
        description="By reason: unsupported, beside the point, repeated, not a sentence, language, order, link."
    )
    note: str
    model: str
    prompt: str
    generation: str
    timings_ms: dict[str, float]
    notes: list[NoteOut] = Field(default_factory=list)
    understood: UnderstoodOut | None = None

    @classmethod
    def from_domain(cls, answer: Answer) -> AnswerOut:
        return cls(
            question=answer.question.text,
            kind=answer.kind,
            language=answer.language,
            sentences=[SentenceOut.from_domain(sentence) for sentence in answer.sentences],
            hits=[HitOut.from_domain(hit) for hit in answer.hits],
            withheld=answer.withheld,
            withheld_by=dict(answer.withheld_by),
            note=answer.note,
            model=answer.model,
            prompt=answer.prompt,
            generation=answer.generation,
            timings_ms=answer.timings_ms,
        )
