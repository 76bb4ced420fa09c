"""The JSON promise: what the API takes and gives. `from_domain` is the one crossing from inside to outside."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.answering.types import Answer, AnswerSentence, Citation
from retrieval.types import Filters, Hit, Post, SearchPage, Span

QUERY_MAX_LENGTH = 2000


class Out(BaseModel):
    """Whatever is sent."""

    model_config = ConfigDict(frozen=True)


class ImageOut(Out):
    url: str
    alt: str


class PlaceOut(Out):
    name: str
    latitude: float | None
    longitude: float | None


class CommentOut(Out):
    author: str
    text: str
    likes: int
    created_at: datetime | None


class PostOut(Out):
    """A post as it was indexed."""

    id: str
    title: str
    text: str
    author: str
    tags: list[str]
    language: str
    created_at: datetime | None
    likes: int
    collects: int
    comment_count: int
    url: str
    images: list[ImageOut]
    place: PlaceOut | None
    comments: list[CommentOut]

    @classmethod
    def from_domain(cls, post: Post) -> PostOut:
        return cls.model_validate(post, from_attributes=True)


class SpanOut(Out):
    """Code points [start, end) of a text."""

    start: int
    end: int

    @classmethod
    def from_domain(cls, span: Span) -> SpanOut:
        return cls(start=span.start, end=span.end)


class PassageOut(Out):
    """The slice of a post that matched best; offsets count code points of `post.text`, or of
    `post.comments[comment].text` where `part` is "comment".
    """

    part: Literal["text", "comment"]
    comment: int | None
    start: int
    end: int
    text: str
    highlights: list[SpanOut]


class HitOut(Out):
    rank: int
    score: float
    cosine: float
    lexical: float
    post: PostOut
    passage: PassageOut
    title_highlights: list[SpanOut]

    @classmethod
    def from_domain(cls, hit: Hit) -> HitOut:
        passage = PassageOut(
            part=hit.passage.part,
            comment=hit.passage.comment,
            start=hit.passage.start,
            end=hit.passage.end,
            text=hit.passage.text,
            highlights=[SpanOut.from_domain(span) for span in hit.highlights],
        )
        return cls(
            rank=hit.rank,
            score=round(hit.score, 6),
            cosine=round(hit.cosine, 6),
            lexical=round(hit.lexical, 6),
            post=PostOut.from_domain(hit.post),
            passage=passage,
            title_highlights=[SpanOut.from_domain(span) for span in hit.title_highlights],
        )


class SearchOut(Out):
    """One page of hits."""

    query: str
    language: str
    total: int = Field(description="Posts among the candidates: a lower bound of all that match.")
    hits: list[HitOut]
    generation: str
    timings_ms: dict[str, float]

    @classmethod
    def from_domain(cls, page: SearchPage) -> SearchOut:
        return cls(
            query=page.query.text,
            language=page.language,
            total=page.total,
            hits=[HitOut.from_domain(hit) for hit in page.hits],
            generation=page.generation,
            timings_ms=page.timings_ms,
        )


class FiltersIn(BaseModel):
    """What a post must satisfy; several values in one field: any of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    author: list[str] = Field(default_factory=list, max_length=50)
    tag: list[str] = Field(default_factory=list, max_length=50)
    language: list[str] = Field(default_factory=list, max_length=20)
    since: datetime | None = Field(None, description="Earliest created_at, inclusive. Without a zone it is UTC.")
    until: datetime | None = Field(None, description="Latest created_at, exclusive. Without a zone it is UTC.")
    min_likes: int | None = Field(None, ge=0, le=2**53)

    def to_domain(self) -> Filters:
        from datetime import UTC

        def zoned(moment: datetime | None) -> datetime | None:
            return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment

        return Filters(
            authors=tuple(self.author),
            tags=tuple(tag.removeprefix("#") for tag in self.tag),
            languages=tuple(self.language),
            since=zoned(self.since),
            until=zoned(self.until),
            min_likes=self.min_likes,
        )


class SearchIn(FiltersIn):
    """The parameters of a search."""

    q: str = Field(max_length=QUERY_MAX_LENGTH, description="What to look for.", examples=["quiet cafe in Dali"])
    limit: int = Field(10, ge=1, le=50)
    offset: int = Field(0, ge=0, le=1000)


class AnswerIn(FiltersIn):
    """A question, and what the posts that may answer it must satisfy."""

    # Without it, /docs would fill every filter with "string", and nothing would be found.
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "How much is a flat white in Dali?", "stream": False}]}
    )

    question: str = Field(max_length=QUERY_MAX_LENGTH, examples=["How much is a flat white in Dali?"])
    stream: bool = Field(False, description="Answer as server-sent events instead of one JSON object.")


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
    withheld: int = Field(description="Sentences that the model wrote and that no shown post supported.")
    note: str
    model: str
    prompt: str
    generation: str
    timings_ms: dict[str, float]

    @classmethod
    def from_domain(cls, answer: Answer) -> AnswerOut:
        return cls(
            question=answer.question.text,
            kind=answer.kind,
            language=answer.language,
            sentences=[SentenceOut.from_domain(sentence) for sentence in answer.sentences],
            hits=[HitOut.from_domain(hit) for hit in answer.hits],
            withheld=answer.withheld,
            note=answer.note,
            model=answer.model,
            prompt=answer.prompt,
            generation=answer.generation,
            timings_ms=answer.timings_ms,
        )


class ErrorOut(Out):
    """Why a request was not answered."""

    error: str = Field(description="A word to branch on, such as invalid_query or index_missing.")
    message: str
    field: str | None = None
    request_id: str = ""
