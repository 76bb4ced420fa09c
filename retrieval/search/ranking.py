"""From posts found, best first, to the order of a page: reranked, boosted, sorted, copies folded, capped by author.
Pure.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from retrieval.search.fusion import Scale
from retrieval.stores.post_summary import PostSummary
from retrieval.text.near_copies import near_copies
from retrieval.types import Candidate, Explanation, FoundBy, Post, Sort

# Near copies are looked for among this many of the best; further down they bother nobody.
FOLDED_AMONG = 50
# Sorted by date or likes, posts that match less than this share of what the best does come last: the nearest vectors
# of a query are always brought, however far away they are. On the sample posts this keeps .90 of the posts that are of
# grade 2 and 3, and .65 of what it keeps is judged to be on the topic (of what .5 keeps .48, of .4 .33).
MATCHES_WELL = 0.6
# A post in another language that matches less than this share of what the best does need not be on the first page. Of
# unrelated posts the best of the other language has about a quarter.
MATCHES_ELSEWHERE = 0.35
# Posts of another language that are kept a place among those of an answer.
ELSEWHERE = 2
PAGE = 10  # hits of a page, where no other number is asked for
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Boosts:
    """How much freshness and popularity count; the match has the rest of 1.

    Attributes:
        freshness, popularity: Shares of the score, 0 and up, together less than 1.
        half_life_days: A post this much older than the newest one found counts half as fresh.
    """

    freshness: float = 0.0
    popularity: float = 0.0
    half_life_days: float = 180.0

    def __post_init__(self) -> None:
        if min(self.freshness, self.popularity) < 0 or self.freshness + self.popularity >= 1:
            raise ValueError(
                f"freshness {self.freshness} and popularity {self.popularity} must leave room for the match"
            )


class Placed(NamedTuple):
    """A post found, in its place on the pages. A search makes two hundred.

    Attributes:
        post: What is known without reading it.
        match: What its words and meaning count for, 0 to 1.
        reranked: What a reranker changed in the match, which already includes it; None if it was not asked.
        freshness, popularity: What these add.
        share: The match's share of the score: score == share * match + freshness + popularity.
        similar_ids: Near copies that are folded under it.
    """

    candidate: Candidate
    post: PostSummary
    match: float
    share: float = 1.0
    freshness: float = 0.0
    popularity: float = 0.0
    similar_ids: tuple[str, ...] = ()
    reranked: float | None = None

    @property
    def score(self) -> float:
        return self.share * self.match + self.freshness + self.popularity


def placed(found: Sequence[tuple[float, Candidate]], summaries: Mapping[str, PostSummary]) -> list[Placed]:
    """The posts found, in their order; one without a summary is left out."""
    return [Placed(one, summaries[one.post_id], score) for score, one in found if one.post_id in summaries]


def reordered(found: Sequence[Placed], order: Sequence[int]) -> list[Placed]:
    """The first posts in another order, the others after them unchanged.

    Each takes the match of the place that it moves to: matches still fall from post to post, and boosts weigh as much
    beside them as before.

    Args:
        order: Indices of the first posts, best first; those beyond `found` are skipped.
    """
    places = [place for place in dict.fromkeys(order) if place < len(found)]
    if sorted(places) != list(range(len(places))):
        return list(found)
    taken = [found[place].match for place in range(len(places))]
    first = [
        found[place]._replace(match=match, reranked=match - found[place].match)
        for place, match in zip(places, taken, strict=True)
    ]
    return [*first, *found[len(first) :]]


def boosted(found: Sequence[Placed], boosts: Boosts, now: datetime) -> list[Placed]:
    """With freshness and popularity added to each score, best first; ties in the given order.

    Freshness is 1 for the newest post found and halves with every `half_life_days` of age; popularity is 1 for the most
    liked one, by the logarithm of likes. Both compare only the posts found, so that an archive has fresh posts too.

    Args:
        now: No post counts as newer than this.
    """
    if not found or (boosts.freshness == 0 and boosts.popularity == 0):
        return list(found)
    ages = [_until(one.post.created_s, now.timestamp()) for one in found]
    newest = max((age for age in ages if age is not None), default=0.0)
    most_likes = max(one.post.likes for one in found)
    half_life_s = boosts.half_life_days * _DAY_S
    raised = [
        one._replace(
            share=1 - boosts.freshness - boosts.popularity,
            freshness=0.0 if age is None else boosts.freshness * 0.5 ** ((newest - age) / half_life_s),
            popularity=boosts.popularity * math.log1p(max(one.post.likes, 0)) / math.log1p(most_likes)
            if most_likes > 0
            else 0.0,
        )
        for one, age in zip(found, ages, strict=True)
    ]
    return sorted(raised, key=lambda one: -one.score)


def _until(created_s: float | None, now_s: float) -> float | None:
    return None if created_s is None else min(created_s, now_s)


def in_order(found: Sequence[Placed], sort: Sort) -> list[Placed]:
    """Newest or most liked first, those that match well before the others; ties, and "relevance", in the given order.

    A post without a date counts as the oldest.
    """
    if sort == "relevance":
        return list(found)
    enough = MATCHES_WELL * max((one.match for one in found), default=0.0)

    def place(one: Placed) -> tuple[bool, float]:
        if sort == "most_liked":
            return one.match < enough, -one.post.likes
        created_s = one.post.created_s
        return one.match < enough, math.inf if created_s is None else -created_s

    return sorted(found, key=place)


def copies_among(found: Sequence[Placed], posts: Mapping[str, Post]) -> set[tuple[str, str]]:
    """Pairs of IDs of near copies among the first FOLDED_AMONG posts, in both directions.

    Args:
        posts: Those posts; one that is missing is not a copy.
    """
    compared = [posts[one.post.post_id] for one in found[:FOLDED_AMONG] if one.post.post_id in posts]
    ids = {(compared[i].id, compared[j].id) for i, j in near_copies(compared)}
    return ids | {(second, first) for first, second in ids}


def folded(found: Sequence[Placed], copies: set[tuple[str, str]]) -> list[Placed]:
    """Each post under the first earlier post that it is a near copy of and that is not folded itself."""
    if not copies:
        return list(found)
    copied = {first for first, _ in copies}
    under: dict[str, list[str]] = {}
    for one in found:
        post_id = one.post.post_id
        above = next((first for first in under if (first, post_id) in copies), None) if post_id in copied else None
        if above is None:
            if post_id in copied:
                under[post_id] = []
        else:
            under[above].append(post_id)
    hidden = {post_id for ids in under.values() for post_id in ids}
    return [
        one._replace(similar_ids=tuple(under[one.post.post_id])) if under.get(one.post.post_id) else one
        for one in found
        if one.post.post_id not in hidden
    ]


def in_both_languages(order: Sequence[Placed], elsewhere: Collection[str]) -> list[Placed]:
    """The same order, in which the first page has a post in another language than the query's, if one matches.

    Cosines between languages are lower than those within one, and words are never shared: what matches best of another
    language may come after many posts that match less. So it is on the first page at least, in its last place, and
    keeps its own score there.

    Args:
        elsewhere: IDs of the posts in another language.
    """
    first, rest = order[:PAGE], order[PAGE:]
    if not rest or not elsewhere or any(one.post.post_id in elsewhere for one in first):
        return list(order)
    best = next((one for one in rest if one.post.post_id in elsewhere), None)
    if best is None or best.match < MATCHES_ELSEWHERE * max(one.match for one in order):
        return list(order)
    return [*first[:-1], best, first[-1], *(one for one in rest if one is not best)]


def for_answers(order: Sequence[Placed], most: int, elsewhere: Collection[str]) -> list[Placed]:
    """The posts that an answer may draw on: the first ones, and last the nearest of another language than the query's.

    Which of two languages says it is not known before it is read, and cosines between languages are lower than those
    within one: what is near in the other language may come after many posts that match more and say less.

    Args:
        most: How many.
        elsewhere: IDs of the posts in another language.
    """
    near = sorted((one for one in order if one.post.post_id in elsewhere), key=lambda one: -one.candidate.cosine)
    first = list(order[: max(0, most - ELSEWHERE)])
    others = [one for one in near[:ELSEWHERE] if one not in first]
    return [*first, *others, *(one for one in order[len(first) :] if one not in others)][:most]


def led_by(best: Sequence[Placed], order: Sequence[Placed]) -> list[Placed]:
    """The best posts, then the others in their order, without those that stand under one of the best."""
    there = {post_id for one in best for post_id in (one.post.post_id, *one.similar_ids)}
    return [*best, *(one for one in order if one.post.post_id not in there)]


_NEIGHBOURS = 9  # with the post itself a page of ten


def spread(found: Sequence[Placed], per_author: int, exempt: int = 0) -> list[Placed]:
    """In the same order, except that a post waits while `per_author` of its author's are among the nine before it, as
    long as another post can take its place. None is left out.

    Posts of unknown authors never wait. Nor does any where one author wrote most of what was found: an archive of one
    person has nobody else to show.

    Args:
        per_author: 0 changes nothing.
        exempt: So many of the first posts keep their places; they count for their authors.
    """
    wrote = Counter(one.post.author for one in found if one.post.author)
    if per_author <= 0 or not wrote or max(wrote.values()) > len(found) / 2:
        return list(found)
    order = list(found[:exempt])
    waiting: dict[int, deque[tuple[int, Placed]]] = {}

    def next_one(*, anyone: bool) -> deque[tuple[int, Placed]] | None:
        recent = Counter(one.post.author for one in order[-_NEIGHBOURS:])
        heads = [line for author, line in waiting.items() if anyone or not author or recent[author] < per_author]
        return min(heads, key=lambda line: line[0][0], default=None)

    def let_in(*, anyone: bool) -> None:
        while waiting and (line := next_one(anyone=False) or (next_one(anyone=True) if anyone else None)) is not None:
            _, one = line.popleft()
            order.append(one)
            if not line:
                del waiting[one.post.author]

    for at, one in enumerate(found[exempt:]):
        waiting.setdefault(one.post.author, deque()).append((at, one))
        let_in(anyone=False)
    let_in(anyone=True)
    return order


def explained(one: Placed, scale: Scale | None, found_by: FoundBy) -> Explanation:
    """The parts of a post's score; they sum to it.

    Args:
        scale: None if there was nothing to match.
    """
    dense = 0.0 if scale is None else one.share * scale.dense(one.candidate)
    lexical = 0.0 if scale is None else one.share * scale.lexical(one.candidate)
    weight = 0.0 if scale is None else scale.dense_weight
    reranked = one.reranked is not None
    moved = one.share * one.reranked if one.reranked is not None else 0.0
    return Explanation(found_by, weight, dense, lexical, one.freshness, one.popularity, reranked, moved)


def finders(candidates: Sequence[Candidate], limit: int) -> dict[tuple[str, int], FoundBy]:
    """Which side found each passage, by post ID and ordinal: the `limit` best of each side."""
    dense = sorted(candidates, key=lambda one: -one.cosine)[:limit]
    lexical = sorted((one for one in candidates if one.lexical > 0), key=lambda one: -one.lexical)[:limit]
    found: dict[tuple[str, int], FoundBy] = {(one.post_id, one.ordinal): "dense" for one in dense}
    for one in lexical:
        key = (one.post_id, one.ordinal)
        found[key] = "both" if key in found else "lexical"
    for one in candidates:  # looked for besides, in another language: by its cosine
        found.setdefault((one.post_id, one.ordinal), "dense")
    return found
