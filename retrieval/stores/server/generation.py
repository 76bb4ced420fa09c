"""One generation on a Qdrant server, open for reading and changing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from qdrant_client import models

from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, Reached
from retrieval.stores.generations import info_fields, reached_field, reached_from_fields
from retrieval.stores.hybrid_search import Side
from retrieval.stores.newest_posts import ORDER_FIELDS, Listing, newest_first
from retrieval.stores.payload import point_id
from retrieval.stores.post_summary import PostSummary
from retrieval.stores.server.calls import ServerCalls
from retrieval.stores.server.filters import qdrant_filter
from retrieval.stores.server.layout import Layout
from retrieval.stores.server.one_search import OneSearch
from retrieval.stores.server.points import FIRST_PASSAGE, ServerPoints
from retrieval.stores.server.writer import update_metadata
from retrieval.types import Candidate, Filters, Post, TermWeights, Vectors


class ServerGeneration:
    """A finished generation, addressed by its collection and not by the alias, so that a switch does not affect it."""

    def __init__(
        self, calls: ServerCalls, collection: str, info: GenerationInfo, layout: Layout, shards: int = 1
    ) -> None:
        self._shards = shards
        self._calls, self._collection, self._info, self._layout = calls, collection, info, layout
        self._points, self._changing = ServerPoints(calls, collection), Lock()

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def candidates(
        self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters, *, alone: Sequence[Side] = ()
    ) -> list[Candidate]:
        return self.one_search().candidates(vector, terms, limit, filters, alone=alone)

    def one_search(self) -> OneSearch:
        return OneSearch(self._calls, self._collection, self._info, self._layout, self._shards, self)

    def prepare(
        self,
        vector: Vectors | None,
        terms: TermWeights,
        asked: Sequence[tuple[int, Filters]],
        posts: Sequence[str] = (),
    ) -> None:
        """Does nothing: what is read is kept for one search alone."""

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        def listed(listing: Listing) -> list[dict[str, Any]]:
            moment, order = listing.moment, None
            only: list[models.Condition] = [FIRST_PASSAGE]
            if moment == "newest":
                order = models.OrderBy(key="created_at", direction=models.Direction.DESC)
            elif moment == "undated":
                only.append(models.IsEmptyCondition(is_empty=models.PayloadField(key="created_at")))
            else:
                only.append(models.FieldCondition(key="created_at", match=models.MatchValue(value=moment)))
            points, _ = self._calls.ask(
                lambda client: client.scroll(
                    self._collection, scroll_filter=qdrant_filter(filters, only), limit=listing.limit, order_by=order,
                    with_payload=ORDER_FIELDS,
                )
            )  # fmt: skip
            return [point.payload or {} for point in points]

        return newest_first(listed, limit, offset)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        return self.one_search().posts(ids)

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        return self.one_search().summaries(ids)

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        return ids

    def change(self, changes: Changes) -> None:
        with self._changing:
            posts, passages = self._points.change(changes)
            info = self._info
            # Counting on the server reads all posts, so only the rare deletions do it: `wipe`, which deletes from every
            # generation, may have deleted the post before.
            held = self._points.count() if changes.delete else (info.posts + posts, info.passages + passages)
            self._info = replace(info, posts=held[0], passages=held[1])

    def settle(self, reached: Reached) -> None:
        # Each write was durable when the server answered.
        with self._changing:
            posts, passages = self._points.counted((self._info.posts, self._info.passages))
            self._info = replace(self._info, posts=posts, passages=passages)
        update_metadata(
            self._calls, self._collection, info_fields(self._info) | reached_field({**self.reached(), **reached})
        )

    def reached(self) -> Reached:
        read = self._calls.read(lambda client: client.get_collection(self._collection)).config.metadata or {}
        return reached_from_fields(self._calls.recent.metadata(self._collection, read))

    def ids(self) -> Iterator[str]:
        for payload in self._points.first_passages(["post_id"]):
            yield payload["post_id"]

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        first_passages = [point_id(post_id, 0) for post_id in ids]
        payloads = self._calls.payloads(self._collection, first_passages, ["post_id", "content_hash"])
        return {payload["post_id"]: payload["content_hash"] for payload in payloads}

    def indexed_posts(self, ids: Sequence[str]) -> dict[str, IndexedPost]:
        return self._points.whole(ids)

    def warm(self) -> None:
        """Does nothing: the files are the server's."""

    def close(self) -> None:
        """Does nothing: the connection belongs to the store."""
