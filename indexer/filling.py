"""From posts to indexed posts: cut, embedded once, weighed, a window at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol

import numpy as np

from indexer.embedding_cache import EmbeddingCache, Key
from indexer.progress import Progress
from retrieval.embedding import Embedder
from retrieval.store import IndexedPost, StoredPost, TermWeights, Vectors
from retrieval.text import cut_passages, passage_text
from retrieval.types import Passage

# Passages that are looked at together: enough to put texts of like length into one batch, where short ones are
# not padded to the longest, and few enough to hold (2,000 x 384 floats are 3 MB).
WINDOW = 2_000
EMBEDDED_AT_ONCE = 256  # and made durable together: what a killed run has to embed again


class PassageWeigher(Protocol):
    """Gives the terms of passages their weights."""

    def passages(self, texts: Sequence[str]) -> list[TermWeights]: ...


class Filling:
    """From posts to indexed posts, a window at a time."""

    def __init__(
        self,
        embedder: Embedder,
        weigher: PassageWeigher,
        cache: EmbeddingCache,
        progress: Progress,
        expected_posts: int = 0,
    ) -> None:
        self.embedder, self.progress = embedder, progress
        self._weigher, self.cache = weigher, cache
        self._expected_posts, self._posts, self.passages = expected_posts, 0, 0
        self.embedded = 0

    def windows(self, posts: Iterable[StoredPost]) -> Iterator[list[tuple[StoredPost, list[Passage]]]]:
        """Posts with their passages, about WINDOW passages together; one post is never split."""
        window: list[tuple[StoredPost, list[Passage]]] = []
        size = 0
        for stored in posts:
            passages = cut_passages(stored.post, self.embedder.count_tokens, self.embedder.window)
            window.append((stored, passages))
            size += len(passages)
            if size >= WINDOW:
                yield window
                window, size = [], 0
        if window:
            yield window

    def indexed(self, window: Sequence[tuple[StoredPost, list[Passage]]]) -> list[IndexedPost]:
        texts = [[passage_text(stored.post, passage) for passage in passages] for stored, passages in window]
        keys = [[self.cache.key(text) for text in of_post] for of_post in texts]
        self.cache.record({stored.post.id: of_post for (stored, _), of_post in zip(window, keys, strict=True)})
        vectors = self._vectors(dict(zip(chain(*keys), chain(*texts), strict=True)), len(window), sum(map(len, keys)))
        terms = iter(self._weigher.passages(list(chain(*texts))))
        return [
            IndexedPost(
                stored,
                tuple(passages),
                np.stack([vectors[key] for key in of_post]),
                tuple(next(terms) for _ in of_post),
            )
            for (stored, passages), of_post in zip(window, keys, strict=True)
        ]

    def _vectors(self, texts: dict[Key, str], posts: int, passages: int) -> dict[Key, Vectors]:
        vectors = self.cache.get(texts)
        missing = sorted(texts.keys() - vectors.keys(), key=lambda key: (len(texts[key]), key))
        self._posts += posts
        # As many passages to a post in what is to come as in what has been seen.
        expected = round((self.passages + passages) * max(1.0, self._expected_posts / max(1, self._posts)))
        for at in range(0, len(missing), EMBEDDED_AT_ONCE):
            self.progress.embedding(self.passages + passages - (len(missing) - at), expected)
            some = missing[at : at + EMBEDDED_AT_ONCE]
            vectors |= self.cache.put(some, self.embedder.embed_passages([texts[key] for key in some]))
            self.embedded += len(some)
        self.passages += passages
        self.progress.embedding(self.passages, expected)
        return vectors
