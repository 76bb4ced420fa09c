"""One embedded generation, open for reading and changing."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import qdrant_edge as qdrant

from retrieval.disk import naming_folder_trouble
from retrieval.errors import FixableError, IndexLocked
from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, Reached
from retrieval.stores.edge.columns import Columns
from retrieval.stores.edge.manifest import rebuilding
from retrieval.stores.edge.page_cache import warm
from retrieval.stores.edge.post_catalog import Catalog
from retrieval.stores.edge.post_catalog_changes import CatalogChanger
from retrieval.stores.edge.shard import (
    all_slices,
    count_points,
    delete_points,
    read_points,
    recount_points,
    shard_filter,
    slices_of,
    sparse_vector,
    upsert_points,
)
from retrieval.stores.hybrid_search import Side, SideQuery, gather_scored, in_order
from retrieval.stores.newest_posts import ORDER_FIELDS, Listing, newest_first
from retrieval.stores.payload import DENSE, TERMS
from retrieval.stores.post_summary import PostSummary, summary_of
from retrieval.stores.transfer import indexed_post
from retrieval.text.near_copies import sketches
from retrieval.types import Candidate, Filters, Post, TermWeights, Vectors

CATALOG, SHARD = "posts.sqlite", "edge"
_OPEN, _CHANGING = "open.lock", "changing.lock"
# Most changed posts beside the columns, at ten times the memory, until a `settle` merges them.
_MOST_FRESH = 20_000
# One and a half times as many as are wanted are scored by the full vectors: of the 100 nearest, one byte per dimension
# alone misplaces one or two (docs/decisions/0019-bytes-for-the-graph.md).
_SCORED_BY_THEMSELVES = qdrant.QuantizationSearchParams(rescore=True, oversampling=1.5)
_EXACTLY = qdrant.SearchParams(exact=True, quantization=qdrant.QuantizationSearchParams(ignore=True))


class EdgeGeneration:
    """A finished generation, open in this process alone. Threads may search and `change` it at once; but Qdrant Edge
    holds Python's lock while it searches (half a millisecond) and while it writes its files, and others wait that long.

    Raises:
        IndexLocked: It is open already, in another process or in this one.
        FixableError: It is damaged, or cannot be read.
    """

    def __init__(self, folder: Path, info: GenerationInfo) -> None:
        self._folder, self._info = folder, info
        self._closing, self._changing = Lock(), Lock()
        with naming_folder_trouble(folder, rebuilding(folder)), contextlib.ExitStack() as opened:
            # The shard has no log of its own, and without one Qdrant Edge locks nothing.
            lock = opened.enter_context((folder / _OPEN).open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                problem = f"the index {info.name} is open in another process"
                raise IndexLocked(problem, "ask that process over HTTP, or stop it first") from None
            self._catalog = Catalog(folder / CATALOG)
            opened.callback(self._catalog.close)
            self._shard = qdrant.EdgeShard.load(str(folder / SHARD))
            opened.callback(self._shard.close)
            # A shard without its files opens as an empty one.
            points, held = count_points(self._shard), self._catalog.state()
            if (held.settled and points != held.passages) or (held.passages and not points):
                problem = f"{folder} is damaged: it holds {points:,} of {held.passages:,} passages"
                raise FixableError(problem, rebuilding(folder))
            self._seen = self._catalog.version()
            self._columns = self._read_columns()
            self._changer = CatalogChanger(folder / CATALOG)
            opened.callback(self._changer.close)
            self._opened = opened.pop_all()

    @property
    def info(self) -> GenerationInfo:
        return self._info

    def candidates(
        self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters, *, alone: Sequence[Side] = ()
    ) -> list[Candidate]:
        nearest = {
            DENSE: qdrant.Query.Nearest(vector.tolist(), using=DENSE),
            TERMS: qdrant.Query.Nearest(sparse_vector(terms), using=TERMS),
        }
        let_through = shard_filter(filters)

        def request(query: SideQuery) -> qdrant.QueryRequest:
            only: Any = query.among
            best = qdrant.SearchParams(hnsw_ef=query.hnsw_ef, quantization=_SCORED_BY_THEMSELVES)
            return qdrant.QueryRequest(
                limit=query.limit,
                query=nearest[query.side],
                filter=let_through if only is None else qdrant.Filter(must=[qdrant.HasIdCondition(only)]),
                params=best if only is None else _EXACTLY,
                with_payload=False,  # the columns have the payload
            )

        def ask(queries: Sequence[SideQuery]) -> list[list[tuple[int, float]]]:
            answers = self._shard.query_batch(qdrant.QueryBatchRequest([request(query) for query in queries]))
            return [[(one.id, one.score) for one in answer] for answer in answers]  # type: ignore[misc]  # ours are int

        found = gather_scored(ask, limit, with_terms=bool(terms.indices), alone=alone)
        return in_order(self._columns.candidates(*found))

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        first_passage = qdrant.FieldCondition("ordinal", match=qdrant.MatchValue(0))

        def listed(listing: Listing) -> list[dict[str, Any]]:
            moment, order = listing.moment, None
            only: list[Any] = [first_passage]
            if moment == "newest":
                order = qdrant.OrderBy("created_at", direction=qdrant.Direction.Desc)
            elif moment == "undated":
                only = [first_passage, qdrant.IsEmptyCondition("created_at")]
            else:
                only = [first_passage, qdrant.FieldCondition("created_at", match=qdrant.MatchValue(moment))]
            request = qdrant.ScrollRequest(
                limit=listing.limit, filter=shard_filter(filters, only), with_payload=ORDER_FIELDS, order_by=order
            )
            return [point.payload or {} for point in self._shard.scroll(request)[0]]

        return newest_first(listed, limit, offset)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        return self._catalog.posts(ids)

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        found = self._columns.summaries(ids)
        if self._catalog.version() == self._seen:
            return found
        there = self._catalog.hashes(list(found))  # another process wiped posts
        return {post_id: summary for post_id, summary in found.items() if post_id in there}

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        return self._columns.may_be_copies(ids)

    def change(self, changes: Changes) -> None:
        latest = {one.stored.post.id: one for one in changes.upsert}  # the last of several with one ID counts
        with naming_folder_trouble(self._folder, rebuilding(self._folder)), self._changing, changing(self._folder):
            alone = self._catalog.version() == self._seen
            # A post's words are deleted first, then its passages.
            gone = self._changer.delete(changes.delete)
            self._columns.drop(changes.delete)
            delete_points(self._shard, gone)
            before = self._changer.put([(one.stored, len(one.passages)) for one in latest.values()])
            upsert_points(self._shard, list(latest.values()), before)
            sketched = sketches([one.stored.post for one in latest.values()])
            for one, sketch in zip(latest.values(), sketched, strict=True):
                self._columns.put(summary_of(one.stored.post), slices_of(one), sketch.tobytes())
            recount_points(self._shard, changes.recount, self._changer.recount(changes.recount))
            for stored in changes.recount:
                self._columns.recount(summary_of(stored.post))
            if alone:  # nobody else changes it meanwhile
                self._seen = self._catalog.version()
            held = self._catalog.state()
            self._info = replace(self._info, posts=held.posts, passages=held.passages)

    def settle(self, reached: Reached) -> None:
        with naming_folder_trouble(self._folder, rebuilding(self._folder)), self._changing, changing(self._folder):
            alone = self._catalog.version() == self._seen
            self._changer.empty_log()  # before the shard is written: how many passages it may contain must be known
            self._shard.flush()
            self._changer.settle(reached)
            self._seen = self._catalog.version()
            # What others wiped meanwhile is removed from the columns, and changed posts are merged into them.
            if not alone or self._columns.fresh > _MOST_FRESH:
                self._columns = self._read_columns()

    def reached(self) -> Reached:
        return self._catalog.reached()

    def ids(self) -> Iterator[str]:
        return self._catalog.stored_ids()

    def hashes(self, ids: Sequence[str]) -> dict[str, str]:
        return self._catalog.hashes(ids)

    def indexed_posts(self, ids: Sequence[str]) -> dict[str, IndexedPost]:
        with naming_folder_trouble(self._folder, rebuilding(self._folder)):
            stored = self._catalog.stored(ids)
            points = read_points(self._shard, {key: passages for key, (_, passages) in stored.items()})
        whole = {key: indexed_post(one, count, points.get(key, {})) for key, (one, count) in stored.items()}
        return {key: post for key, post in whole.items() if post is not None}

    def _read_columns(self) -> Columns:
        """About a second for 100,000 posts."""
        posts = ((summary_of(post), sketch) for post, sketch in self._catalog.sketched_posts())
        return Columns(posts, all_slices(self._shard))

    def one_search(self) -> EdgeGeneration:
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
        # Of the shard's files searches read the graph and the vectors; the catalog was read on opening.
        warm((self._folder / SHARD).resolve(), f"vector_*-{DENSE}/*")

    def close(self) -> None:
        with self._closing:
            self._opened.close()


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Held while a finished generation is changed or copied; waits until it is free."""
    with (folder / _CHANGING).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
