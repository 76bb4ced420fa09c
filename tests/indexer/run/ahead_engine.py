"""An engine that embeds out of step with the run, like remote workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.types import Vectors


class AheadEngine:
    """Reads all batches before it embeds the first, as an engine with many workers may."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.sizes: list[int] = []
        self._dies_at = dies_at

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        for number, texts in enumerate(list(batches)):
            if number == self._dies_at:
                raise FixableError("the workers are gone", "start them again")
            self.sizes.append(len(texts))
            yield HashEmbedder().embed_passages(texts)
