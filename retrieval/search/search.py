"""The read path on one page: query -> vector and terms -> candidates -> fused -> posts -> hits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from retrieval.errors import FixableError
from retrieval.models.embedding import Embedder
from retrieval.models.ensemble import specialist
from retrieval.search.candidates import Gathered, gather, matching, newest
from retrieval.search.cursor import LARGEST_POSITION, Continuation, read_cursor, write_cursor
from retrieval.search.facets import count_facets
from retrieval.search.fusion import Scale, dense_weight_known, dense_weight_unknown, fuse
from retrieval.search.hits import Layer, hit, shows
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.query_vectors import QueryVectors
from retrieval.search.ranking import (
    FOLDED_AMONG,
    Boosts,
    Placed,
    boosted,
    copies_among,
    finders,
    folded,
    for_answers,
    in_both_languages,
    in_order,
    led_by,
    placed,
    reordered,
    spread,
)
from retrieval.search.relevance import Background, Floor, kept
from retrieval.search.reranking import Reranking
from retrieval.stores.contract import Generation
from retrieval.stores.hybrid_search import Side
from retrieval.stores.post_summary import PostSummary
from retrieval.text.gazetteer import names_in_both_languages
from retrieval.text.language import ANSWERED, UNKNOWN, detect_language, knows
from retrieval.text.terms import TermWeigher
from retrieval.types import (
    Candidate,
    FacetCount,
    FacetName,
    Filters,
    Post,
    SearchPage,
    SearchQuery,
    TermWeights,
    Vectors,
)

# Each layer of candidates fetches _DEEPER times as many passages as the one before; reading the posts of the deepest
# takes a tenth of a second.
_DEEPER, _DEEPEST = 4, 800
# Of the terms that name a place; other terms of a query weigh 1.
_PLACE_WEIGHT = 2.0
# Where fewer posts in another language than the query's are among the candidates, so many passages of them are looked
# for: among many posts that are said in the query's own words they would never be seen.
_ACROSS = 10


class Searcher:
    """Answers a SearchQuery from the live generation. Safe to call from several threads.

    Args:
        given: Whether every query comes with its posts: then all of them are found, near or not.
    """

    def __init__(
        self,
        live: LiveGeneration,
        embedder: Embedder,
        weigher: TermWeigher,
        *,
        dense_weight_known: float = 0.85,
        dense_weight_unknown: float = 0.8,
        candidates: int = 100,
        boosts: Boosts = Boosts(),  # noqa: B008  # frozen
        reranking: Reranking | None = None,
        given: bool = False,
    ) -> None:
        self._live, self._embedder, self._weigher = live, embedder, weigher
        self._known, self._unknown, self._candidates = dense_weight_known, dense_weight_unknown, candidates
        self._boosts, self._reranking, self._given = boosts, reranking, given
        self._vectors, self._background = QueryVectors(embedder), Background(embedder)

    def search(self, query: SearchQuery) -> SearchPage:
        """The page of hits for a query, best first.

        A blank query with filters finds the newest posts that satisfy them; without filters, none.

        Raises:
            IndexMissing, IndexMismatch, IndexLocked, StoreUnreachable: The index cannot be read.
            BadCursorError: The query's cursor was changed, or belongs to another query or generation.
        """
        asked_for = query.text if query.text.strip() else " ".join([*query.filters.tags, *query.filters.authors])
        language = detect_language(asked_for)
        timings = _Timings()
        with self._live.pin() as pinned:
            generation = pinned.one_search()
            name = generation.info.name
            goes_on = read_cursor(query.cursor, query, name) if query.cursor else None
            start = query.offset if goes_on is None else goes_on.position
            asked = replace(query, offset=start)
            if not query.text.strip():  # with filters alone, all posts that satisfy them are wanted
                asked = replace(asked, per_author=0, fold=False, answer_hits=0)
            if not query.text.strip() and query.filters.is_empty():
                return SearchPage(query, language, (), 0, name, timings.ms)
            read = _PostCache(generation.posts)
            layers, order, total = self._layers(generation, asked, language, goes_on, read, timings)
            for_answer = _layers_for(asked.answer_hits, layers)
            end = start + query.limit
            posts = read([place.post.post_id for place in order[start:end]])
            hits = tuple(
                hit(
                    asked,
                    rank,
                    place,
                    posts[place.post.post_id],
                    layers[:for_answer] if rank <= asked.answer_hits else layers,
                )
                for rank, place in enumerate(order[start:end], start=start + 1)
                if shows(place, posts)
            )
            timings.add("posts")
            more = end < total
            return SearchPage(
                query,
                language,
                hits,
                total,
                name,
                timings.ms,
                self._facets(query, layers[0].found, read),
                write_cursor(query, name, end, layers[0].reranked) if more else "",
            )

    def _layers(
        self,
        generation: Generation,
        query: SearchQuery,
        language: str,
        goes_on: Continuation | None,
        read: _PostCache,
        timings: _Timings,
    ) -> tuple[list[Layer], list[Placed], int]:
        """The posts found, in layers: first the candidates that a search brings, then, while these do not fill the
        page, what a larger search finds besides. The layers do not depend on the page, so that pages fit together. Also
        returns the order of all posts on the pages, and how many there are on all pages that can be reached.
        """
        vector = self._vectors.vector(query.text) if query.text.strip() else None
        terms = self._terms(query.text)
        timings.add("embed")
        enough = min(query.offset + query.limit, LARGEST_POSITION)
        layers: list[Layer] = []
        seen: set[str] = set()
        later: set[str] | None = None
        depth, total = self._candidates, 0
        # A page that even all that the usual depth brings could not fill is not looked for there first.
        deepest = _deep_enough(depth, 1 if vector is None else 2, enough)
        across = [] if vector is None else self._across(language, query.filters)
        generation.prepare(vector, terms, [(deepest, query.filters), *across])
        while True:
            step = self._step(generation, query, vector, terms, depth, language, later, timings)
            candidates, summaries, fused, scale, later = step
            fresh = [(score, one) for score, one in fused if one.post_id not in seen]
            seen.update(one.post_id for _, one in fresh)
            found = placed(fresh, summaries)
            reranked: tuple[int, ...] = ()
            if not layers and scale is not None:
                reranked = self._rerank(generation, query, goes_on, found, read, timings)
            found = reordered(found, reranked)
            alike = _may_be_copies(generation, found) if query.fold and not layers else []
            here = sum(len(layer.order) for layer in layers) + len(found) - len(alike)
            if here < min(enough, total if layers else here + len(later)) and depth < _DEEPEST:
                deeper = _deep_enough(depth * _DEEPER, max(here, 1) / depth, enough)
                generation.prepare(vector, terms, [(deeper, query.filters)], posts=alike)
            timings.add("arrange")
            copies = copies_among(found, read(alike)) if alike else set()
            timings.add("posts")
            order = boosted(found, self._boosts, generation.info.created_at) if query.boosts else found
            order = folded(in_order(order, query.sort), copies)
            wanted = query.answer_hits - sum(len(layer.order) for layer in layers)
            if wanted > 0:
                order = led_by(
                    for_answers(folded(found, copies), wanted, scale.elsewhere if scale is not None else ()), order
                )
            if scale is not None and not layers and query.sort == "relevance":
                order = in_both_languages(order, scale.elsewhere)
            if query.sort == "relevance" and not query.filters.authors:
                order = spread(order, query.per_author, max(wanted, 0))
            sides = finders(candidates, depth) if query.explain and scale is not None else {}
            layers.append(Layer(candidates, found, order, scale, sides, reranked))
            shown = [place for layer in layers for place in layer.order]
            timings.add("arrange")
            if len(layers) == 1:
                total = min(len(shown) + len(later), LARGEST_POSITION)
            if len(shown) >= min(enough, total) or depth >= _DEEPEST:
                return layers, shown[:total], total
            depth = min(depth * _DEEPER, _DEEPEST)

    def _step(
        self,
        generation: Generation,
        query: SearchQuery,
        vector: Vectors | None,
        terms: TermWeights,
        depth: int,
        language: str,
        later: set[str] | None,
        timings: _Timings,
    ) -> _Step:
        """The posts that a search of this depth finds.

        Args:
            vector: None where nothing but filters is asked for.
            later: The posts that are found after those of the first step; None in the first step.
        """
        if vector is None:
            candidates, more = newest(generation, depth, query.filters)
            summaries = generation.summaries([one.post_id for one in candidates])
            if later is None:
                later = matching(generation, _DEEPEST, query.filters) - summaries.keys() if more else set()
            timings.add("candidates")
            return _Step(candidates, summaries, [(0.0, one) for one in candidates], None, later)
        gathered, summaries = self._gathered(generation, vector, terms, depth, query.filters, language)
        candidates = gathered.candidates
        timings.add("candidates")
        scale = Scale.of(candidates, self.dense_weight(language, candidates), self._elsewhere(language, summaries))
        there = later
        if there is None or later is None:
            floor = self._floor(vector, [*gathered.found, *candidates], summaries, language, query.filters)
            there, later = kept(candidates, _languages(summaries), floor), set()
            if gathered.more and not floor.ends(gathered.cosine, gathered.lexical):
                sides: list[Side] = ["dense"] if gathered.cosine >= floor.elsewhere else []
                sides += ["terms"] if gathered.lexical >= floor.lexical else []
                later = self._later(generation, vector, terms, query.filters, floor, sides) - there
        fused = [one for one in fuse(candidates, scale) if one[1].post_id in there]
        timings.add("fuse")
        return _Step(candidates, summaries, fused, scale, later)

    def _floor(
        self,
        vector: Vectors,
        candidates: Sequence[Candidate],
        found: Mapping[str, PostSummary],
        language: str,
        filters: Filters,
    ) -> Floor:
        if self._given or filters.phrases:  # a post that says exactly this is what is looked for
            return Floor.none()
        known = language == UNKNOWN or knows(self._embedder.languages, language)
        return Floor.of(candidates, _languages(found), self._background.of(vector), known=known)

    def _later(
        self,
        generation: Generation,
        vector: Vectors,
        terms: TermWeights,
        filters: Filters,
        floor: Floor,
        sides: Sequence[Side],
    ) -> set[str]:
        """IDs of all posts that the largest search finds: they are counted before any page shows them.

        Args:
            sides: Those that may find more.
        """
        reached = gather(generation, vector, terms, _DEEPEST, filters, alone=sides).candidates
        return kept(reached, _languages(generation.summaries(list({one.post_id for one in reached}))), floor)

    def _terms(self, text: str) -> TermWeights:
        """A query's terms. The places that it names count more, by their names in both languages: they decide which
        posts can be meant at all.
        """
        terms = self._weigher.query(text)
        weights = dict(zip(terms.indices, terms.values, strict=True))
        for index in self._weigher.query(names_in_both_languages(text)).indices:
            weights[index] = _PLACE_WEIGHT
        return TermWeights(tuple(weights), tuple(weights.values()))

    def _rerank(
        self,
        generation: Generation,
        query: SearchQuery,
        goes_on: Continuation | None,
        found: Sequence[Placed],
        read: _PostCache,
        timings: _Timings,
    ) -> tuple[int, ...]:
        """The order of the best posts found: that of the page before, or the reranker's; () leaves it as it is."""
        if goes_on is not None:
            return goes_on.order
        if self._reranking is None or query.sort != "relevance":
            return ()
        order = self._reranking.order(query, generation.info.name, found, read)
        timings.add("rerank")
        return order

    @staticmethod
    def _facets(
        query: SearchQuery, found: Sequence[Placed], read: _PostCache
    ) -> dict[FacetName, tuple[FacetCount, ...]]:
        if not query.facets:
            return {}
        posts = read([place.post.post_id for place in found])
        return count_facets([posts[place.post.post_id] for place in found if shows(place, posts)], query.facets)

    def dense_weight(self, language: str, candidates: Sequence[Candidate]) -> float:
        """Share of the cosine for a query in this language: highest if the embedder knows the language."""
        if knows(self._embedder.languages, language):
            return dense_weight_known(self._known, language)
        return dense_weight_unknown(self._unknown, candidates)

    def _gathered(
        self,
        generation: Generation,
        vector: Vectors,
        terms: TermWeights,
        depth: int,
        filters: Filters,
        language: str,
    ) -> tuple[Gathered, dict[str, PostSummary]]:
        """As `gather`, with candidates in another language than the query's, and with the summaries of their posts."""
        gathered = gather(generation, vector, terms, depth, filters)
        found = gathered.candidates
        summaries = generation.summaries(list({one.post_id for one in gathered.found}))
        # Where hardly any are among those found.
        missing = gathered.more and len(self._elsewhere(language, summaries)) < _ACROSS
        for wanted, among in self._across(language, filters) if missing else ():
            there = {(one.post_id, one.ordinal) for one in found}
            across = gather(generation, vector, terms, wanted, among).candidates
            besides = [one for one in across if (one.post_id, one.ordinal) not in there]
            found += besides
            summaries |= generation.summaries(list({one.post_id for one in besides} - summaries.keys()))
        return gathered, summaries

    def _across(self, language: str, filters: Filters) -> list[tuple[int, Filters]]:
        """What is asked for posts in the languages that the query is not in, where the embedder knows both."""
        known = self._embedder.languages
        others = tuple(one for one in ANSWERED if one != language and knows(known, language) and knows(known, one))
        return [(_ACROSS, replace(filters, languages=others))] if others and not filters.languages else []

    def _elsewhere(self, language: str, found: Mapping[str, PostSummary]) -> frozenset[str]:
        """IDs of the posts in another language than the query's, where the embedder knows both."""
        known = self._embedder.languages
        if not knows(known, language):
            return frozenset()
        return frozenset(
            post_id for post_id, one in found.items() if one.language != language and knows(known, one.language)
        )

    def candidates(self, text: str) -> tuple[list[Candidate], frozenset[str]]:
        """The candidates that a search for this text would fuse, and the IDs of posts in another language."""
        candidates, summaries = self._candidates_of(text)
        return candidates, self._elsewhere(detect_language(text), summaries)

    def _candidates_of(self, text: str) -> tuple[list[Candidate], dict[str, PostSummary]]:
        with self._live.pin() as pinned:
            gathered, summaries = self._gathered(
                pinned.one_search(),
                self._vectors.vector(text),
                self._weigher.query(text),
                self._candidates,
                Filters(),
                detect_language(text),
            )
        return gathered.candidates, summaries

    def rankings(self, text: str) -> dict[str, dict[str, float]]:
        """Score by post ID in each ranking: "dense" and "lexical" alone, "fused", of what a search finds, and, if the
        reranker is in time, "reranked"; for comparing them.
        """
        language = detect_language(text)
        candidates, summaries = self._candidates_of(text)
        elsewhere = self._elsewhere(language, summaries)
        weight = self.dense_weight(language, candidates)
        lexical = [candidate for candidate in candidates if candidate.lexical > 0]
        alone = {"dense": (candidates, 1.0), "lexical": (lexical, 0.0), "fused": (candidates, weight)}
        fused = {name: fuse(some, Scale.of(some, share, elsewhere)) for name, (some, share) in alone.items()}
        rankings = {name: {one.post_id: score for score, one in ranking} for name, ranking in fused.items()}
        floor = self._floor(self._vectors.vector(text), candidates, summaries, language, Filters())
        there = kept(candidates, _languages(summaries), floor)
        fused["fused"] = [one for one in fused["fused"] if one[1].post_id in there]
        rankings["fused"] = _as_shown(fused["fused"], elsewhere)
        if self._reranking is not None:
            with self._live.pin() as generation:
                found = placed(fused["fused"], generation.summaries(list(rankings["fused"])))
                order = self._reranking.order(SearchQuery(text), generation.info.name, found, generation.posts)
            rankings["reranked"] = {one.post.post_id: one.match for one in reordered(found, order)}
        return rankings

    def is_usual(self, word: str) -> bool:
        """Whether the embedder reads a word as one: then it is no pinyin, whatever it looks like (guide, women)."""
        return specialist(self._embedder).count_tokens([word]) == [1]

    def expect(self, text: str) -> None:
        """Announce a search for this text; its vector may be made together with another's."""
        self._vectors.expect(text)

    def ping(self) -> FixableError | None:
        """Why searches cannot be answered now; None if they can."""
        try:
            with self._live.pin() as generation:
                generation.posts(["-"])  # a server may have gone down since it was opened
                return None
        except FixableError as error:
            return error


def _languages(summaries: Mapping[str, PostSummary]) -> dict[str, str]:
    return {post_id: one.language for post_id, one in summaries.items()}


def _may_be_copies(generation: Generation, found: Sequence[Placed]) -> list[str]:
    return list(generation.may_be_copies([one.post.post_id for one in found[:FOLDED_AMONG]]))


def _deep_enough(depth: int, each: float, enough: int) -> int:
    """The first depth of a layer, from this one, of which so many posts are to be expected.

    Args:
        each: Posts that a place in a layer brings.
    """
    while depth < _DEEPEST and depth * each < enough:
        depth = min(depth * _DEEPER, _DEEPEST)
    return min(depth, _DEEPEST)


def _as_shown(fused: Sequence[tuple[float, Candidate]], elsewhere: frozenset[str]) -> dict[str, float]:
    """Scores in the order in which a page shows the posts: what is moved there has a score between its neighbours'."""
    found = [Placed(one, PostSummary(one.post_id), score) for score, one in fused]
    shown = in_both_languages(found, elsewhere)
    scores = [one.match for one in shown]
    for place in range(1, len(scores) - 1):
        if scores[place] < scores[place + 1]:
            scores[place] = (scores[place - 1] + scores[place + 1]) / 2
    return {one.post.post_id: score for one, score in zip(shown, scores, strict=True)}


def _layers_for(answer_hits: int, layers: Sequence[Layer]) -> int:
    """How many layers a search for the answer's hits alone would fetch: what it shows of a post depends on them."""
    posts = 0
    for number, layer in enumerate(layers, start=1):
        posts += len(layer.order)
        if posts > answer_hits:
            return number
    return len(layers)


class _Step(NamedTuple):
    """What one search of the index found.

    Attributes:
        candidates: All passages, of posts that are found and of others.
        fused: The best passage of each post that is found, with its score, best first.
        later: IDs of the posts that larger searches find after those of the first one.
    """

    candidates: list[Candidate]
    summaries: dict[str, PostSummary]
    fused: list[tuple[float, Candidate]]
    scale: Scale | None
    later: set[str]


class _PostCache:
    """The posts of one search, each read once; an id that is not in the generation is left out. For one thread."""

    def __init__(self, read: Callable[[Sequence[str]], Mapping[str, Post]]) -> None:
        self._read = read
        self._posts: dict[str, Post | None] = {}

    def __call__(self, ids: Sequence[str]) -> dict[str, Post]:
        missing = [post_id for post_id in ids if post_id not in self._posts]
        if missing:
            found = self._read(missing)
            self._posts |= {post_id: found.get(post_id) for post_id in missing}
        known = ((post_id, self._posts[post_id]) for post_id in ids)
        return {post_id: post for post_id, post in known if post is not None}


class _Timings:
    """Milliseconds by stage: `add` counts the time since the last `add` to a stage."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def add(self, stage: str) -> None:
        now = time.perf_counter()
        self.ms[stage] = round(self.ms.get(stage, 0.0) + (now - self._last) * 1000, 3)
        self._last = now
