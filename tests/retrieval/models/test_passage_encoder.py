"""Many passages at once: batches of similar length; torch and OpenVINO agree."""

from __future__ import annotations

import threading
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from retrieval.models.embedding import SentenceTransformersEmbedder
from retrieval.models.factory import load_model
from retrieval.models.files import BUNDLED_NAME, bundled_folder
from retrieval.models.passage_encoder import converted, like_lengths
from retrieval.settings import Settings
from retrieval.types import Vectors

TEXTS = ["", "🍜", "咖啡拿铁", *(f"{'the loop around the moat ' * (number % 9)}{number}" for number in range(70))]


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 5000))
def test_every_text_is_in_one_batch_and_no_batch_is_padded_beyond_its_bound(tokens: list[int], bound: int) -> None:
    batches = list(like_lengths(tokens, bound))
    assert sorted(place for batch in batches for place in batch) == list(range(len(tokens)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(tokens[place] for place in batch) <= bound
    lengths = [tokens[place] for batch in batches for place in batch]
    assert lengths == sorted(lengths)


def an_embedder(backend: Literal["torch", "openvino", "auto"]) -> SentenceTransformersEmbedder:
    return load_model(Settings(embedding_backend=backend, embedding_batch_tokens=512), BUNDLED_NAME)


@pytest.fixture(scope="module")
def by_torch() -> Vectors:
    return an_embedder("torch").embed_passages(TEXTS)


@pytest.mark.model
def test_openvino_gives_the_vectors_that_torch_gives_in_the_order_of_the_texts(by_torch: Vectors) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'stipple[openvino]'")
    embedder = an_embedder("openvino")
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.sum(vectors * by_torch, axis=1).min() > 0.999
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS[:6]])
    assert np.sum(vectors[:6] * alone, axis=1).min() > 0.999
    assert embedder.identity == an_embedder("torch").identity


@pytest.mark.model
def test_openvino_may_be_asked_by_several_threads_at_once(by_torch: Vectors) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'stipple[openvino]'")
    embedder, got = an_embedder("openvino"), list[Vectors]()
    threads = [threading.Thread(target=lambda: got.append(embedder.embed_passages(TEXTS))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 2
    assert all(np.sum(vectors * by_torch, axis=1).min() > 0.999 for vectors in got)


@pytest.mark.model
def test_a_model_whose_vectors_come_out_otherwise_is_not_taken(by_torch: Vectors) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'stipple[openvino]'")
    model = SentenceTransformer(str(bundled_folder()), local_files_only=True)
    other = converted(model, lambda texts: by_torch[: len(texts)], 4096, bfloat16=False, threads=1)
    assert isinstance(other, str)
    assert other.startswith("OpenVINO computes different vectors")
