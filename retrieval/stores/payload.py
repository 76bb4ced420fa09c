"""How posts and passages are stored: the payload of a point, and the post as JSON. Shared by both stores."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import orjson

from retrieval.text.folding import fold
from retrieval.types import Filters, Passage, Post

DENSE, TERMS = "dense", "terms"
# Payload fields used by filters, with the kind of index that each needs.
FILTERED = {
    "author": "keyword",
    "tags": "keyword",
    "language": "keyword",
    "created_at": "integer",
    "likes": "integer",
    "place": "geo",
}
# Payload fields of a candidate.
FOUND = ["post_id", "ordinal", "part", "comment", "start", "end"]
# Payload fields that decide a post's place, on a server; `created_s` is there only where `created_at` is not exact.
SUMMED_UP = ["author", "likes", "created_at", "created_s", "language"]
_NAMESPACE = uuid.UUID("5b1c2f3e-8f0e-5c2b-9a57-2d6f5f1c7a10")


def point_id(post_id: str, ordinal: int) -> str:
    """The same passage has the same point in every generation."""
    return str(uuid.uuid5(_NAMESPACE, f"{post_id}#{ordinal}"))


def point_number(post_id: str, ordinal: int) -> int:
    """`point_id` for the embedded store, where making a UUID for each passage found takes as long as finding it: its
    first 64 bits, which sort the same. 60 of them come from the hash: among ten million passages the chance that two
    collide is 1 in 20,000.
    """
    return uuid.uuid5(_NAMESPACE, f"{post_id}#{ordinal}").int >> 64


def name_key(name: str) -> str:
    """One form for names of authors and tags that readers consider the same: case, width, 臺北 and 台北."""
    return fold(name).casefold().strip()


def passage_payload(post: Post, passage: Passage) -> dict[str, Any]:
    """What filters and candidates need of a passage."""
    payload: dict[str, Any] = {
        "post_id": post.id,
        "ordinal": passage.ordinal,
        "part": passage.part,
        "comment": passage.comment,
        "start": passage.start,
        "end": passage.end,
        "author": name_key(post.author),
        "tags": [name_key(tag) for tag in post.tags],
        "language": post.language,
        "likes": post.likes,
    }
    if post.created_at is not None:
        payload["created_at"] = math.floor(post.created_at.timestamp())
    place = post.place
    if place is not None and place.latitude is not None and place.longitude is not None:
        payload["place"] = {"lat": place.latitude, "lon": place.longitude}
    return payload


def counter_payload(post: Post) -> dict[str, Any]:
    """The part of `passage_payload` that changes with a post's counters."""
    return {"likes": post.likes}


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The field has none of these values, or is missing."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The field exists and is in [at_least, below); None leaves that side open."""

    field: str
    at_least: float | None
    below: float | None


@dataclass(frozen=True, slots=True)
class Within:
    """The field exists and is a point in this circle."""

    field: str
    latitude: float
    longitude: float
    radius_m: float


Condition: TypeAlias = AnyOf | NoneOf | Between | Within


def conditions(filters: Filters) -> list[Condition]:
    """What a point's payload must satisfy, all of it; times are stored, and therefore compared, to the second.

    >>> conditions(Filters(authors=("Ana",), min_likes=3))
    [AnyOf(field='author', values=('ana',)), Between(field='likes', at_least=3.0, below=None)]
    """
    asked: list[Condition] = []
    for field, names in (("author", filters.authors), ("tags", filters.tags)):
        if names:
            asked.append(AnyOf(field, tuple(map(name_key, names))))
    for field, names in (("author", filters.without_authors), ("tags", filters.without_tags)):
        if names:
            asked.append(NoneOf(field, tuple(map(name_key, names))))
    if filters.languages:
        asked.append(AnyOf("language", filters.languages))
    if filters.since is not None or filters.until is not None:
        since = None if filters.since is None else float(math.floor(filters.since.timestamp()))
        until = None if filters.until is None else float(math.ceil(filters.until.timestamp()))
        asked.append(Between("created_at", since, until))
    if filters.min_likes is not None or filters.max_likes is not None:
        least = None if filters.min_likes is None else float(filters.min_likes)
        asked.append(Between("likes", least, None if filters.max_likes is None else filters.max_likes + 1.0))
    if filters.near is not None:
        near = filters.near
        asked.append(Within("place", near.latitude, near.longitude, near.radius_km * 1_000))
    return asked


def post_to_json(post: Post) -> bytes:
    return orjson.dumps(post)


def post_from_json(data: bytes | str) -> Post:
    """What `post_to_json` wrote."""
    return _POST.decode(data)


# A search reads two hundred posts: with orjson and Python it would take three times as long.
_POST = msgspec.json.Decoder(Post)
