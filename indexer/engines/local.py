"""Embedding in this process, one batch after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.types import Vectors


class LocalEngine:
    """An EmbeddingEngine that is this process's own embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        nothing: Vectors = np.zeros((0, self._embedder.identity.dimension), np.float32)
        for texts in batches:
            yield self._embedder.embed_passages(texts) if texts else nothing
