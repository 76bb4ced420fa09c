"""Vectors of queries: each is made once, waiting ones together, and always the same as alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrieval.models.embedding import HashEmbedder
from retrieval.search.query_vectors import QueryVectors
from retrieval.types import Vectors


class Alike(HashEmbedder):
    """Treats queries of one length as alike and records which came together; can be made to wait or to fail."""

    def __init__(self) -> None:
        super().__init__(32)
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = False

    def alike(self, text: str, others: Sequence[str]) -> list[str]:
        return [other for other in others if len(other) == len(text)]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        assert self.gate.wait(10)
        if self.fails:
            raise RuntimeError("no memory")
        return super().embed_queries(texts)


def until_at_work(embedder: Alike) -> None:
    give_up = time.monotonic() + 10
    while not embedder.batches:
        assert time.monotonic() < give_up
        time.sleep(0.001)


def test_expected_queries_that_are_alike_are_taken_along_and_all_get_their_own_vector() -> None:
    embedder = Alike()
    vectors = QueryVectors(embedder)
    for text in ("dali", "kyoto", "cafe ", "oats"):
        vectors.expect(text)
    for text in ("dali", "oats", "cafe", "kyoto", " dali "):
        assert np.array_equal(vectors.vector(text), HashEmbedder(32).embed_query(text.strip()))
    assert embedder.batches == [["dali", "cafe", "oats"], ["kyoto"]]


def test_a_query_that_is_at_work_is_waited_for_and_not_made_twice() -> None:
    embedder = Alike()
    vectors = QueryVectors(embedder)
    vectors.expect("cafe")
    embedder.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(vectors.vector, "dali")
        until_at_work(embedder)
        others = [pool.submit(vectors.vector, text) for text in ("cafe", "dali", "cafe")]
        embedder.gate.set()
        made = [one.result(10) for one in (first, *others)]
    assert embedder.batches == [["dali", "cafe"]]
    assert np.array_equal(made[1], made[3])
    assert np.array_equal(made[0], made[2])


def test_a_failure_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    embedder = Alike()
    vectors = QueryVectors(embedder)
    vectors.expect("cafe")
    embedder.fails = True
    embedder.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(vectors.vector, "dali")
        until_at_work(embedder)
        second = pool.submit(vectors.vector, "cafe")
        embedder.gate.set()
        for one in (first, second):
            with pytest.raises(RuntimeError, match="no memory"):
                one.result(10)
    embedder.fails = False
    assert vectors.vector("cafe").shape == (32,)


def test_queries_that_never_come_are_forgotten() -> None:
    embedder = Alike()
    vectors = QueryVectors(embedder)
    for number in range(1000):
        vectors.expect(f"{number:04}")
    vectors.vector("9999")
    assert "0999" not in embedder.batches[0], "at most sixteen go together"
    assert embedder.batches[0][1] == "0936", "the last sixty-four are expected"
    assert len(embedder.batches[0]) == 16
