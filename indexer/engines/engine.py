"""The contract of a place where passages are embedded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

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
