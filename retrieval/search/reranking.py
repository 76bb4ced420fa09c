"""The reranker's order of the best posts of a search, the same on each of its pages."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from retrieval.models.cross_encoder import RerankPool
from retrieval.search.hits import passage_of, shows
from retrieval.search.ranking import Placed
from retrieval.text.passages import passage_text
from retrieval.types import Filters, Post, SearchQuery

_REMEMBERED = 512

# Scores by post ID; None if the reranker was not in time.
_Scores = dict[str, float] | None
# Posts by ID, without deleted ones.
Read = Callable[[Sequence[str]], Mapping[str, Post]]


class Reranking:
    """Orders the `hits` best posts of a query. Safe to call from several threads.

    The outcome is cached, so that a query's second page continues the first, even if the reranker was late for that
    one; asking for the first page again gives it another try.
    """

    def __init__(self, pool: RerankPool, hits: int) -> None:
        self._pool, self._hits = pool, hits
        self._remembered: OrderedDict[tuple[str, str, Filters], _Scores] = OrderedDict()
        self._lock = Lock()

    def order(self, query: SearchQuery, generation: str, found: Sequence[Placed], read: Read) -> tuple[int, ...]:
        """Indices of the first posts of `found` in their new order, best first, each once; () leaves the order as it
        is.

        Ties keep their order. A post that can no longer be read comes last.
        """
        best = found[: self._hits]
        if len(best) < 2:  # one post has only one order
            return ()
        key = (generation, query.text.strip(), query.filters)
        scores = self._known(key, best, read, first_page=query.offset == 0)
        if scores is None:
            return ()
        return tuple(sorted(range(len(best)), key=lambda place: -scores[best[place].post.post_id]))

    def _known(self, key: tuple[str, str, Filters], best: Sequence[Placed], read: Read, *, first_page: bool) -> _Scores:
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                scores = self._remembered[key]
                missing = scores is None or any(one.post.post_id not in scores for one in best)
                if not missing or not first_page:
                    return None if missing else scores
        posts = read([one.post.post_id for one in best])
        there = [one for one in best if shows(one, posts)]
        values = self._pool.scores(key[1], [_read(one, posts) for one in there])
        scores = None
        if values is not None:
            scores = dict.fromkeys((one.post.post_id for one in best), -math.inf)
            scores |= {one.post.post_id: value for one, value in zip(there, values, strict=True)}
        with self._lock:
            self._remembered[key] = scores
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return scores


def _read(one: Placed, posts: Mapping[str, Post]) -> str:
    """What the reranker reads of a post: its best passage with title and tags, as it was embedded."""
    post = posts[one.post.post_id]
    return passage_text(post, passage_of(one.candidate, post))
