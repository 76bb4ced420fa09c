"""From the posts found to the hits of a page: what was found together, and how one of it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.search.fusion import Scale
from retrieval.search.ranking import Placed, explained
from retrieval.text.highlight import highlight
from retrieval.text.sentences import sentences
from retrieval.types import Candidate, Explanation, FoundBy, Hit, Passage, Post, SearchQuery

_OPENING_LENGTH = 300  # code points


@dataclass(frozen=True, slots=True)
class Layer:
    """Posts found together: as they came, and in their order on the pages, with what explains their scores.

    Attributes:
        candidates: All passages that were found of them.
        reranked: The order that a reranker gave to the first of them, as `arranging.reordered` takes it.
    """

    candidates: Sequence[Candidate]
    found: list[Placed]
    order: list[Placed]
    scale: Scale | None
    sides: dict[tuple[str, int], FoundBy]
    reranked: tuple[int, ...] = ()

    def explanation(self, one: Placed) -> Explanation:
        found_by = self.sides.get((one.candidate.post_id, one.candidate.ordinal), "filters")
        return explained(one, self.scale, found_by)


def shows(place: Placed, posts: Mapping[str, Post]) -> bool:
    """Whether a post found can be shown: it is still there, and so is the comment that it was found by."""
    post = posts.get(place.post.post_id)
    comment = place.candidate.comment
    return post is not None and (comment is None or comment < len(post.comments))


def hit(query: SearchQuery, rank: int, place: Placed, post: Post, layers: Sequence[Layer]) -> Hit:
    """A post found, as it is shown: with its passage, the words of the query marked, and the reasons if asked for."""
    candidate = place.candidate
    shown = _shown(query.text, candidate, post, layers[-1])  # the last layer's candidates hold those of all before it
    explanation = None
    if query.explain:
        explanation = next(layer for layer in layers if place in layer.order).explanation(place)
    return Hit(
        rank, place.score, candidate.cosine, candidate.lexical, post, passage_of(shown, post),
        tuple(highlight(query.text, source_of(shown, post), shown.start, shown.end)),
        tuple(highlight(query.text, post.title)),
        place.similar_ids,
        explanation,
    )  # fmt: skip


def _shown(words: str, found: Candidate, post: Post, layer: Layer) -> Candidate:
    """What is shown of a post: the passage that it was found by.

    Title and tags colour every passage of a post, a short comment the most. One that has none of the query's words,
    under a title or tags that have some, was found by these: then the post's own words are shown.
    """
    if found.comment is None or not post.text.strip():
        return found
    if highlight(words, source_of(found, post), found.start, found.end):
        return found
    if not highlight(words, " ".join([post.title, *post.tags])):
        return found  # by its meaning
    own = [one for one in layer.candidates if one.post_id == post.id and one.comment is None]
    if not own or layer.scale is None:
        return opening(post)
    return max(zip(layer.scale.scores(own), own, strict=True), key=lambda scored: scored[0])[1]


def opening(post: Post) -> Candidate:
    """The first sentences of a post, at most _OPENING_LENGTH code points if the first one is no longer; of no score."""
    start = end = 0
    for span in sentences(post.text):
        if end and span.end > _OPENING_LENGTH:
            break
        start, end = start if end else span.start, span.end
    return Candidate(post.id, 0, "text", None, start, end, cosine=0.0, lexical=0.0)


def passage_of(candidate: Candidate, post: Post) -> Passage:
    """The passage by which a post was found."""
    return Passage(
        post.id, candidate.ordinal, candidate.part, candidate.comment, candidate.start, candidate.end,
        source_of(candidate, post)[candidate.start : candidate.end],
    )  # fmt: skip


def source_of(candidate: Candidate, post: Post) -> str:
    """The text that the passage was cut from."""
    return post.text if candidate.comment is None else post.comments[candidate.comment].text
