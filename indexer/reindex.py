"""One run: stage what is offered, compare it with what is stored, and where anything is new, fill the next generation.

A generation is always whole: posts that were not offered are carried over. What makes that cheap is the cache of
embeddings: a text that was embedded once, by this run or one that was interrupted, is not embedded again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from indexer.embedding_cache import EmbeddingCache, Key
from indexer.plan import PlanCounts, plan_reindex
from indexer.progress import Progress
from indexer.readers.jsonl import Offered
from indexer.rejects import Rejected, RejectsLog
from indexer.staging import Staging, Standing, naming_disk_trouble, require_room
from retrieval.embedding import Embedder
from retrieval.errors import FixableError
from retrieval.store import GenerationInfo, IndexedPost, PostStore, StoredPost, TermWeights, Vectors
from retrieval.text import content_hash, cut_passages, passage_text
from retrieval.types import Passage

COMPARED_AT_ONCE = 1_000
# Passages that are looked at together: enough to put texts of like length into one batch, where short ones are
# not padded to the longest, and few enough to hold (2,000 x 384 floats are 3 MB).
WINDOW = 2_000
EMBEDDED_AT_ONCE = 256  # and made durable together: what a killed run has to embed again
LEAST_ROOM_BYTES = 100_000_000


class PassageWeigher(Protocol):
    """Gives the terms of passages their weights."""

    def passages(self, texts: Sequence[str]) -> list[TermWeights]: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        posts, passages: In the current generation, after the run.
        carried: Posts that were stored, not offered, and kept.
        embedded: Passages that the model read; the others' vectors were on disk.
        generation: Name of the current generation, after the run.
        written: Whether it is a new one.
    """

    posts: int
    passages: int
    added: int
    changed: int
    unchanged: int
    carried: int
    rejected: int
    embedded: int
    seconds: float
    generation: str
    written: bool

    def __str__(self) -> str:
        counts = (
            f"{self.added:,} added, {self.changed:,} changed, {self.unchanged:,} unchanged, {self.rejected:,} rejected"
        )
        if self.carried:
            counts += f", {self.carried:,} not offered and kept"
        if not self.written:
            return f"nothing new in {self.seconds:.1f} s: {counts}; generation {self.generation} stays"
        indexed = f"indexed {self.posts:,} posts ({self.passages:,} passages) in {self.seconds:.0f} s"
        return f"{indexed}: {counts}; generation {self.generation}"


def reindex(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    offered: Iterable[Offered | Rejected],
    *,
    data_dir: Path,
    progress: Progress,
    rejects: RejectsLog,
    index_here: bool = True,
) -> Summary:
    """Bring the index up to what is offered; readers use the old generation until the new one is whole.

    Args:
        data_dir: For the staged posts, deleted at the end, and the cache of embeddings.
        rejects: Given the lines that are no posts, and the second line of each id.
        index_here: Whether the store's generations lie on the disk of `data_dir`, so that its room is theirs.

    Raises:
        IndexLocked: Another process is writing.
        FixableError: There is no post at all, or the disk is full or forbidden. The old generation stays, as it
            does after any other exception.
    """
    started = time.monotonic()
    with naming_disk_trouble(data_dir), store.writing(), Staging(data_dir / "staging.sqlite") as staging:
        _stage(staging, offered, progress, rejects)
        counts = PlanCounts()
        for pairs in staging.hashes(COMPARED_AT_ONCE):
            counts = counts.plus(plan_reindex(pairs, store.stored_hashes([post_id for post_id, _ in pairs])))

        now = _current(store)
        if counts.offered == 0 and (now is None or now.posts == 0):
            raise FixableError(
                f"there is no post to index: all {rejects.count:,} lines were rejected",
                "mend the lines as their messages say; docs/posts.md shows how to read an export with other fields",
            )
        # Changed and unchanged posts are those of the offered ones that are stored; the rest of the stored ones stays.
        carried = (now.posts if now else 0) - counts.changed - counts.unchanged
        embedded = 0
        written = now is None or not counts.nothing_new or now.identity != embedder.identity
        if written:
            posts = chain(staging.posts(), staging.without_staged(store.stored_posts()))
            with EmbeddingCache(data_dir / "embeddings.sqlite", embedder.identity) as cache:
                filling = _Filling(embedder, weigher, cache, progress, expected_posts=counts.offered + carried)
                room = _Room(data_dir, _passage_bytes(embedder) if index_here else 0)
                now = _fill(store, filling, posts, before=now, room=room)
            embedded = filling.embedded
        assert now is not None, "a run that wrote nothing found a generation"
        return Summary(
            now.posts, now.passages, counts.added, counts.changed, counts.unchanged, carried, rejects.count, embedded,
            time.monotonic() - started, now.name, written,
        )  # fmt: skip


def _stage(staging: Staging, offered: Iterable[Offered | Rejected], progress: Progress, rejects: RejectsLog) -> None:
    for number, found in enumerate(offered, start=1):
        progress.reading(number)
        if isinstance(found, Rejected):
            rejects.add(found)
            continue
        first = staging.add(StoredPost(found.post, content_hash(found.post)), Standing(found.source, found.line))
        if first is not None:
            problem = f"is {found.post.id!r}, as in {first.source}:{first.line}"
            rejects.add(Rejected(found.source, found.line, "id", problem, "each id once", found.raw))


def _current(store: PostStore) -> GenerationInfo | None:
    name = store.current()
    return next((info for info in store.generations() if info.name == name), None)


def _fill(
    store: PostStore, filling: _Filling, posts: Iterable[StoredPost], before: GenerationInfo | None, room: _Room
) -> GenerationInfo:
    """Write, switch, and delete all generations but the new one and the one before."""
    room.require(0)
    writer = store.begin(filling.embedder.identity)
    try:
        for window in filling.windows(posts):
            writer.upsert(filling.indexed(window))
            room.require(filling.passages)
        filling.progress.finishing()
        written = writer.finish()
    except BaseException:  # also Ctrl-C: half a generation is of no use to anybody
        writer.discard()
        raise
    store.switch(written.name)
    for info in store.generations():
        if info.name != written.name and (before is None or info.name != before.name):
            store.drop(info.name)
    return written


@dataclass(frozen=True, slots=True)
class _Room:
    """The disk of a folder, and how much of it is asked for."""

    folder: Path
    passage_bytes: int

    def require(self, passages: int) -> None:
        require_room(self.folder, LEAST_ROOM_BYTES + passages * self.passage_bytes)


def _passage_bytes(embedder: Embedder) -> int:
    """What building the search structures takes for each passage, on top of what is written already: its vector,
    copied and linked to its neighbours, and its terms and payload. Measured: 4,500 in all, of 384 dimensions.
    """
    return 2 * 4 * embedder.identity.dimension + 2_000


class _Filling:
    """From posts to indexed posts, a window at a time."""

    def __init__(
        self,
        embedder: Embedder,
        weigher: PassageWeigher,
        cache: EmbeddingCache,
        progress: Progress,
        expected_posts: int,
    ) -> None:
        self.embedder, self.progress = embedder, progress
        self._weigher, self._cache = weigher, cache
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
        keys = [[self._cache.key(text) for text in of_post] for of_post in texts]
        self._cache.record({stored.post.id: of_post for (stored, _), of_post in zip(window, keys, strict=True)})
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
        vectors = self._cache.get(texts)
        missing = sorted(texts.keys() - vectors.keys(), key=lambda key: (len(texts[key]), key))
        self._posts += posts
        # As many passages to a post in what is to come as in what has been seen.
        expected = round((self.passages + passages) * max(1.0, self._expected_posts / self._posts))
        for at in range(0, len(missing), EMBEDDED_AT_ONCE):
            self.progress.embedding(self.passages + passages - (len(missing) - at), expected)
            some = missing[at : at + EMBEDDED_AT_ONCE]
            vectors |= self._cache.put(some, self.embedder.embed_passages([texts[key] for key in some]))
            self.embedded += len(some)
        self.passages += passages
        self.progress.embedding(self.passages, expected)
        return vectors
