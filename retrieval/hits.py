"""From the posts found to the hits of a page: what was found together, and how one of it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.arranging import Placed, explained
from retrieval.fusion import Scale
from retrieval.highlight import highlight
from retrieval.types import Candidate, Explanation, FoundBy, Hit, Passage, Post, SearchQuery


@dataclass(frozen=True, slots=True)
class Layer:
    """Posts found together: as they came, and in their order on the pages, with what explains their scores.

    Attributes:
        reranked: The order that a reranker gave to the first of them, as `arranging.reordered` takes it.
    """

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
    text = source_of(candidate, post)
    explanation = None
    if query.explain:
        explanation = next(layer for layer in layers if place in layer.order).explanation(place)
    return Hit(
        rank, place.score, candidate.cosine, candidate.lexical, post, passage_of(candidate, post),
        tuple(highlight(query.text, text, candidate.start, candidate.end)),
        tuple(highlight(query.text, post.title)),
        place.similar_ids,
        explanation,
    )  # fmt: skip


def passage_of(candidate: Candidate, post: Post) -> Passage:
    """The passage by which a post was found."""
    return Passage(
        post.id, candidate.ordinal, candidate.part, candidate.comment, candidate.start, candidate.end,
        source_of(candidate, post)[candidate.start : candidate.end],
    )  # fmt: skip


def source_of(candidate: Candidate, post: Post) -> str:
    """The text that the passage was cut from."""
    return post.text if candidate.comment is None else post.comments[candidate.comment].text
