"""Memory of a run over many posts that are streamed, without a model."""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.indexing_measures import fill

_DIMENSION = 384


class Stored:
    """Vectors as if they lay on disk: random numbers that a text stands for."""

    languages, window = None, 254

    def __init__(self) -> None:
        from retrieval.types import Identity

        self.identity = Identity("stored@0", _DIMENSION)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 + 1 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Any:
        seeds = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts]
        # Around some of 200 topics, as posts are: numbers that are like nothing else take twice as long to link.
        topics = np.random.default_rng(0).standard_normal((200, _DIMENSION), dtype=np.float32)
        rows = [
            topics[seed % 200] + 0.7 * np.random.default_rng(seed).standard_normal(_DIMENSION, dtype=np.float32)
            for seed in seeds
        ]
        vectors = np.stack(rows) if rows else np.zeros((0, _DIMENSION), np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def child_memory(args: argparse.Namespace) -> dict[str, Any]:
    """Stream posts through everything but a model."""
    posts = args.data / "posts.jsonl"
    with posts.open("w", encoding="utf-8") as file:
        for line in made_up(args.memory):
            file.write(line)
    import retrieval.stores.edge.store
    import retrieval.text.terms  # noqa: F401  # what is loaded once is not what posts take

    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = fill([str(posts)], [], args.data / "index-of-many", Stored())
    return figures | {"before_mb": round(before_mb), "above_mb": round(figures["peak_mb"] - before_mb)}


def made_up(count: int) -> Iterator[str]:
    """Short posts, as lines: 20 words of a vocabulary in which few are frequent and many rare."""
    random = np.random.default_rng(7)
    words = [f"{first}{middle}{last}" for first in "bcdfghklmnprst" for middle in ("a", "e", "ai", "o", "u") for last in
             ("ner", "sel", "din", "gle", "ton", "ry", "mp", "st", "lk", "ve")]  # fmt: skip
    for number in range(count):
        chosen = np.minimum((random.pareto(0.8, 20) * 3).astype(int), len(words) ** 2 - 1)
        text = " ".join(
            words[one % len(words)] + (words[one // len(words)] if one >= len(words) else "") for one in chosen
        )
        yield (
            json.dumps({"id": f"p{number}", "text": text, "author": f"a{number % 5000}", "tags": [words[number % 300]]})
            + "\n"
        )


def anonymous_mb(pid: int) -> int:
    """Memory of a process that is not a file's, in MB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("RssAnon")), 0)
