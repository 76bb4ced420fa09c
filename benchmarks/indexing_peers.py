"""txtai and Chroma, filled with the same texts by the same model."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from benchmarks.indexing_measures import posts_of, texts_of

if TYPE_CHECKING:
    from benchmarks.peer_embedder import PeerEmbedder


def child_txtai(args: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.peers import txtai_embeddings

    texts = texts_of(posts_of(args))
    embeddings = txtai_embeddings(_embedder(args).embed_passages)
    embeddings.index([("warm", "warm", None)])
    started = time.perf_counter()
    embeddings.index((post_id, text, None) for post_id, text in texts)
    return _rate(len(texts), started)


def child_chroma(args: argparse.Namespace) -> dict[str, Any]:
    import chromadb

    texts = [tuple(one) for one in json.loads((args.data / "texts.json").read_text("utf-8"))]
    embedder = _embedder(args)
    embedder.embed_passages(["warm"] * 64)
    client = chromadb.PersistentClient(str(args.data / "chroma"))
    collection = client.create_collection("posts", embedding_function=None)
    started = time.perf_counter()
    for at in range(0, len(texts), 1_000):
        some = texts[at : at + 1_000]
        vectors = embedder.embed_passages([text for _, text in some])
        collection.upsert([post_id for post_id, _ in some], embeddings=vectors, documents=[text for _, text in some])
    return _rate(len(texts), started)


def _embedder(args: argparse.Namespace) -> PeerEmbedder:
    """Stipple's embedder, from the files beside the index that was filled before."""
    import torch

    from benchmarks.peer_embedder import peer_embedder
    from retrieval.settings import Settings

    torch.set_num_threads(args.threads)
    return peer_embedder(Settings(data_dir=args.data / "data", threads=args.threads, _env_file=None), args.embed)


def _rate(posts: int, started: float) -> dict[str, Any]:
    seconds = time.perf_counter() - started
    return {"posts": posts, "seconds": round(seconds, 2), "posts_per_s": round(posts / seconds, 1)}
