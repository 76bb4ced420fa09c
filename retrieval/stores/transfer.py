"""Posts as stored in one store, to be written to another unchanged: nothing is cut, embedded or weighed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from retrieval.stores.contract import GenerationInfo, IndexedPost, Reached, StoredPost
from retrieval.types import Passage, Post, TermWeights

TRANSFER_BATCH = 256


class SourceGeneration(Protocol):
    """A finished generation that is read completely."""

    @property
    def info(self) -> GenerationInfo: ...

    def ids(self) -> Iterator[str]:
        """Every post ID, in bounded memory, in the same order each time."""
        ...

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """Content hash by ID; an ID that is not there is left out."""
        ...

    def indexed_posts(self, ids: Sequence[str]) -> dict[str, IndexedPost]:
        """Posts with their passages, vectors and terms; one that is missing or incomplete is left out."""
        ...

    def reached(self) -> Reached: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """One passage as stored; `vector` is the dense one."""

    payload: Mapping[str, Any]
    vector: Sequence[float]
    terms: TermWeights


def indexed_post(stored: StoredPost, passages: int, points: Mapping[int, StoredPoint]) -> IndexedPost | None:
    """The post of these points, given by ordinal; None if one is missing."""
    if passages < 1 or any(ordinal not in points for ordinal in range(passages)):
        return None
    ordered = [points[ordinal] for ordinal in range(passages)]
    return IndexedPost(
        stored,
        tuple(_passage(stored.post, point.payload) for point in ordered),
        np.array([point.vector for point in ordered], dtype=np.float32),
        tuple(point.terms for point in ordered),
    )


def _passage(post: Post, payload: Mapping[str, Any]) -> Passage:
    comment, start, end = payload["comment"], payload["start"], payload["end"]
    text = post.text if comment is None else post.comments[comment].text if comment < len(post.comments) else ""
    return Passage(post.id, payload["ordinal"], payload["part"], comment, start, end, text[start:end])
