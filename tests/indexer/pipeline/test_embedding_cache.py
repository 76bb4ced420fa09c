"""Vectors that are kept, and vectors that are forgotten."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from indexer.pipeline.embedding_cache import EmbeddingCache
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.types import Identity

EMBEDDER = HashEmbedder()


def a_cache(folder: Path, identity: Identity = EMBEDDER.identity) -> EmbeddingCache:
    return EmbeddingCache(folder / "embeddings.sqlite", identity)


def fill(cache: EmbeddingCache, post_id: str, *texts: str) -> list[bytes]:
    keys = [cache.key(text) for text in texts]
    cache.record({post_id: keys})
    cache.put(keys, EMBEDDER.embed_passages(texts))
    return keys


def test_a_vector_comes_back_as_it_was_given_in_a_later_run(tmp_path: Path) -> None:
    with a_cache(tmp_path) as cache:
        keys = [cache.key(text) for text in ("flat white", "拿铁")]
        given = EMBEDDER.embed_passages(["flat white", "拿铁"])
        put = cache.put(keys, given)
    with a_cache(tmp_path) as cache:
        found = cache.get([*keys, cache.key("never"), keys[0]])
    assert list(found) == keys
    for key, vector in zip(keys, given, strict=True):
        assert found[key].dtype == np.float32
        assert found[key] @ vector > 0.9999
        assert np.linalg.norm(found[key]) == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(found[key], put[key])


def test_sixteen_bits_cost_nothing_that_can_be_seen(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).standard_normal((500, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with a_cache(tmp_path, Identity("random", 384)) as cache:
        put = cache.put([cache.key(str(number)) for number in range(500)], vectors)
    assert min(float(kept @ vector) for kept, vector in zip(put.values(), vectors, strict=True)) > 0.999999


def test_another_model_does_not_see_it(tmp_path: Path) -> None:
    with a_cache(tmp_path) as cache:
        fill(cache, "1", "flat white")
    with a_cache(tmp_path, Identity("other", 64)) as cache:
        assert cache.get([cache.key("flat white")]) == {}


def test_what_only_an_older_form_of_a_post_needed_is_deleted(tmp_path: Path) -> None:
    with a_cache(tmp_path) as cache:
        old, shared = fill(cache, "1", "old words", "shared words")
        fill(cache, "2", "shared words")
        [new] = fill(cache, "1", "new words")
        assert set(cache.get([old, shared, new])) == {shared, new}


def test_a_post_is_forgotten_with_all_its_vectors_and_nobody_elses(tmp_path: Path) -> None:
    with a_cache(tmp_path, Identity("other", 64)) as cache:
        [other] = fill(cache, "1", "flat white")
    with a_cache(tmp_path) as cache:
        own, shared = fill(cache, "1", "flat white", "same words")
        fill(cache, "2", "same words")
        cache.forget(["1", "never heard of"])
        assert set(cache.get([own, shared])) == {shared}
    with a_cache(tmp_path, Identity("other", 64)) as cache:
        assert cache.get([other]) == {}


def test_more_keys_than_a_statement_takes_are_found(tmp_path: Path) -> None:
    with a_cache(tmp_path) as cache:
        keys = fill(cache, "1", *(f"text {number}" for number in range(1_201)))
        assert list(cache.get(keys)) == keys or set(cache.get(keys)) == set(keys)


def test_a_file_that_is_not_a_cache_is_reported_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "embeddings.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(FixableError, match="is damaged") as raised:
        a_cache(tmp_path)
    assert "delete" in raised.value.fix


def test_a_file_of_another_version_is_reported_with_the_fix(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "embeddings.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(FixableError, match="another version"):
        a_cache(tmp_path)
