"""txtai and Chroma, filled with the same texts by the same model."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.indexing_measures import posts_of, texts_of


def child_txtai(args: argparse.Namespace) -> dict[str, Any]:
    import torch
    from txtai import Embeddings

    from retrieval.models.files import bundled_folder

    torch.set_num_threads(args.threads)
    texts = texts_of(posts_of(args))
    embeddings = Embeddings(path=str(bundled_folder()), method="sentence-transformers", hybrid=True, gpu=False)
    embeddings.index([("warm", "warm", None)])
    started = time.perf_counter()
    embeddings.index((post_id, text, None) for post_id, text in texts)
    return _rate(len(texts), started)


def child_chroma(args: argparse.Namespace) -> dict[str, Any]:
    import chromadb
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)
    texts = [tuple(one) for one in json.loads((args.data / "texts.json").read_text("utf-8"))]
    model = SentenceTransformer(str(args.model), local_files_only=True)
    model.encode(["warm"] * 64)
    client = chromadb.PersistentClient(str(args.data / "chroma"))
    collection = client.create_collection("posts", embedding_function=None)
    started = time.perf_counter()
    for at in range(0, len(texts), 1_000):
        some = texts[at : at + 1_000]
        vectors = model.encode([text for _, text in some])
        collection.upsert([post_id for post_id, _ in some], embeddings=vectors, documents=[text for _, text in some])
    return _rate(len(texts), started)


def _rate(posts: int, started: float) -> dict[str, Any]:
    seconds = time.perf_counter() - started
    return {"posts": posts, "seconds": round(seconds, 2), "posts_per_s": round(posts / seconds, 1)}
