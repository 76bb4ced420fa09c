"""What a run gives the embedder: each text once, short ones first, with any engine."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from indexer.pipeline.embedding_cache import EmbeddingCache
from indexer.pipeline.post_encoder import EMBEDDED_AT_ONCE, WINDOW, PostEncoder
from indexer.progress import QuietProgress
from retrieval.stores.contract import StoredPost
from retrieval.text.content_hash import content_hash
from retrieval.types import Post
from tests.indexer.run.ahead_engine import AheadEngine
from tests.indexer.runs import CountingEmbedder, LengthWeigher, Run, a_post, many


def test_two_posts_of_one_text_are_embedded_once(run: Run) -> None:
    summary = run(a_post("1", "same words"), a_post("2", "same words"))
    assert (summary.posts, summary.embedded) == (2, 1)


def test_a_vector_is_the_same_whichever_run_made_it(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    run(a_post("1"))
    run(a_post("1"), a_post("2"))
    fresh = Run(tmp_path_factory.mktemp("fresh"))
    fresh(a_post("2"), a_post("1"))
    for post_id in ("1", "2"):
        np.testing.assert_array_equal(run.store.indexed()[post_id].vectors, fresh.store.indexed()[post_id].vectors)


def test_texts_are_embedded_in_order_of_length_so_that_little_is_padded(run: Run) -> None:
    embedder = CountingEmbedder()
    run(
        a_post("1", "a long text, longer than the others"),
        a_post("2", "short"),
        a_post("3", "a bit longer"),
        embedder=embedder,
    )
    assert embedder.read == ["short", "a bit longer", "a long text, longer than the others"]


def test_a_text_that_several_posts_share_is_embedded_once_and_has_one_vector(run: Run) -> None:
    embedder = CountingEmbedder()
    run(*many(3 * WINDOW, text="what everybody says"), a_post("other"), embedder=embedder)
    assert sorted(embedder.read) == ["coffee number other", "what everybody says"]
    assert len({one.vectors.tobytes() for one in run.store.indexed().values()}) == 2


def test_an_engine_that_reads_ahead_gives_the_same_index(tmp_path: Path) -> None:
    posts = [a_post(str(number), f"coffee number {number // 2} of {number % 7}") for number in range(2 * WINDOW + 5)]
    here, elsewhere = Run(tmp_path / "here"), Run(tmp_path / "elsewhere")
    engine = AheadEngine()
    here(*posts)
    elsewhere(*posts, engine=engine)
    assert max(engine.sizes) == EMBEDDED_AT_ONCE
    assert here.store.indexed().keys() == elsewhere.store.indexed().keys()
    for post_id, one in here.store.indexed().items():
        np.testing.assert_array_equal(one.vectors, elsewhere.store.indexed()[post_id].vectors)


class Told(QuietProgress):
    """The reported progress of the embedding."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.embedded: list[tuple[int, int]] = []

    def embedding(self, passages: int, expected: int) -> None:
        self.embedded.append((passages, expected))


def test_embedding_is_reported_before_the_first_vectors_are_there(tmp_path: Path) -> None:
    told, embedder = Told(), CountingEmbedder(dies_after=0)
    posts = [StoredPost(post, content_hash(post)) for post in (Post("a", "", "one"), Post("b", "", "two"))]
    with EmbeddingCache(tmp_path / "embeddings.sqlite", embedder.identity) as cache, pytest.raises(KeyboardInterrupt):
        PostEncoder(embedder, LengthWeigher(), cache, told, expected_posts=2).fill(posts, lambda _: None)
    assert told.embedded == [(0, 2)]
