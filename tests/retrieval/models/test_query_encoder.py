"""One query at a time: the traced model agrees with the model, from any thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import pytest

from retrieval.models.embedding import SentenceTransformersEmbedder
from retrieval.models.factory import load_model
from retrieval.models.files import BUNDLED_NAME
from retrieval.models.query_encoder import ALL_THREADS, Packing, QueryEncoder, trace, use_threads
from retrieval.settings import Settings

TEXTS = ["咖啡", "上海 brunch 推荐", "quiet cafe", "28", "", "How much is a flat white these days?" * 40, "🍜"]

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformersEmbedder:
    return load_model(Settings(embedding_dtype="float32"), BUNDLED_NAME)


def test_a_query_has_the_vector_that_encode_gives_it(embedder: SentenceTransformersEmbedder) -> None:
    vectors = np.stack([embedder.embed_query(text) for text in TEXTS])
    assert (vectors * embedder.embed_passages(TEXTS)).sum(axis=1).min() >= 0.9999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_queries_from_several_threads_do_not_disturb_one_another(embedder: SentenceTransformersEmbedder) -> None:
    alone = [embedder.embed_query(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.embed_query, TEXTS * 6))
    assert np.allclose(np.stack(alone * 6), np.stack(together), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_queries_embedded_together_have_exactly_the_vectors_that_they_have_alone(
    dtype: Literal["float32", "bfloat16"],
) -> None:
    embedder = load_model(Settings(embedding_dtype=dtype), BUNDLED_NAME)
    asked = ["咖啡", "quiet cafe", "手冲", "cafe quiet", "上海 brunch 推荐", "tea cafe", "🍜🍜"]
    for text in asked:
        alike = embedder.alike(text, asked)
        together = embedder.embed_queries([text, *alike])
        for one, vector in zip([text, *alike], together, strict=True):
            assert np.array_equal(vector, embedder.embed_query(one))
    # On a processor that rounds differently for several texts, none are alike.
    taken = set(embedder.alike("quiet cafe", asked))
    assert not taken or {"quiet cafe", "cafe quiet"} <= taken < set(asked)


@pytest.mark.parametrize("packing", ["layers", "linears"])
def test_packing_its_weights_leaves_the_model_as_it_was(
    embedder: SentenceTransformersEmbedder, packing: Packing
) -> None:
    before = [type(module) for module in embedder._model.modules()]
    packed = QueryEncoder(embedder._model, packing=packing)
    assert [type(module) for module in embedder._model.modules()] == before
    plain = QueryEncoder(embedder._model)
    for text in ("咖啡", "quiet cafe"):
        assert np.allclose(packed([text]), plain([text]), atol=1e-4)


def test_a_trace_that_gives_other_vectors_is_not_used(embedder: SentenceTransformersEmbedder) -> None:
    other = np.random.default_rng(0).normal(size=(7, 384)).astype(np.float32)
    assert trace(embedder._model, lambda _: other) is None


def test_one_threads_number_of_processor_threads_is_its_own() -> None:
    import torch

    def of_a_new_thread(count: int | None = None) -> int:
        seen: list[int] = []

        def look() -> None:
            if count is not None:
                use_threads(count)
            seen.append(torch.get_num_threads())

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return seen[0]

    usual = of_a_new_thread()
    assert of_a_new_thread(1) == 1
    assert of_a_new_thread() == usual
    assert of_a_new_thread(ALL_THREADS) == usual
