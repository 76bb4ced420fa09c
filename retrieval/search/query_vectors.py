"""Vectors of queries, cached; waiting queries are embedded together."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock

from retrieval.models.embedding import Embedder
from retrieval.types import Vectors

_REMEMBERED = 2048
_MOST_EXPECTED = 64
_MOST_TOGETHER = 16


class QueryVectors:
    """Embeds queries, each once. Safe to call from several threads.

    For one short query a model reads all its weights; a second query of the same length then costs little. So each
    thread that embeds a query also embeds expected queries that fit; when their turn comes, their vectors are ready. No
    query waits for another that is not being embedded already.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._remembered: OrderedDict[str, Vectors] = OrderedDict()
        self._expected: dict[str, None] = {}
        self._at_work: dict[str, Future[Vectors]] = {}
        self._lock = Lock()

    def expect(self, text: str) -> None:
        """Announce a query whose vector will be needed soon. Takes microseconds."""
        key = text.strip()
        with self._lock:
            if key and key not in self._remembered and key not in self._at_work:
                self._expected[key] = None
                if len(self._expected) > _MOST_EXPECTED:  # drop the oldest that never came
                    del self._expected[next(iter(self._expected))]

    def vector(self, text: str) -> Vectors:
        """(dimension,) float32 of L2 norm 1."""
        key = text.strip()
        with self._lock:
            self._expected.pop(key, None)
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return self._remembered[key]
            others = list(self._expected)
            at_work = self._at_work.get(key)
            if at_work is None:
                self._at_work[key] = Future()
        return self._embed(key, others) if at_work is None else at_work.result()

    def _embed(self, key: str, others: list[str]) -> Vectors:
        together = [key]
        try:
            alike = self._embedder.alike(key, others) if others else []
            with self._lock:
                along = [one for one in alike if one in self._expected and one not in self._at_work]
                together += along[: _MOST_TOGETHER - 1]
                self._at_work |= {one: Future() for one in together[1:]}
                for one in together[1:]:
                    del self._expected[one]
            vectors: dict[str, Vectors] = dict(zip(together, self._embedder.embed_queries(together), strict=True))
        except BaseException as error:
            with self._lock:
                for one in together:
                    self._at_work.pop(one).set_exception(error)
            raise
        with self._lock:
            self._remembered |= vectors
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
            for one, vector in vectors.items():
                self._at_work.pop(one).set_result(vector)
        return vectors[key]
