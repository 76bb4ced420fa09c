"""What the JSON API returns of answers. Only `from_domain` makes it from the inner types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from app.answering.types import Answer, AnswerSentence, Citation, Outcome
from app.conversations.standalone.context import CompletedBy
from app.conversations.turns import Conversation, Turn
from app.web.api.responses import HitOut, NoteOut, Out, PostOut, UnderstoodOut
from retrieval.types import Post


class CitationOut(Out):
    """A checked mark. `quote` is, word for word, [start, end) of the post's title, text or comment."""

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
    outcome: Outcome = Field(
        "answer", description='"partly": several things were asked, and the posts do not say all of them.'
    )
    missing: str = Field("", description="What the posts do not say, in the question's language.")
    language: str
    sentences: list[SentenceOut]
    hits: list[HitOut]
    withheld: int = Field(description="Sentences that the model wrote and that are not shown.")
    withheld_by: dict[str, int] = Field(
        description="By reason: unsupported, beside the point, repeated, not a sentence, language, order, markup."
    )
    note: str
    model: str
    prompt: str
    generation: str
    timings_ms: dict[str, float]
    notes: list[NoteOut] = Field(default_factory=list)
    understood: UnderstoodOut | None = None
    understood_by: CompletedBy = Field(
        "asked", description='Who completed the question from the conversation: "rules", "model", or nobody ("asked").'
    )
    conversation: str | None = Field(
        None, description="Id of the conversation that it is kept in; null if it is not kept."
    )
    answer_id: str | None = Field(None, description="For feedback; null if it is not kept.")
    followups: list[str] = Field(
        default_factory=list, description="Questions to ask next, complete in themselves, which the index answers."
    )
    thinking: str | None = Field(
        None, description="What the model thought before it wrote, unchecked; null if it was not requested."
    )

    @classmethod
    def from_domain(cls, answer: Answer, *, thinking: bool = False) -> AnswerOut:
        return cls(
            question=answer.question.text,
            kind=answer.kind,
            outcome=answer.outcome,
            missing=answer.missing,
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
            thinking=answer.thinking if thinking else None,
        )


class TurnOut(Out):
    """A question of a conversation and its answer, as it is valid now."""

    number: int
    answer_id: str
    asked_at: datetime
    question: str = Field(description="As typed.")
    understood: str = Field(description="Complete in itself.")
    understood_by: CompletedBy
    kind: Literal["written", "quoted", "declined"]
    language: str
    sentences: list[SentenceOut]
    withheld: int
    withdrawn: int = Field(
        description="Sentences withdrawn since: a post that they cite is gone, or no longer says it."
    )
    note: str
    model: str
    posts: dict[int, PostOut] = Field(description="Those it was answered from that still exist, by their mark.")
    followups: list[str]

    @classmethod
    def from_domain(cls, turn: Turn, posts: Mapping[str, Post]) -> TurnOut:
        answer = turn.answer
        return cls(
            number=turn.number,
            answer_id=turn.answer_id,
            asked_at=turn.asked_at,
            question=turn.asked,
            understood=turn.standalone.question,
            understood_by=turn.standalone.by,
            kind=answer.kind,
            language=answer.language,
            sentences=[SentenceOut.from_domain(sentence) for sentence in answer.sentences],
            withheld=answer.withheld,
            withdrawn=turn.withdrawn,
            note=answer.note,
            model=answer.model,
            posts={
                mark: PostOut.from_domain(posts[one]) for mark, one in enumerate(turn.shown, start=1) if one in posts
            },
            followups=[one.question for one in turn.followups],
        )


class ConversationOut(Out):
    id: str
    turns: list[TurnOut]

    @classmethod
    def from_domain(cls, conversation: Conversation, posts: Mapping[str, Post]) -> ConversationOut:
        return cls(id=conversation.id, turns=[TurnOut.from_domain(turn, posts) for turn in conversation.turns])


def not_kept(language: str) -> Sequence[NoteOut]:
    """The note on an answer that should have been kept and could not be."""
    message = (
        "这个回答没有保存，接下来的追问不会记得它。"
        if language == "zh"
        else "This answer could not be kept; a follow-up question will not know of it."
    )
    return (NoteOut(code="not_kept", message=message, start=0, end=0),)
