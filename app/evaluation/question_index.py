"""A few posts as an in-memory generation of their own, for a question that may be answered from them alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from retrieval.stores.contract import Generation, GenerationInfo, IndexedPost
from retrieval.stores.hybrid_search import Side
from retrieval.stores.post_summary import PostSummary, summary_of
from retrieval.types import Candidate, Filters, Identity, Passage, Post, TermWeights, Vectors


class OwnPosts:
    """Searches a few posts as a store's generation searches many: exact cosine, and BM25 with the idf of these posts'
    passages. Opens itself, so that LiveGeneration can hand it to a Searcher.

    Args:
        posts: At least one; each id once.
    """

    def __init__(self, posts: Sequence[IndexedPost], identity: Identity) -> None:
        self._posts = {indexed.stored.post.id: indexed.stored.post for indexed in posts}
        self._passages: list[Passage] = [passage for indexed in posts for passage in indexed.passages]
        self._terms = [
            dict(zip(terms.indices, terms.values, strict=True)) for indexed in posts for terms in indexed.terms
        ]
        self._vectors = np.concatenate([indexed.vectors for indexed in posts])
        self._frequency = Counter(index for terms in self._terms for index in terms)
        name = "own-posts"
        self._info = GenerationInfo(name, identity, datetime.now(UTC), len(self._posts), len(self._passages))

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def current(self) -> str:
        return self._info.name

    def open(self, expected: Identity) -> Generation:
        assert expected == self._info.identity, "these posts were embedded by another model"
        return self

    def candidates(
        self,
        vector: Vectors,
        terms: TermWeights,
        limit: int,
        filters: Filters,
        *,
        alone: Sequence[Side] = (),  # noqa: ARG002  # both are at hand
    ) -> list[Candidate]:
        """See Generation.candidates. Judged questions have no filters; a search itself may look in one language."""
        assert replace(filters, languages=()).is_empty(), "judged questions have no filters but a search's own"
        cosines = self._vectors @ vector
        asked = {index: self._idf(index) * weight for index, weight in zip(terms.indices, terms.values, strict=True)}
        found = [
            Candidate(
                one.post_id, one.ordinal, one.part, one.comment, one.start, one.end, float(cosine),
                sum(weight * own[index] for index, weight in asked.items() if index in own),
            )
            for one, cosine, own in zip(self._passages, cosines, self._terms, strict=True)
            if not filters.languages or self._posts[one.post_id].language in filters.languages
        ]  # fmt: skip
        dense = sorted(found, key=lambda one: -one.cosine)[:limit]
        lexical = sorted((one for one in found if one.lexical > 0), key=lambda one: -one.lexical)[:limit]
        return list({(one.post_id, one.ordinal): one for one in [*dense, *lexical]}.values())

    def _idf(self, index: int) -> float:
        """As Qdrant's `idf` modifier counts it."""
        having, all_of_them = self._frequency[index], len(self._passages)
        return math.log((all_of_them - having + 0.5) / (having + 0.5) + 1)

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        assert filters.is_empty(), "judged questions have no filters"
        return list(self._posts)[offset : offset + limit]

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        return {post_id: self._posts[post_id] for post_id in ids if post_id in self._posts}

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        return {post_id: summary_of(post) for post_id, post in self.posts(ids).items()}

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        return ids

    def one_search(self) -> OwnPosts:
        return self

    def prepare(
        self,
        vector: Vectors | None,
        terms: TermWeights,
        asked: Sequence[tuple[int, Filters]],
        posts: Sequence[str] = (),
    ) -> None:
        """Does nothing: asking costs nothing."""

    def warm(self) -> None:
        """Everything is in memory."""

    def close(self) -> None:
        """Nothing is open."""
