"""From posts to indexed posts: cut into passages, embedded once, weighed, a window at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from indexer.engines.engine import EmbeddingEngine, LocalEngine
from indexer.pipeline.embedding_cache import EmbeddingCache, Key
from indexer.pipeline.threaded_pipeline import run_threaded
from indexer.progress import Progress
from retrieval.models.embedding import Embedder
from retrieval.stores.contract import IndexedPost, StoredPost
from retrieval.text.passages import cut_passages, passage_text
from retrieval.types import Passage, TermWeights, Vectors

# Passages per window: enough to batch texts of similar length, so that short ones are not padded to the longest, and
# few enough to hold (2,000 x 384 floats are 3 MB).
WINDOW = 2_000
# Texts per batch, which also become durable together: a killed run loses the batches in flight, at most three in this
# process.
EMBEDDED_AT_ONCE = 256


class PassageWeigher(Protocol):
    """Weighs the terms of passages."""

    def passages(self, texts: Sequence[str]) -> list[TermWeights]: ...


@dataclass(slots=True)
class Window:
    """Some posts on their way into the index.

    Attributes:
        batches: Key and text of passages to embed, those of similar length together; one empty batch if there are none.
        vectors: Of the passages that have one by now.
    """

    posts: list[tuple[StoredPost, list[Passage]]]
    keys: list[list[Key]]
    terms: list[TermWeights]
    batches: list[list[tuple[Key, str]]]
    vectors: dict[Key, Vectors]

    @property
    def passages(self) -> int:
        return len(self.terms)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of one batch of a window; `whole` if it was the window's last."""

    window: Window
    keys: list[Key]
    vectors: Vectors
    whole: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sample of posts took, to tell from it what the rest will take.

    Attributes:
        passages: Of the sample; `missing` of them had no vector on disk.
        prepared_s: Seconds to cut and weigh one passage.
        embedded_s: Seconds to embed one that was missing; 0 if none was.
    """

    passages: int
    missing: int
    prepared_s: float
    embedded_s: float


class PostEncoder:
    """From posts to indexed posts, a window at a time.

    Args:
        engine: Where passages are embedded; None is this process.
    """

    def __init__(
        self,
        embedder: Embedder,
        weigher: PassageWeigher,
        cache: EmbeddingCache,
        progress: Progress,
        expected_posts: int = 0,
        engine: EmbeddingEngine | None = None,
    ) -> None:
        self.embedder, self.progress = embedder, progress
        self._weigher, self.cache = weigher, cache
        self._engine = engine or LocalEngine(embedder)
        self._expected_posts, self._posts, self.passages = expected_posts, 0, 0
        self.embedded = 0
        self._under_way = set[Key]()  # given to the engine, not yet in the cache

    def fill(self, posts: Iterable[StoredPost], write: Callable[[list[IndexedPost]], object]) -> None:
        """Pass every post to `write`, indexed, about WINDOW passages at a time; one post is never split.

        One thread reads and cuts posts ahead of the embedding, another writes behind it.

        Raises:
            BaseException: Whatever reading, embedding or writing raised. What was embedded so far is kept.
        """

        def finish(one: Embedded) -> None:
            self._keep(one)
            if one.whole:
                write(self._assembled(one.window))

        # Reported before the first vectors, which take a slow model a while.
        self.progress.embedding(self.passages, max(self.passages, self._expected_posts))
        run_threaded(self._windows(posts), self._embed, finish)

    def tried(self, posts: Sequence[StoredPost], most: int) -> Trial:
        """Encode a sample of the posts, and write nothing. What it embeds is kept, as if it had been embedded later.

        Args:
            most: Passages to embed at most.
        """
        self._cut(posts[: len(posts) // 8])  # what is loaded for the first ones is not counted for all
        started = time.perf_counter()
        window = self._window(self._cut(posts))
        prepared_s = time.perf_counter() - started
        missing = [one for batch in window.batches for one in batch]  # by length
        self._under_way.difference_update(key for key, _ in missing)
        some = missing[:: -(-len(missing) // most)] if missing else []
        # The first ones of many texts make a model get ready.
        seconds = [self._timed(part) for part in (some[::2], some[1::2])]
        return Trial(
            window.passages,
            len(missing),
            prepared_s / max(1, window.passages),
            seconds[1] / max(1, len(some[1::2])) if len(some) > 1 else seconds[0],
        )

    def _timed(self, some: Sequence[tuple[Key, str]]) -> float:
        """Seconds that embedding these took."""
        started = time.perf_counter()
        if some:
            for vectors in self._engine.embed([[text for _, text in some]]):
                self.cache.put([key for key, _ in some], vectors)
            self.embedded += len(some)
        return time.perf_counter() - started

    def indexed(self, posts: Iterable[StoredPost]) -> Iterator[list[IndexedPost]]:
        """The same for a few posts, in this thread only."""
        with closing(self._embed(self._windows(posts))) as done:
            for one in done:
                self._keep(one)
                if one.whole:
                    yield self._assembled(one.window)

    def _windows(self, posts: Iterable[StoredPost]) -> Iterator[Window]:
        some: list[tuple[StoredPost, list[Passage]]] = []
        size = 0
        for stored in posts:
            some += self._cut([stored])
            size += len(some[-1][1])
            if size >= WINDOW:
                yield self._window(some)
                some, size = [], 0
        if some:
            yield self._window(some)

    def _cut(self, posts: Iterable[StoredPost]) -> list[tuple[StoredPost, list[Passage]]]:
        return [
            (stored, cut_passages(stored.post, self.embedder.count_tokens, self.embedder.window)) for stored in posts
        ]

    def _window(self, posts: list[tuple[StoredPost, list[Passage]]]) -> Window:
        texts = [[passage_text(stored.post, passage) for passage in passages] for stored, passages in posts]
        keys = [[self.cache.key(text) for text in of_post] for of_post in texts]
        self.cache.record({stored.post.id: of_post for (stored, _), of_post in zip(posts, keys, strict=True)})
        by_key = dict(zip(chain(*keys), chain(*texts), strict=True))
        # In this order: what enters the cache in between is in one of the two.
        under_way = self._under_way & by_key.keys()
        vectors = self.cache.get(by_key)
        missing = [(key, text) for key, text in by_key.items() if key not in vectors and key not in under_way]
        missing.sort(key=lambda one: (len(one[1]), one[0]))
        self._under_way.update(key for key, _ in missing)
        batches = [missing[at : at + EMBEDDED_AT_ONCE] for at in range(0, len(missing), EMBEDDED_AT_ONCE)]
        return Window(posts, keys, self._weigher.passages(list(chain(*texts))), batches or [[]], vectors)

    def _embed(self, windows: Iterator[Window]) -> Generator[Embedded]:
        begun: deque[tuple[Window, int]] = deque()  # window and number of each batch that the engine has, in order

        def batches() -> Iterator[list[str]]:
            for window in windows:
                for number, batch in enumerate(window.batches):
                    begun.append((window, number))
                    yield [text for _, text in batch]

        for vectors in self._engine.embed(batches()):
            window, number = begun.popleft()
            keys = [key for key, _ in window.batches[number]]
            whole = number + 1 == len(window.batches)
            self.embedded += len(keys)
            self._tell(window, number)
            yield Embedded(window, keys, vectors, whole)
        assert not begun, f"the engine skipped {len(begun)} batches"

    def _tell(self, window: Window, number: int) -> None:
        posts, passages = self._posts + len(window.posts), self.passages + window.passages
        left = sum(map(len, window.batches[number + 1 :]))
        if number + 1 == len(window.batches):
            self._posts, self.passages = posts, passages
        # Assumes as many passages per post in the rest as so far.
        self.progress.embedding(passages - left, round(passages * max(1.0, self._expected_posts / max(1, posts))))

    def _keep(self, one: Embedded) -> None:
        vectors = self.cache.put(one.keys, one.vectors)
        one.window.vectors |= vectors
        self._under_way.difference_update(vectors)

    def _assembled(self, window: Window) -> list[IndexedPost]:
        # What was under way when the window was made is in the cache by now: windows complete in order.
        late = {key for of_post in window.keys for key in of_post if key not in window.vectors}
        vectors = window.vectors | self.cache.get(late)
        terms = iter(window.terms)
        return [
            IndexedPost(
                stored,
                tuple(passages),
                np.stack([vectors[key] for key in of_post]),
                tuple(next(terms) for _ in of_post),
            )
            for (stored, passages), of_post in zip(window.posts, window.keys, strict=True)
        ]
