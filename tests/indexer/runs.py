"""An index in a folder, runs over it, and the posts that are offered to them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.engines.engine import EmbeddingEngine
from indexer.progress import QuietProgress
from indexer.readers.formats.jsonl import Offered
from indexer.rejects import Rejected, RejectsLog
from indexer.run.reindex import RunOptions, reindex
from indexer.run.summary import Summary
from retrieval.models.embedding import HashEmbedder
from retrieval.stores.contract import StoredPost
from retrieval.text.content_hash import content_hash
from retrieval.types import Post, TermWeights, Vectors
from tests.indexer.memory_store import MemoryStore


class CountingEmbedder(HashEmbedder):
    """Counts what it embeds, and can be interrupted."""

    def __init__(self, name: str = "hash", dies_after: int | None = None) -> None:
        super().__init__(name=name)
        self.read: list[str] = []
        self._dies_after = dies_after

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self._dies_after is not None and len(self.read) >= self._dies_after:
            raise KeyboardInterrupt
        self.read += texts
        return super().embed_passages(texts)


class LengthWeigher:
    """One term per passage: its length."""

    def passages(self, texts: Sequence[str]) -> list[TermWeights]:
        return [TermWeights((len(text),), (1.0,)) for text in texts]


PLAIN = RunOptions()


class Run:
    """An index in a folder, and the runs over it."""

    def __init__(self, folder: Path, copies: bool = True) -> None:
        self.folder, self.store, self.shown = folder, MemoryStore(copies), io.StringIO()

    def __call__(
        self,
        *found: Post | Rejected,
        embedder: HashEmbedder | None = None,
        engine: EmbeddingEngine | None = None,
        options: RunOptions = PLAIN,
    ) -> Summary:
        offered = [
            Offered(one, "posts.jsonl", line, b"{}") if isinstance(one, Post) else one
            for line, one in enumerate(found, start=1)
        ]
        progress = QuietProgress(self.shown)
        with RejectsLog(self.folder / "rejects" / "now.rejects.jsonl", progress.saying) as rejects:
            return reindex(
                self.store, embedder or CountingEmbedder(), LengthWeigher(), offered,
                data_dir=self.folder, progress=progress, rejects=rejects, engine=engine, options=options,
            )  # fmt: skip


def a_post(post_id: str, text: str | None = None) -> Post:
    return Post(id=post_id, title="", text=text or f"coffee number {post_id}", language="en")


BAD = Rejected("posts.jsonl", 9, "likes", "is '5'", "a whole number")


def many(count: int, **fields: Any) -> list[Post]:
    return [replace(a_post(str(number)), **fields) for number in range(count)]


def stored(post: Post) -> StoredPost:
    return StoredPost(post, content_hash(post))
