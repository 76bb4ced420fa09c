"""What embeds passages: the contract, and this process as the default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.types import Vectors


class EmbeddingEngine(Protocol):
    """Embeds batches of texts as they arrive."""

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        """The vectors of each batch, in the order of the batches, also of an empty one.

        A batch is taken when work on it can begin, or a few batches earlier: the caller holds in memory what was taken
        and not returned yet. `batches` may block; one thread at a time iterates it. Its exceptions are passed on.
        Closing the returned iterator ends the work.

        Returns:
            For each batch of n texts (n, dimension) float32, each row of L2 norm 1.

        Raises:
            FixableError: The engine cannot be used, or is lost for good.
        """
        ...


class LocalEngine:
    """An EmbeddingEngine in this process."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        nothing: Vectors = np.zeros((0, self._embedder.identity.dimension), np.float32)
        for texts in batches:
            yield self._embedder.embed_passages(texts) if texts else nothing
