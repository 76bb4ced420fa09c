"""The domain types: post, passage, filters, query, hit. Frozen and small; standard library and numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Part = Literal["text", "comment"]
Sort = Literal["relevance", "newest", "most_liked"]
FacetName = Literal["tags", "authors", "languages", "months"]
FoundBy = Literal["dense", "lexical", "both", "filters"]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a post: its URL, and what it shows in words ("" if the author did not say)."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post was made.

    Attributes:
        name: As the author wrote it.
        latitude: Degrees north, -90 to 90; None if only the name is known.
        longitude: Degrees east, -180 to 180; None if only the name is known.
    """

    name: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote under a post."""

    author: str
    text: str
    likes: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """What a person published, in the one form that everything here works on.

    Attributes:
        id: Unique in an index, 1 to 200 characters.
        title: May be empty, but then `text` is not.
        text: As its author wrote it, NFC, "\\n" line ends. Every offset that Stipple reports counts Unicode code points
            of this string.
        author: Handle, without "@".
        tags: Without "#", in the author's order, each once.
        language: ISO 639-1 code, or "und" if unknown.
        created_at: With time zone; None if unknown.
        comment_count: As the platform counted; may exceed len(comments).
    """

    id: str
    title: str
    text: str
    author: str = ""
    tags: tuple[str, ...] = ()
    language: str = "und"
    created_at: datetime | None = None
    likes: int = 0
    collects: int = 0
    comment_count: int = 0
    url: str = ""
    images: tuple[Image, ...] = ()
    place: Place | None = None
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The slice of a post that is embedded and scored.

    Attributes:
        post_id: The post it was cut from.
        ordinal: 0, 1, 2, ... in the post; 0 always exists.
        part: Whether it was cut from the post's text or from one of its comments.
        comment: Index of the comment; None if `part` is "text".
        start: First code point of the slice in that text.
        end: One past the last. start == end only if a post has a title and no text.
        text: The slice itself, verbatim.
    """

    post_id: str
    ordinal: int
    part: Part
    comment: int | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """A circle on the ground: a post matches if its place has coordinates inside.

    Attributes:
        latitude: Of the centre, degrees north, -90 to 90.
        longitude: Of the centre, degrees east, -180 to 180.
        radius_km: Above 0, along the surface of the earth.
    """

    latitude: float
    longitude: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What a hit's post must satisfy; an empty field does not restrict. Several values in one field mean any of them,
    unless the field says otherwise.

    The fields `phrases` and `without` concern words of the post; stores ignore them, and Searcher applies them.

    Attributes:
        since: Earliest `created_at`, inclusive, with time zone.
        until: Latest `created_at`, exclusive, with time zone.
        phrases: Each of them occurs word for word in the post's title, text, tags or comments.
        without: None of these words and phrases does.
        without_tags, without_authors: The post has none of these.
        in_words: `since` and `until` were understood from words such as "last year": where no post of that time
            answers, others may.
    """

    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    min_likes: int | None = None
    max_likes: int | None = None
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    without_authors: tuple[str, ...] = ()
    near: Near | None = None
    in_words: bool = False

    def is_empty(self) -> bool:
        return self == Filters()

    @property
    def is_timed(self) -> bool:
        return self.since is not None or self.until is not None

    def at_any_time(self) -> Filters:
        """The same without bounds of time."""
        return replace(self, since=None, until=None, in_words=False)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What was typed into the search box, and which page of hits is wanted.

    Attributes:
        text: As typed.
        limit: Hits on the page, 1 to 100.
        offset: Hits to skip before it, 0 to 1,000.
        sort: Order of the posts found; unless "relevance", those that match much worse than the best come after the
            others, in the same order among themselves.
        facets: What to count among the posts found.
        fold: Whether near copies are folded under the first of them.
        per_author: Most hits of one author among ten in a row, where others can take their places; further ones come
            later. 0 allows any number, and so do filters with authors and other orders than "relevance".
        boosts: Whether freshness and popularity count as the Searcher is configured.
        explain: Whether each hit carries an explanation.
        cursor: `next_cursor` of the page before; then `offset` is ignored.
        answer_hits: How many hits an answer is made from. As many of the best matches come first on all pages together,
            whatever their author, age and likes; `per_author` and `boosts` arrange the others.
    """

    text: str
    filters: Filters = field(default_factory=Filters)
    limit: int = 10
    offset: int = 0
    sort: Sort = "relevance"
    facets: tuple[FacetName, ...] = ()
    fold: bool = True
    per_author: int = 3
    boosts: bool = True
    explain: bool = False
    cursor: str = ""
    answer_hits: int = 0


class Candidate(NamedTuple):
    """A passage found by dense or lexical search, with both of its scores. A NamedTuple, since a search makes two
    hundred, and a tuple takes a tenth of the time.

    Attributes:
        cosine: Exact cosine of query and passage vector, -1 to 1, whichever side found it.
        lexical: BM25 score, 0 and up; 0 if no term is shared.
    """

    post_id: str
    ordinal: int
    part: Part
    comment: int | None
    start: int
    end: int
    cosine: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Span:
    """Code points [start, end) of some text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit is where it is: the parts of its score, which add up to it.

    Attributes:
        found_by: Which side of the search found its passage: "filters" if there were no words to search for.
        dense_weight: Share of the cosine chosen for this query, 0 to 1.
        dense, lexical, freshness, popularity: What each adds to the score, 0 and up.
        reranked: Whether a CrossEncoder read the hit and influenced its place.
        rerank: What that adds to the score, or takes from it; 0 if it was not reranked.
    """

    found_by: FoundBy
    dense_weight: float
    dense: float
    lexical: float
    freshness: float = 0.0
    popularity: float = 0.0
    reranked: bool = False
    rerank: float = 0.0


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many of the posts found have a value: a tag, an author, a language or a month such as "2025-04" (UTC)."""

    value: str
    posts: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A post found for a query, with a passage of it.

    Attributes:
        rank: 1 is best.
        score: Fused, 0 to 1; compare only within one query.
        cosine, lexical: The two scores of its best passage.
        passage: That passage; if it is a comment found only because of the post's title or tags, the post's own words.
        highlights: The query's words inside the passage, as spans of the text that it was cut from (the post's text, or
            the comment's).
        title_highlights: The same in the title.
        similar_ids: Near copies that were found too and are folded under it, in the order they would have had.
        explanation: None unless the query asks for it.
    """

    rank: int
    score: float
    cosine: float
    lexical: float
    post: Post
    passage: Passage
    highlights: tuple[Span, ...] = ()
    title_highlights: tuple[Span, ...] = ()
    similar_ids: tuple[str, ...] = ()
    explanation: Explanation | None = None

    @property
    def similar(self) -> int:
        """How many near copies are folded under it."""
        return len(self.similar_ids)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits.

    Attributes:
        language: Of the query, ISO 639-1 or "und"; of its tags and authors where it has no words.
        total: Hits that paging reaches, the same on all pages: at most 1,000, and a lower bound of all that match.
        generation: Name of the generation that was searched.
        timings_ms: Wall-clock time of each stage: "embed", "candidates", "fuse", "arrange", "posts", and "rerank" if
            there was one.
        facets: Counts over the posts found (not over the index), most frequent first, by facet.
        next_cursor: For the next page; "" if there is none.
    """

    query: SearchQuery
    language: str
    hits: tuple[Hit, ...]
    total: int
    generation: str
    timings_ms: dict[str, float]
    facets: dict[FacetName, tuple[FacetCount, ...]] = field(default_factory=dict)
    next_cursor: str = ""


Vectors = NDArray[np.float32]

# Increase when what is written for one post changes: payload fields, how text becomes terms, how passages are cut.
SCHEMA_VERSION = 4


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """The settings that load an embedding model, to load the one that built an index.

    Attributes:
        model: A hub ID, the absolute path of a folder, or the bundled model's name.
        languages, query_prompt, passage_prompt: As in the settings; "" for what the model declares.
    """

    model: str
    languages: str = ""
    query_prompt: str = ""
    passage_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be equal for vectors to be comparable.

    Attributes:
        model: Embedding model with the fingerprint of its weights, such as "all-MiniLM-L6-v2@53aa5117".
        dimension: Length of its vectors.
        schema: SCHEMA_VERSION at the time of writing.
        recipe: How to load the model, if known; not compared.
    """

    model: str
    dimension: int
    schema: int = SCHEMA_VERSION
    recipe: ModelRecipe | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TermWeights:
    """A sparse vector of BM25 term weights: both of the same length, indices distinct."""

    indices: tuple[int, ...]
    values: tuple[float, ...]
