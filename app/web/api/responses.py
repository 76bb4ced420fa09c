"""What the JSON API returns of posts and searches. Only `from_domain` makes it from the inner types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.web.visitor import visitor
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.suggest.suggester import Suggestion
from retrieval.text.language import detect_language
from retrieval.types import Explanation, FacetName, FoundBy, Hit, Post, SearchPage, Span


class Out(BaseModel):
    """Any response."""

    model_config = ConfigDict(frozen=True)


def failure(error: FixableError) -> str:
    """Why something failed, for admins; others read that the log says it."""
    return error.problem if visitor().is_admin else "this cannot be done now; the log says why under this request id"


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
    """The slice of a post that matched best, or, where that is a comment that only title or tags brought, one of the
    post's own words. Offsets count code points of `post.text`, or of `post.comments[comment].text` where `part` is
    "comment".
    """

    part: Literal["text", "comment"]
    comment: int | None
    start: int
    end: int
    text: str
    highlights: list[SpanOut]


class ExplanationOut(Out):
    """Why a hit is where it is. `dense`, `lexical`, `freshness`, `popularity` and `rerank` sum to the hit's `score`."""

    found_by: FoundBy = Field(description='Who brought its passage; "filters" where there were no words to look for.')
    dense_weight: float = Field(description="Share of the cosine that was chosen for this query, 0 to 1.")
    dense: float
    lexical: float
    freshness: float
    popularity: float
    reranked: bool = Field(False, description="Whether a cross-encoder scored the hit.")
    rerank: float = Field(0.0, description="What that adds, or subtracts if below 0.")

    @classmethod
    def from_domain(cls, explanation: Explanation) -> ExplanationOut:
        return cls.model_validate(explanation, from_attributes=True)


class FacetCountOut(Out):
    value: str
    posts: int


class HitOut(Out):
    rank: int
    score: float
    cosine: float
    lexical: float
    post: PostOut
    passage: PassageOut
    title_highlights: list[SpanOut]
    similar: int = Field(0, description="Near copies that were found too and stand under this post.")
    similar_ids: list[str] = Field(default_factory=list, description="Their ids.")
    explanation: ExplanationOut | None = Field(None, description="With `explain=true`.")

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
            similar=hit.similar,
            similar_ids=list(hit.similar_ids),
            explanation=None if hit.explanation is None else ExplanationOut.from_domain(hit.explanation),
        )


class NoteOut(Out):
    """A part of the query that may have been meant in another way; the query is answered nevertheless."""

    code: str = Field(description="A word to branch on, such as bad_date or unbalanced_quote.")
    message: str = Field(description="One sentence, in the query's language: Chinese or English.")
    start: int = Field(description="Where it begins in the query, in code points; `end` is one past the last.")
    end: int


class NearOut(Out):
    latitude: float
    longitude: float
    radius_km: float


class UnderstoodOut(Out):
    """What was looked for: the words that remain of the query, and the filters from it and from the parameters."""

    text: str
    author: list[str]
    tag: list[str]
    language: list[str]
    since: datetime | None
    until: datetime | None = Field(description="Exclusive.")
    min_likes: int | None
    max_likes: int | None
    phrase: list[str]
    without: list[str]
    without_tag: list[str]
    without_author: list[str]
    near: NearOut | None

    @classmethod
    def from_domain(cls, asked: ParsedQuery) -> UnderstoodOut:
        filters = asked.filters
        near = filters.near
        return cls(
            text=asked.text,
            author=list(filters.authors),
            tag=list(filters.tags),
            language=list(filters.languages),
            since=filters.since,
            until=filters.until,
            min_likes=filters.min_likes,
            max_likes=filters.max_likes,
            phrase=list(filters.phrases),
            without=list(filters.without),
            without_tag=list(filters.without_tags),
            without_author=list(filters.without_authors),
            near=None if near is None else NearOut.model_validate(near, from_attributes=True),
        )


def query_fields(typed: str, query: ParsedQuery) -> dict[str, Any]:
    """The fields `notes` and `understood` of a response to a query."""
    language = detect_language(typed)
    notes = [NoteOut(code=m.code, message=m.text(language), start=m.start, end=m.end) for m in query.mistakes]
    return {"notes": notes, "understood": UnderstoodOut.from_domain(query)}


class SearchOut(Out):
    """One page of hits."""

    query: str = Field(description="As typed.")
    language: str
    total: int = Field(description="Hits on all pages together, the same on each of them: at most 1,000.")
    hits: list[HitOut]
    generation: str
    timings_ms: dict[str, float]
    facets: dict[FacetName, list[FacetCountOut]] = Field(
        default_factory=dict, description="Counts over the posts found, not over the index; the most frequent first."
    )
    next_cursor: str | None = Field(None, description="For the next page, as `cursor`; null if there is none.")
    notes: list[NoteOut] = []
    understood: UnderstoodOut | None = None

    @classmethod
    def from_domain(cls, page: SearchPage) -> SearchOut:
        return cls(
            query=page.query.text,
            language=page.language,
            total=page.total,
            hits=[HitOut.from_domain(hit) for hit in page.hits],
            generation=page.generation,
            timings_ms=page.timings_ms,
            facets={
                name: [FacetCountOut(value=one.value, posts=one.posts) for one in counts]
                for name, counts in page.facets.items()
            },
            next_cursor=page.next_cursor or None,
        )


class SuggestionOut(Out):
    text: str = Field(description="What to put into the search box.")
    kind: Literal["query", "tag", "title"] = Field(description="Where it comes from: asked before, or a post's.")


class SuggestOut(Out):
    """Completions, best first; none for a text that is blank or long, and while the index cannot be read."""

    query: str
    suggestions: list[SuggestionOut]

    @classmethod
    def from_domain(cls, typed: str, suggestions: Sequence[Suggestion]) -> SuggestOut:
        return cls(query=typed, suggestions=[SuggestionOut(text=one.text, kind=one.kind) for one in suggestions])


class ErrorOut(Out):
    """Why a request was not answered."""

    error: str = Field(description="A word to branch on, such as invalid_query or index_missing.")
    message: str
    field: str | None = None
    request_id: str = ""
