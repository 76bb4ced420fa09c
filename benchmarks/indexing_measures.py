"""One run of `stipple reindex`, timed; the vectors that it stored, and how much it had to read."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from retrieval.types import Post


class Timed:
    """An embedder, and how long it worked; it keeps every eighth batch."""

    def __init__(self, embedder: Any) -> None:
        self._embedder, self.seconds, self.passages = embedder, 0.0, 0
        self._kept: list[tuple[Sequence[str], float]] = []
        self._batches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_passages(self, texts: Sequence[str]) -> Any:
        started = time.perf_counter()
        vectors = self._embedder.embed_passages(texts)
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self.passages += len(texts)
        self._batches += 1
        if self._batches % 8 == 0:
            self._kept.append((texts, seconds))
        return vectors

    def alone_s(self) -> float:
        """How long all of it takes when nothing else goes on, by the batches that were kept."""
        busy_s = sum(seconds for _, seconds in self._kept)
        if not busy_s:
            return self.seconds
        started = time.perf_counter()
        for texts, _ in self._kept:
            self._embedder.embed_passages(texts)
        return self.seconds * (time.perf_counter() - started) / busy_s


def fill(paths: Sequence[str], moves: Sequence[str], data: Path, embedder: Any) -> dict[str, Any]:
    """One run of `stipple reindex`."""
    from indexer.progress import QuietProgress
    from indexer.readers.mapping.mapping_file import mapping_of
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import find_sources, read_posts
    from indexer.rejects import RejectsLog
    from indexer.run.reindex import reindex
    from retrieval.settings import Settings
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    settings = Settings(data_dir=data, _env_file=None)
    timed, progress, started = Timed(embedder), QuietProgress(StringIO()), time.perf_counter()
    options = ReadOptions(mapping=mapping_of(moves), ignore_unknown=True)
    offered = read_posts(find_sources(paths), sys.stdin.buffer, options)
    with RejectsLog(data / "rejects.jsonl", progress.saying) as rejects:
        summary = reindex(
            open_store(settings), timed, TermWeigher(), offered, data_dir=data, progress=progress, rejects=rejects
        )
    seconds, peak_mb = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    alone_s = timed.alone_s()
    return {
        "posts": summary.posts, "passages": summary.passages, "added": summary.added, "changed": summary.changed,
        "unchanged": summary.unchanged, "rejected": summary.rejected, "seconds": round(seconds, 2),
        "embedding_s": round(timed.seconds, 2), "embedding_alone_s": round(alone_s, 2),
        "posts_per_s": round((summary.added + summary.changed) / seconds, 1),
        "passages_per_s": round(timed.passages / seconds, 1), "peak_mb": round(peak_mb),
    }  # fmt: skip


def child_fill(args: argparse.Namespace) -> dict[str, Any]:
    from retrieval.models.factory import load_embedder
    from retrieval.settings import Settings

    settings = Settings(data_dir=args.data, threads=args.threads, _env_file=None)
    embedder = load_embedder(settings)
    embedder.embed_passages(["warm"] * 64)
    return fill([str(path) for path in args.posts], args.moves, args.data, embedder)


def child_cosine(args: argparse.Namespace) -> dict[str, Any]:
    """Stored vectors against float32."""
    from itertools import islice

    from indexer.pipeline.embedding_cache import EmbeddingCache
    from retrieval.models.factory import load_embedder
    from retrieval.settings import Settings
    from retrieval.stores.factory import open_store
    from retrieval.text.passages import cut_passages, passage_text

    settings = Settings(data_dir=args.data, _env_file=None)
    identity = load_embedder(settings).identity
    exact = load_embedder(settings.model_copy(update={"embedding_dtype": "float32"}))
    texts = [
        passage_text(stored.post, passage)
        for stored in islice(open_store(settings).stored_posts(), 500)
        for passage in cut_passages(stored.post, exact.count_tokens, exact.window)[:1]
    ]
    with EmbeddingCache(args.data / "embeddings.sqlite", identity) as cache:
        kept = cache.get([cache.key(text) for text in texts])
        vectors = np.stack([kept[cache.key(text)] for text in texts])
    cosines = np.sum(vectors * exact.embed_passages(texts), axis=1)
    return {"lowest_cosine": round(float(cosines.min()), 5), "mean_cosine": round(float(cosines.mean()), 6)}


def child_tokens(args: argparse.Namespace) -> dict[str, Any]:
    """How much there is to read: of our passages, and of what the peers read of each post."""
    from retrieval.models.factory import load_embedder
    from retrieval.settings import Settings
    from retrieval.text.passages import cut_passages, passage_text

    embedder = load_embedder(Settings(_env_file=None))
    posts = posts_of(args)
    ours = [
        passage_text(post, passage)
        for post in posts
        for passage in cut_passages(post, embedder.count_tokens, embedder.window)
    ]
    theirs = [min(count, embedder.window) for count in embedder.count_tokens([text for _, text in texts_of(posts)])]
    return {"passages": len(ours), "tokens": sum(embedder.count_tokens(ours)), "peers_tokens": sum(theirs)}


def posts_of(args: argparse.Namespace) -> list[Post]:
    """The posts of the files; lines that are none are left out."""
    from indexer.readers.formats.jsonl import Offered
    from indexer.readers.mapping.mapping_file import mapping_of
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import find_sources, read_posts

    options = ReadOptions(mapping=mapping_of(args.moves), ignore_unknown=True)
    sources = find_sources([str(path) for path in args.posts])
    return [one.post for one in read_posts(sources, sys.stdin.buffer, options) if isinstance(one, Offered)]


def texts_of(posts: Sequence[Post]) -> list[tuple[str, str]]:
    """Id, and title, text and tags, of each post: what the peers get."""
    from benchmarks.peers import text_of

    return [(post.id, text_of(post)) for post in posts]


def sized(posts: Sequence[Path], size: int | None, folder: Path) -> Path:
    """The first lines of the files, as one file; ids stay unique."""
    whole = folder / "posts.jsonl"
    with whole.open("w", encoding="utf-8") as written:
        lines = (line for path in posts for line in path.open(encoding="utf-8"))
        for number, line in enumerate(lines):
            if number == size:
                break
            written.write(line.rstrip("\n") + "\n")
    return whole


def changed(whole: Path, moves: Sequence[str]) -> Path:
    """Every hundredth post with another text."""
    field = next((move.partition("=")[2] for move in moves if move.startswith("text=")), "text")
    other = whole.with_name("changed.jsonl")
    with whole.open(encoding="utf-8") as lines, other.open("w", encoding="utf-8") as written:
        for number, line in enumerate(lines):
            if number % 100 == 0:
                raw = json.loads(line)
                raw[field] = f"{raw.get(field) or ''} And it was edited."
                written.write(json.dumps(raw, ensure_ascii=False) + "\n")
            else:
                written.write(line)
    return other
