"""What the JSON API takes. Validated by pydantic here; inside there are frozen dataclasses."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from app.conversations.storage.feedback import MOST_WORDS, Reason, Verdict
from retrieval.query.operator_values import plain_author, plain_tag, read_language, read_near
from retrieval.search.cursor import LARGEST_POSITION
from retrieval.suggest.suggester import SUGGESTIONS
from retrieval.types import FacetName, Filters, SearchQuery, Sort

QUERY_MAX_LENGTH = 2000
_INVISIBLE = {"Cc", "Cf", "Cs"}
_JOINER = "\u200d"  # holds an emoji of several together
# Words of a post; one without visible characters could never be missing.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def visible_text(text: str) -> str:
    """The text without invisible characters; if it has no others, nothing is left to look for."""
    visible = (" " if unicodedata.category(one) in _INVISIBLE and one != _JOINER else one for one in text)
    return "".join(visible).strip()


def _written_date(value: object) -> object:
    """As it is, unless it is a number, which would be taken for seconds since 1970: 2026 as well as 20260115."""
    if isinstance(value, int | float) or (isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal()):
        raise ValueError("write a date as 2026-01-15, or a moment as 2026-01-15T08:00:00Z")
    return value


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, BeforeValidator(_written_date), AfterValidator(_zoned)]


class FiltersIn(BaseModel):
    """What a post must satisfy; several values in one field: any of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    author: list[str] = Field(default_factory=list, max_length=50)
    tag: list[str] = Field(default_factory=list, max_length=50)
    language: list[str] = Field(default_factory=list, max_length=20)
    since: Moment | None = Field(None, description="Earliest created_at, inclusive. Without a zone it is UTC.")
    until: Moment | None = Field(None, description="Latest created_at, exclusive. Without a zone it is UTC.")
    min_likes: int | None = Field(None, ge=0, le=2**53)
    max_likes: int | None = Field(None, ge=0, le=2**53)
    phrase: list[Words] = Field(
        default_factory=list, max_length=50, description="Each of them must occur word for word."
    )
    without: list[Words] = Field(
        default_factory=list, max_length=50, description="Words and phrases that must not occur."
    )
    without_tag: list[str] = Field(default_factory=list, max_length=50)
    without_author: list[str] = Field(default_factory=list, max_length=50)
    near: str | None = Field(
        None, max_length=200, description="Place and distance.", examples=["Shanghai,10km", "31.2,121.4,5km"]
    )

    @field_validator("language")
    @classmethod
    def _are_languages(cls, languages: list[str]) -> list[str]:
        codes = [read_language(one) for one in languages]
        for code, written in zip(codes, languages, strict=True):
            if code is None:
                raise ValueError(f"{written[:40]!r} is not a known language; write its two-letter code, such as zh")
        return [code for code in codes if code is not None]

    @field_validator("until")
    @classmethod
    def _is_after_since(cls, until: datetime | None, given: ValidationInfo) -> datetime | None:
        since = given.data.get("since")
        if since is not None and until is not None and until <= since:
            raise ValueError("it is not after `since`, so that no post can satisfy both")
        return until

    @field_validator("max_likes")
    @classmethod
    def _is_enough(cls, most: int | None, given: ValidationInfo) -> int | None:
        least = given.data.get("min_likes")
        if least is not None and most is not None and most < least:
            raise ValueError("it is less than `min_likes`, so that no post can satisfy both")
        return most

    @field_validator("near")
    @classmethod
    def _is_place(cls, near: str | None) -> str | None:
        if near is not None and read_near(near, lambda _: (0.0, 0.0)) is None:
            raise ValueError('write a place and a distance, as in "Shanghai,10km" or "31.2,121.4,5km"')
        return near

    def to_domain(self) -> Filters:
        """All but `near`, for which the places must be known."""
        return Filters(
            authors=tuple(map(plain_author, self.author)),
            tags=tuple(map(plain_tag, self.tag)),
            languages=tuple(self.language),
            since=self.since,
            until=self.until,
            min_likes=self.min_likes,
            max_likes=self.max_likes,
            phrases=tuple(self.phrase),
            without=tuple(self.without),
            without_tags=tuple(map(plain_tag, self.without_tag)),
            without_authors=tuple(map(plain_author, self.without_author)),
        )


class SearchIn(FiltersIn):
    """The parameters of a search."""

    q: str = Field(max_length=QUERY_MAX_LENGTH, description="What to look for.", examples=["quiet cafe in Dali"])
    limit: int = Field(10, ge=1, le=50)
    offset: int = Field(0, ge=0, le=LARGEST_POSITION)
    cursor: str = Field(
        "", max_length=2000, description="`next_cursor` of the page before, with the same other parameters; no offset."
    )
    sort: Sort = Field("relevance", description="Order of the posts found; poor matches come last.")
    facet: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="What to count: tags, authors, languages, months.",
        examples=[["tags"]],
    )
    fold: bool = Field(True, description="Whether near copies are grouped under one hit.")
    per_author: int = Field(
        3, ge=0, le=1000, description="Most hits of one author among ten in a row; others come later. 0: any number."
    )
    boosts: bool = Field(True, description="Whether freshness and popularity count as this server is set to.")
    explain: bool = Field(False, description="Whether each hit says why it is there.")

    @field_validator("facet")
    @classmethod
    def _are_facets(cls, facet: list[str]) -> list[str]:
        for name in facet:
            if name not in get_args(FacetName):
                raise ValueError(f"the facet {name[:40]!r} does not exist; use {', '.join(get_args(FacetName))}")
        return facet

    def to_query(self, text: str, filters: Filters) -> SearchQuery:
        """The search for these words, with these filters."""
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
    conversation: str | None = Field(
        None,
        max_length=64,
        description='Id of the conversation that the question goes on with, or "new" to begin one; without it, nothing '
        "is kept of question and answer.",
        examples=["new"],
    )
    followups: bool = Field(True, description="Whether to look for follow-up questions.")
    when_busy: Literal["quotes", "refuse"] = Field(
        "quotes",
        description="What to get where too many wait for the model: an answer by `quotes` at once, or 503 with "
        "`Retry-After` (`refuse`).",
    )
    thinking: bool = Field(False, description="Whether to return what a reasoning model thought before it wrote.")


class FeedbackIn(BaseModel):
    """Feedback on an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer_id: str = Field(max_length=64, description="Of an answer that was given in a conversation.")
    verdict: Verdict
    reason: Reason = Field("", description="Why it did not help.")
    words: str = Field("", max_length=MOST_WORDS, description="Anything else, in free text.")


class SuggestIn(BaseModel):
    """The text typed so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field(max_length=QUERY_MAX_LENGTH, description="The text in the search box.", examples=["cof", "咖"])
    limit: int = Field(SUGGESTIONS, ge=1, le=20)
