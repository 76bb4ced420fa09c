"""The JSON promise: what the API takes and gives. `from_domain` is the one crossing from inside to outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from app.answering.types import Answer, AnswerSentence, Citation
from retrieval.cursor import LARGEST_POSITION
from retrieval.language import detect_language
from retrieval.query_pieces import ParsedQuery
from retrieval.query_values import read_near
from retrieval.suggest import SUGGESTIONS, Suggestion
from retrieval.types import Explanation, FacetName, Filters, FoundBy, Hit, Post, SearchPage, SearchQuery, Sort, Span

QUERY_MAX_LENGTH = 2000
# Words of a post; of signs that cannot be seen, none could ever be missing.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


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


class ExplanationOut(Out):
    """Why a hit is where it is. `dense`, `lexical`, `freshness` and `popularity` sum to the hit's `score`."""

    found_by: FoundBy = Field(description='Who brought its passage; "filters" where there were no words to look for.')
    dense_weight: float = Field(description="Share of the cosine that was chosen for this query, 0 to 1.")
    dense: float
    lexical: float
    freshness: float
    popularity: float

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
    """Something in the query that was not taken as it may have been meant; the query is answered all the same."""

    code: str = Field(description="A word to branch on, such as bad_date or unbalanced_quote.")
    message: str = Field(description="One sentence, in the query's language: Chinese or English.")
    start: int = Field(description="Where it stands in the query, in code points; `end` is one past the last.")
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


def understanding(typed: str, asked: ParsedQuery) -> dict[str, Any]:
    """The fields `notes` and `understood` of a response to what was typed."""
    language = detect_language(typed)
    notes = [NoteOut(code=m.code, message=m.said(language), start=m.start, end=m.end) for m in asked.mistakes]
    return {"notes": notes, "understood": UnderstoodOut.from_domain(asked)}


class SearchOut(Out):
    """One page of hits."""

    query: str = Field(description="As typed.")
    language: str
    total: int = Field(description="Hits that were found, on all pages: a lower bound of all that match.")
    hits: list[HitOut]
    generation: str
    timings_ms: dict[str, float]
    facets: dict[FacetName, list[FacetCountOut]] = Field(
        default_factory=dict, description="Counts over the posts found, not over the index; the most frequent first."
    )
    next_cursor: str | None = Field(None, description="For the next page, as `cursor`; null where there is none.")
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


class FiltersIn(BaseModel):
    """What a post must satisfy; several values in one field: any of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    author: list[str] = Field(default_factory=list, max_length=50)
    tag: list[str] = Field(default_factory=list, max_length=50)
    language: list[str] = Field(default_factory=list, max_length=20)
    since: datetime | None = Field(None, description="Earliest created_at, inclusive. Without a zone it is UTC.")
    until: datetime | None = Field(None, description="Latest created_at, exclusive. Without a zone it is UTC.")
    min_likes: int | None = Field(None, ge=0, le=2**53)
    max_likes: int | None = Field(None, ge=0, le=2**53)
    phrase: list[Words] = Field(default_factory=list, max_length=50, description="Said word for word, each of them.")
    without: list[Words] = Field(default_factory=list, max_length=50, description="Words and phrases not said.")
    without_tag: list[str] = Field(default_factory=list, max_length=50)
    without_author: list[str] = Field(default_factory=list, max_length=50)
    near: str | None = Field(
        None, max_length=200, description="Place and distance.", examples=["Shanghai,10km", "31.2,121.4,5km"]
    )

    @field_validator("near")
    @classmethod
    def _is_place(cls, near: str | None) -> str | None:
        if near is not None and read_near(near, lambda _: (0.0, 0.0)) is None:
            raise ValueError('write a place and a distance, as in "Shanghai,10km" or "31.2,121.4,5km"')
        return near

    def to_domain(self) -> Filters:
        """All but `near`, which takes somebody who knows places."""
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
            max_likes=self.max_likes,
            phrases=tuple(self.phrase),
            without=tuple(self.without),
            without_tags=tuple(tag.removeprefix("#") for tag in self.without_tag),
            without_authors=tuple(author.removeprefix("@") for author in self.without_author),
        )


class SearchIn(FiltersIn):
    """The parameters of a search."""

    q: str = Field(max_length=QUERY_MAX_LENGTH, description="What to look for.", examples=["quiet cafe in Dali"])
    limit: int = Field(10, ge=1, le=50)
    offset: int = Field(0, ge=0, le=LARGEST_POSITION)
    cursor: str = Field(
        "", max_length=2000, description="`next_cursor` of the page before, with the same other parameters; no offset."
    )
    sort: Sort = Field("relevance", description="Order of the posts found; those that match badly come last.")
    facet: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="What to count: tags, authors, languages, months.",
        examples=[["tags"]],
    )
    fold: bool = Field(True, description="Whether near copies stand under one hit.")
    per_author: int = Field(3, ge=0, le=1000, description="Most hits of one author; 0: any number.")
    boosts: bool = Field(True, description="Whether freshness and popularity count as this server is set to.")
    explain: bool = Field(False, description="Whether each hit says why it is there.")

    @field_validator("facet")
    @classmethod
    def _are_facets(cls, facet: list[str]) -> list[str]:
        for name in facet:
            if name not in get_args(FacetName):
                raise ValueError(f"there is no facet {name[:40]!r}; there are {', '.join(get_args(FacetName))}")
        return facet

    def to_query(self, text: str, filters: Filters) -> SearchQuery:
        """The search for these words among these posts."""
        return SearchQuery(
            text,
            filters,
            self.limit,
            self.offset,
            sort=self.sort,
            facets=tuple(name for name in get_args(FacetName) if name in self.facet),
            fold=self.fold,
            per_author=self.per_author,
            boosts=self.boosts,
            explain=self.explain,
            cursor=self.cursor,
        )


class AnswerIn(FiltersIn):
    """A question, and what the posts that may answer it must satisfy."""

    # Without it, /docs would fill every filter with "string", and nothing would be found.
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "How much is a flat white in Dali?", "stream": False}]}
    )

    question: str = Field(max_length=QUERY_MAX_LENGTH, examples=["How much is a flat white in Dali?"])
    stream: bool = Field(False, description="Answer as server-sent events instead of one JSON object.")


class SuggestIn(BaseModel):
    """What is typed so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field(max_length=QUERY_MAX_LENGTH, description="The search box as it stands.", examples=["cof", "咖"])
    limit: int = Field(SUGGESTIONS, ge=1, le=20)


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
    notes: list[NoteOut] = []
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
