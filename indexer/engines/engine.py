"""What embeds passages: the contract, and this process as the default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.types import Vectors


class EmbeddingEngine(Protocol):
    """Embeds batches of texts as they come."""

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        """The vectors of each batch, in the order of the batches, none left out, also not an empty one.

        A batch is asked for when it can be begun, or a few before that: what is asked for and not given back yet is
        held in memory by whoever offers it. `batches` may wait for its next one; it is iterated by one thread at a
        time. An exception from it passes on. Closing what this returns ends the work.

        Returns:
            For each batch of n texts (n, dimension) float32, each row of L2 norm 1.

        Raises:
            FixableError: The place cannot be used, or goes away for good.
        """
        ...


class LocalEngine:
    """An EmbeddingEngine that is this process's own embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        nothing: Vectors = np.zeros((0, self._embedder.identity.dimension), np.float32)
        for texts in batches:
            yield self._embedder.embed_passages(texts) if texts else nothing
