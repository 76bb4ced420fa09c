"""The read path on one page: query -> vector and terms -> candidates -> fused -> posts -> hits."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

from retrieval.arranging import (
    Boosts,
    Placed,
    boosted,
    capped,
    copies_among,
    explained,
    finders,
    folded,
    in_order,
    placed,
)
from retrieval.cursor import LARGEST_POSITION, read_cursor, write_cursor
from retrieval.embedding import Embedder
from retrieval.errors import FixableError
from retrieval.facets import count_facets
from retrieval.fusion import Scale, dense_weight_unknown, fuse
from retrieval.gathering import gather, newest
from retrieval.highlight import highlight
from retrieval.language import detect_language, knows
from retrieval.live import LiveGeneration
from retrieval.store import Generation, Vectors
from retrieval.terms import TermWeigher
from retrieval.types import Candidate, Explanation, Filters, FoundBy, Hit, Passage, SearchPage, SearchQuery

_REMEMBERED_QUERIES = 2048
# Each layer of candidates fetches so many times as many passages as the one before; reading the posts of the deepest
# takes a tenth of a second.
_DEEPER, _DEEPEST = 4, 1_600


class Searcher:
    """Answers a SearchQuery from the live generation. Safe to call from several threads."""

    def __init__(
        self,
        live: LiveGeneration,
        embedder: Embedder,
        weigher: TermWeigher,
        *,
        dense_weight_known: float = 0.8,
        dense_weight_unknown: float = 0.8,
        candidates: int = 100,
        boosts: Boosts = Boosts(),  # noqa: B008  # frozen
    ) -> None:
        self._live, self._embedder, self._weigher = live, embedder, weigher
        self._known, self._unknown, self._candidates = dense_weight_known, dense_weight_unknown, candidates
        self._boosts = boosts
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def search(self, query: SearchQuery) -> SearchPage:
        """The page of hits for a query, best first.

        A blank query with filters finds the newest posts that satisfy them; without filters, none.

        Raises:
            IndexMissing, IndexMismatch, IndexLocked, StoreUnreachable: The index cannot be read.
            BadCursorError: The query's cursor was changed, or is of another query or generation.
        """
        language = detect_language(query.text)
        timings: dict[str, float] = {}
        clock = _Clock(timings)
        with self._live.pin() as generation:
            name = generation.info.name
            start = read_cursor(query.cursor, query, name) if query.cursor else query.offset
            asked = replace(query, offset=start)
            if not query.text.strip():  # filters alone ask for all posts that satisfy them
                asked = replace(asked, per_author=0, fold=False)
            if not query.text.strip() and query.filters.is_empty():
                return SearchPage(query, language, (), 0, name, timings)
            layers = self._layers(generation, asked, language, clock)
            order = [place for layer in layers for place in layer.order]
            order = capped(order, 0 if query.filters.authors else asked.per_author)
            clock.lap("arrange")
            end = start + query.limit
            hits = tuple(
                _hit(asked, rank, place, layers) for rank, place in enumerate(order[start:end], start=start + 1)
            )
            clock.lap("posts")
            more = end < len(order) and end <= LARGEST_POSITION
            return SearchPage(
                query,
                language,
                hits,
                len(order),
                name,
                timings,
                count_facets([place.post for place in layers[0].found], query.facets),
                write_cursor(query, name, end) if more else "",
            )

    def _layers(self, generation: Generation, query: SearchQuery, language: str, clock: _Clock) -> list[_Layer]:
        """The posts found, in layers: the candidates that a search brings first, and while these do not fill the page,
        what it finds besides when it fetches more. What a layer holds depends on no page, so that pages fit together.
        """
        vector = self.query_vector(query.text) if query.text.strip() else None
        terms = self._weigher.query(query.text)
        clock.lap("embed")
        enough = query.offset + query.limit + 1  # one more tells that there is a next page
        layers: list[_Layer] = []
        seen: set[str] = set()
        depth = self._candidates
        while True:
            scale: Scale | None = None
            if vector is not None:
                candidates, more = gather(generation, vector, terms, depth, query.filters)
                clock.lap("candidates")
                weight = self.dense_weight(language, candidates)
                fused, scale = fuse(candidates, weight), Scale.of(candidates, weight)
                clock.lap("fuse")
            else:
                candidates, more = newest(generation, depth, query.filters)
                fused = [(0.0, candidate) for candidate in candidates]
                clock.lap("candidates")
            fresh = [(score, one) for score, one in fused if one.post_id not in seen]
            seen.update(one.post_id for _, one in fresh)
            found = placed(fresh, generation.posts([one.post_id for _, one in fresh]))
            clock.lap("posts")
            layers.append(self._arranged(generation, query, found, scale, candidates, depth, first=not layers))
            clock.lap("arrange")
            shown = capped(
                [place for layer in layers for place in layer.order], 0 if query.filters.authors else query.per_author
            )
            exhausted = depth >= generation.info.passages or not more
            if len(shown) >= enough or exhausted or depth >= _DEEPEST:
                return layers
            depth = min(depth * _DEEPER, _DEEPEST)

    def _arranged(
        self,
        generation: Generation,
        query: SearchQuery,
        found: list[Placed],
        scale: Scale | None,
        candidates: Sequence[Candidate],
        depth: int,
        *,
        first: bool,
    ) -> _Layer:
        order = boosted(found, self._boosts, generation.info.created_at) if query.boosts else found
        copies = copies_among(found) if query.fold and first else set()
        order = folded(in_order(order, query.sort), copies)
        sides = finders(candidates, depth) if query.explain and scale is not None else {}
        return _Layer(found, order, scale, sides)

    def dense_weight(self, language: str, candidates: Sequence[Candidate]) -> float:
        """Share of the cosine for a query in this language: most where the embedder knows the language."""
        if knows(self._embedder.languages, language):
            return self._known
        return dense_weight_unknown(self._unknown, candidates)

    def candidates(self, text: str) -> list[Candidate]:
        """What a search for this text would fuse."""
        with self._live.pin() as generation:
            terms = self._weigher.query(text)
            return generation.candidates(self.query_vector(text), terms, self._candidates, Filters())

    def rankings(self, text: str) -> dict[str, dict[str, float]]:
        """Score by post id, as "dense" and "lexical" rank alone and as "fused": for measuring one against the other."""
        candidates = self.candidates(text)
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


@dataclass(frozen=True, slots=True)
class _Layer:
    """Posts found together: as they came, and in their order on the pages, with what explains their scores."""

    found: list[Placed]
    order: list[Placed]
    scale: Scale | None
    sides: dict[tuple[str, int], FoundBy]

    def explanation(self, one: Placed) -> Explanation:
        found_by = self.sides.get((one.candidate.post_id, one.candidate.ordinal), "filters")
        return explained(one, self.scale, found_by)


def _hit(query: SearchQuery, rank: int, place: Placed, layers: Sequence[_Layer]) -> Hit:
    candidate, post = place.candidate, place.post
    text = post.text if candidate.comment is None else post.comments[candidate.comment].text
    passage = Passage(
        post.id, candidate.ordinal, candidate.part, candidate.comment, candidate.start, candidate.end,
        text[candidate.start : candidate.end],
    )  # fmt: skip
    explanation = None
    if query.explain:
        explanation = next(layer for layer in layers if place in layer.order).explanation(place)
    return Hit(
        rank, place.score, candidate.cosine, candidate.lexical, post, passage,
        tuple(highlight(query.text, text, candidate.start, candidate.end)),
        tuple(highlight(query.text, post.title)),
        place.similar_ids,
        explanation,
    )  # fmt: skip


class _Clock:
    """Adds the milliseconds since the last lap to what stands under each lap's name."""

    def __init__(self, laps: dict[str, float]) -> None:
        self._laps, self._last = laps, time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = round(self._laps.get(name, 0.0) + (now - self._last) * 1000, 3)
        self._last = now
