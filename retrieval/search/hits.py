"""From ranked posts to the hits of a page, each with the passage that is shown. Pure."""

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
    """Posts found together: as found, in their final order, and with what explains their scores.

    Attributes:
        candidates: All passages found of them.
        reranked: A reranker's order of the first of them, as `ranking.reordered` takes it.
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
    """Whether a post found can be shown: it still exists, and so does the comment that it was found by."""
    post = posts.get(place.post.post_id)
    comment = place.candidate.comment
    return post is not None and (comment is None or comment < len(post.comments))


def hit(query: SearchQuery, rank: int, place: Placed, post: Post, layers: Sequence[Layer]) -> Hit:
    """A post as it is shown: with its passage, the query's words highlighted, and the explanation if requested."""
    candidate = place.candidate
    shown = _shown(query.text, candidate, post, layers[-1])  # its candidates include those of all layers before it
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
    """The candidate of the passage to show: usually the one that the post was found by.

    Title and tags are embedded with every passage, and dominate short comments. A comment without the query's words,
    under a title or tags with some of them, was found by these: then the post's own words are shown.
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
    """The first sentences of a post, at most _OPENING_LENGTH code points or one sentence; without a score."""
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
