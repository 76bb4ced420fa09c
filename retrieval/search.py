"""The read path on one page: query -> vector and terms -> candidates -> fused -> posts -> hits."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from retrieval.embedding import Embedder
from retrieval.errors import FixableError
from retrieval.fusion import dense_weight_unknown, fuse
from retrieval.highlight import highlight
from retrieval.language import detect_language, knows
from retrieval.live import LiveGeneration
from retrieval.store import Vectors
from retrieval.terms import TermWeigher
from retrieval.types import Candidate, Filters, Hit, Passage, Post, SearchPage, SearchQuery

_REMEMBERED_QUERIES = 2048


class Searcher:
    """Answers a SearchQuery from the live generation. Safe to call from several threads."""

    def __init__(
        self,
        live: LiveGeneration,
        embedder: Embedder,
        weigher: TermWeigher,
        *,
        dense_weight_known: float = 0.8,
        dense_weight_unknown: float = 0.5,
        candidates: int = 100,
    ) -> None:
        self._live, self._embedder, self._weigher = live, embedder, weigher
        self._known, self._unknown, self._candidates = dense_weight_known, dense_weight_unknown, candidates
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def search(self, query: SearchQuery) -> SearchPage:
        """The page of hits for a query, best first; no hits where the query is blank.

        Raises:
            IndexMissing, IndexMismatch, IndexLocked, StoreUnreachable: The index cannot be read.
        """
        language = detect_language(query.text)
        timings: dict[str, float] = {}
        clock = _Clock(timings)
        with self._live.pin() as generation:
            if not query.text.strip():
                return SearchPage(query, language, (), 0, generation.info.name, timings)
            vector = self.query_vector(query.text)
            terms = self._weigher.query(query.text)
            clock.lap("embed")
            wanted = max(self._candidates, query.offset + query.limit)
            candidates = generation.candidates(vector, terms, wanted, query.filters)
            clock.lap("candidates")
            fused = fuse(candidates, self.dense_weight(language, candidates))
            clock.lap("fuse")
            page = fused[query.offset : query.offset + query.limit]
            posts = generation.posts([candidate.post_id for _, candidate in page])
            hits = tuple(
                _hit(query.text, rank, score, candidate, posts[candidate.post_id])
                for rank, (score, candidate) in enumerate(page, start=query.offset + 1)
                if candidate.post_id in posts
            )
            clock.lap("posts")
            return SearchPage(query, language, hits, len(fused), generation.info.name, timings)

    def dense_weight(self, language: str, candidates: Sequence[Candidate]) -> float:
        """Share of the cosine for a query in this language: most where the embedder knows the language."""
        if knows(self._embedder.languages, language):
            return self._known
        return dense_weight_unknown(self._unknown, candidates)

    def rankings(self, text: str) -> dict[str, dict[str, float]]:
        """Score by post id, as "dense" and "lexical" rank alone and as "fused": for measuring one against the other."""
        with self._live.pin() as generation:
            terms = self._weigher.query(text)
            candidates = generation.candidates(self.query_vector(text), terms, self._candidates, Filters())
        weight = self.dense_weight(detect_language(text), candidates)
        lexical = [candidate for candidate in candidates if candidate.lexical > 0]
        fused = {"dense": fuse(candidates, 1.0), "lexical": fuse(lexical, 0.0), "fused": fuse(candidates, weight)}
        return {name: {one.post_id: score for score, one in ranking} for name, ranking in fused.items()}

    def query_vector(self, text: str) -> Vectors:
        """The query's vector; the last few thousand are remembered, since people repeat one another."""
        key = text.strip()
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        vector = self._embedder.embed_query(key)
        with self._lock:
            self._vectors[key] = vector
            if len(self._vectors) > _REMEMBERED_QUERIES:
                self._vectors.popitem(last=False)
        return vector

    def ping(self) -> FixableError | None:
        """What keeps searches from being answered now; None when nothing does."""
        try:
            with self._live.pin():
                return None
        except FixableError as error:
            return error


def _hit(query: str, rank: int, score: float, candidate: Candidate, post: Post) -> Hit:
    text = post.text if candidate.comment is None else post.comments[candidate.comment].text
    passage = Passage(
        post.id, candidate.ordinal, candidate.part, candidate.comment, candidate.start, candidate.end,
        text[candidate.start : candidate.end],
    )  # fmt: skip
    return Hit(
        rank, score, candidate.cosine, candidate.lexical, post, passage,
        tuple(highlight(query, text, candidate.start, candidate.end)),
        tuple(highlight(query, post.title)),
    )  # fmt: skip


class _Clock:
    """Writes the milliseconds since the last lap under each lap's name."""

    def __init__(self, laps: dict[str, float]) -> None:
        self._laps, self._last = laps, time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = round((now - self._last) * 1000, 3)
        self._last = now
