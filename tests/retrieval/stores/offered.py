"""Invented posts, filters and changes for the contract suite, and slow reference implementations of the contract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, PostStore, StoredPost
from retrieval.stores.payload import point_id
from retrieval.types import (
    Candidate,
    Comment,
    Filters,
    Identity,
    Image,
    Near,
    Passage,
    Place,
    Post,
    TermWeights,
    Vectors,
)

DIMENSION = 16
IDENTITY = Identity("Toy-Model.v2@53aa5117", DIMENSION)
DAY_0 = datetime(2024, 3, 1, 12, tzinfo=UTC)
AUTHORS, TAGS, LANGUAGES = ("Ana", "博主", "STRASSE", ""), ("Coffee", "咖啡", "日常", "Été"), ("en", "zh", "und")
# Dali, 260 km to Kunming, 1,900 km from there to Shanghai; both sides of the 180th meridian; one without coordinates.
PLACES = (
    Place("Dali", 25.6, 100.2), Place("somewhere"), Place("Kunming", 25.04, 102.71), Place("Shanghai", 31.23, 121.47),
    Place("Taveuni", -16.8, 179.98), Place("east of Taveuni", -16.8, -179.9), None,
)  # fmt: skip
# Few terms, so that queries and passages share some; from across the 32 bits to which terms are hashed.
TERMS = [int(term) for term in np.linspace(0, 2**32 - 1, 40)]
FILTERS = [
    Filters(),
    Filters(authors=("ana",)),
    Filters(authors=("ANA", "straße", "nobody")),
    Filters(tags=("COFFEE", "été")),
    Filters(tags=("咖啡",), languages=("zh", "en")),
    Filters(languages=("und",)),
    Filters(since=DAY_0 + timedelta(days=2)),
    Filters(until=DAY_0 + timedelta(days=2)),
    Filters(since=DAY_0 + timedelta(days=3), until=DAY_0 + timedelta(days=4)),
    Filters(min_likes=0),
    Filters(min_likes=7, authors=("博主", "")),
    Filters(tags=("nothing has this",)),
    Filters(max_likes=3),
    Filters(min_likes=2, max_likes=2),
    Filters(without_authors=("ana", "")),
    Filters(without_tags=("COFFEE",)),
    Filters(tags=("coffee",), without_tags=("咖啡", "été"), without_authors=("nobody",)),
    Filters(near=Near(25.6, 100.2, 1)),
    Filters(near=Near(25.6, 100.2, 300), min_likes=3),
    Filters(near=Near(-16.8, 180, 20), languages=("en",)),
    Filters(near=Near(0, 0, 20_038)),
    Filters(near=Near(80, 0, 10)),
]


def a_post(post_id: str, **fields: Any) -> Post:
    return Post(id=post_id, title="A title", text=f"text of {post_id}", **fields)


def full_post(post_id: str) -> Post:
    """A post with every field set."""
    return Post(
        id=post_id, title="咖啡 ☕", text="第一行\nsecond “line” 👩‍👩‍👧", author="Ana", tags=("Coffee", "咖啡"),
        language="zh", created_at=DAY_0 + timedelta(microseconds=123_456), likes=3, collects=4, comment_count=9,
        url="https://example.org/1", images=(Image("https://example.org/1.jpg", "a cup"), Image("x")),
        place=Place("大理", 25.6, 100.2), comments=(Comment("bo", "真的吗?", 2, DAY_0), Comment("", "yes")),
    )  # fmt: skip


def indexed(post: Post, seed: int, passages: int = 1, content_hash: str = "") -> IndexedPost:
    """The post with random vectors and terms; passages after the first are cut from its first comment, if any."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((passages, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cut = [_passage(post, ordinal) for ordinal in range(passages)]
    terms = tuple(_terms(random) for _ in range(passages))
    return IndexedPost(StoredPost(post, content_hash or f"hash of {post.id}"), tuple(cut), vectors, terms)


def some_posts(count: int, seed: int = 0) -> list[IndexedPost]:
    """Posts of 1 to 3 passages that differ in every field used by filters."""
    random = np.random.default_rng(seed)
    posts = []
    for number in range(count):
        post = a_post(
            f"post-{number}",
            author=AUTHORS[random.integers(len(AUTHORS))],
            tags=tuple(tag for tag in TAGS if random.random() < 0.4),
            language=LANGUAGES[random.integers(len(LANGUAGES))],
            created_at=None if random.random() < 0.2 else DAY_0 + timedelta(days=int(random.integers(10))),
            likes=int(random.integers(10)),
            place=PLACES[number % len(PLACES)],
            comments=(Comment("bo", "a comment"),),
        )
        posts.append(indexed(post, seed=1_000 * seed + number, passages=1 + number % 3))
    return posts


def recounted(one: IndexedPost, likes: int) -> IndexedPost:
    return replace(one, stored=StoredPost(replace(one.stored.post, likes=likes), f"{likes} likes"))


def changed(posts: list[IndexedPost]) -> tuple[Changes, list[IndexedPost]]:
    """Every kind of change to these posts, and the result."""
    shorter, longer = indexed(posts[1].stored.post, 71), indexed(a_post("post-3", likes=4), 72, passages=3)
    liked, fresh, doubled = (
        recounted(posts[2], 99),
        indexed(full_post("新的 1"), 73, passages=2),
        indexed(a_post("d"), 74),
    )
    unknown = recounted(indexed(a_post("unknown"), 75), 5).stored
    changes = Changes(
        upsert=[shorter, longer, fresh, indexed(a_post("d"), 76, passages=2), doubled],
        recount=[liked.stored, unknown],
        delete=["post-0", "post-5", "never there"],
    )
    return changes, [shorter, liked, longer, posts[4], *posts[6:], fresh, doubled]


def a_query(seed: int) -> tuple[Vectors, TermWeights]:
    random = np.random.default_rng(10_000 + seed)
    vector = random.standard_normal(DIMENSION).astype(np.float32)
    terms = random.choice(TERMS, size=5, replace=False)
    return vector / np.linalg.norm(vector), TermWeights(tuple(int(term) for term in terms), (1.0,) * 5)


def fill(store: PostStore, posts: Sequence[IndexedPost], identity: Identity = IDENTITY) -> GenerationInfo:
    """Write a generation and make it the current one."""
    writer = store.begin(identity)
    writer.upsert(posts)
    info = writer.finish()
    store.switch(info.name)
    return info


def brute_force(posts: Sequence[IndexedPost], vector: Vectors, terms: TermWeights, filters: Filters) -> list[Candidate]:
    """Every passage that satisfies the filters, with both scores by definition, in the promised order."""
    weights = [dict(zip(one.indices, one.values, strict=True)) for post in posts for one in post.terms]
    holding = {term: sum(term in passage for passage in weights) for term in terms.indices}
    idf = {term: math.log((len(weights) - n + 0.5) / (n + 0.5) + 1) for term, n in holding.items()}
    asked = dict(zip(terms.indices, terms.values, strict=True))
    found = []
    for post in posts:
        if not lets_through(filters, post.stored.post):
            continue
        for passage, row, held in zip(post.passages, post.vectors, post.terms, strict=True):
            shared = dict(zip(held.indices, held.values, strict=True))
            lexical = sum(idf[term] * asked[term] * shared[term] for term in asked.keys() & shared.keys())
            found.append(
                Candidate(
                    passage.post_id, passage.ordinal, passage.part, passage.comment, passage.start, passage.end,
                    float(row.astype(np.float64) @ vector), lexical,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (-one.cosine, one.post_id, one.ordinal))


def lets_through(filters: Filters, post: Post) -> bool:
    """The docstring of Filters, literally."""
    folded = {tag.casefold() for tag in post.tags}
    return (
        (not filters.authors or post.author.casefold() in {author.casefold() for author in filters.authors})
        and (not filters.tags or any(tag.casefold() in folded for tag in filters.tags))
        and (not filters.languages or post.language in filters.languages)
        and (filters.since is None or (post.created_at is not None and post.created_at >= filters.since))
        and (filters.until is None or (post.created_at is not None and post.created_at < filters.until))
        and (filters.min_likes is None or post.likes >= filters.min_likes)
        and (filters.max_likes is None or post.likes <= filters.max_likes)
        and post.author.casefold() not in {author.casefold() for author in filters.without_authors}
        and not folded & {tag.casefold() for tag in filters.without_tags}
        and (filters.near is None or _distance_km(filters.near, post.place) <= filters.near.radius_km)
    )


def newest_first(posts: Sequence[IndexedPost], filters: Filters) -> list[str]:
    """IDs of the posts that satisfy the filters, in the order that Generation.matching promises."""
    through = [one.stored.post for one in posts if lets_through(filters, one.stored.post)]

    def place(post: Post) -> tuple[bool, int, str]:
        moment = post.created_at
        return moment is None, 0 if moment is None else -math.floor(moment.timestamp()), point_id(post.id, 0)

    return [post.id for post in sorted(through, key=place)]


def _distance_km(near: Near, place: Place | None) -> float:
    """By the law of cosines, on a sphere; infinite without coordinates."""
    if place is None or place.latitude is None or place.longitude is None:
        return math.inf
    here, there = math.radians(near.latitude), math.radians(place.latitude)
    apart = math.radians(place.longitude - near.longitude)
    cosine = math.sin(here) * math.sin(there) + math.cos(here) * math.cos(there) * math.cos(apart)
    return 6_371.0 * math.acos(max(-1.0, min(1.0, cosine)))


def _passage(post: Post, ordinal: int) -> Passage:
    if ordinal == 0 or not post.comments:
        return Passage(post.id, ordinal, "text", None, 0, len(post.text), post.text)
    text = post.comments[0].text
    return Passage(post.id, ordinal, "comment", 0, ordinal, len(text), text[ordinal:])


def _terms(random: np.random.Generator) -> TermWeights:
    chosen = random.choice(TERMS, size=int(random.integers(1, 9)), replace=False)
    return TermWeights(
        tuple(int(term) for term in chosen), tuple(float(np.float32(w)) for w in random.random(len(chosen)))
    )
