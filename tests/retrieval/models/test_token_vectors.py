"""An embedder reads texts token by token: one vector and one position each."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.models.embedding import Embedder, HashEmbedder
from retrieval.models.factory import load_embedder
from retrieval.settings import Settings

TEXTS = ["A flat white costs 28 yuan at the Blue Door café.", "", "停车费一晚30元", "long word " * 400]


@pytest.fixture(params=["hash", pytest.param("bundled", marks=pytest.mark.model)])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return (
        HashEmbedder()
        if request.param == "hash"
        else load_embedder(Settings(embedding_model="all-MiniLM-L6-v2", _env_file=None))
    )


def test_each_token_has_a_unit_vector_and_its_place(embedder: Embedder) -> None:
    read = embedder.embed_tokens(TEXTS)
    assert [text[span.start : span.end] for text, one in zip(TEXTS, read, strict=True) for span in one.spans][:4] == [
        *("A", "flat", "white", "costs")
    ]
    for text, one in zip(TEXTS, read, strict=True):
        assert len(one.tokens) == len(one.spans)
        assert np.allclose(np.linalg.norm(one.tokens, axis=1), 1, atol=1e-3)
        assert all(0 <= span.start < span.end <= len(text) for span in one.spans)
    assert len(read[1].tokens) == 0
    assert embedder.embed_tokens([]) == []


def test_the_whole_text_has_the_vector_that_it_has_as_a_passage(embedder: Embedder) -> None:
    english = [TEXTS[0], "Dogs may sit outside."]
    whole = np.stack([one.whole for one in embedder.embed_tokens(english)])
    assert np.all(np.sum(whole * embedder.embed_passages(english), axis=1) > 0.999)
