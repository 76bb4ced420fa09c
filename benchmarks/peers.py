"""The peers: txtai's hybrid search and bm25s with jieba. Each runs in a process of its own, started by search.py,
which tells it on standard input what to do: one JSON object a line, answered by one.

Where a choice was open, it is the one that serves the peer: txtai gives ids and scores alone (no content to fetch), and
gets the vectors that Stipple's index holds instead of making its own. Its embedder is Stipple's, which may be several
models joined, by txtai's interface for a function of one's own (`method="external"`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.evaluation.judged_folder import JudgedFolder, read_folder
from app.evaluation.ranking_quality import measured_each
from benchmarks.load import ask
from benchmarks.peer_embedder import HOWS, PeerEmbedder, peer_embedder
from retrieval.settings import load_settings
from retrieval.text.folding import fold
from retrieval.text.passages import passage_text
from retrieval.types import Passage, Post, Vectors

Ranked = Callable[[str], list[tuple[str, float]]]


def text_of(post: Post) -> str:
    """Title, text and tags, as Stipple embeds them, but never cut."""
    return passage_text(post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))


def txtai_hybrid(posts: Sequence[Post], embedder: PeerEmbedder, cache: Path | None) -> Ranked:
    """Txtai with its defaults but for `hybrid`: the given embedder, a faiss index, and its own BM25."""
    import numpy as np

    texts = [text_of(post) for post in posts]
    known = _vectors(texts, cache) if cache is not None else {}

    def posts_embedded(data: Sequence[str]) -> Vectors:
        missing = [text for text in data if text not in known]
        made = dict(zip(missing, embedder.embed_passages(missing), strict=True)) if missing else {}
        return np.stack([known[text] if text in known else made[text] for text in data])

    embeddings = txtai_embeddings(posts_embedded)
    embeddings.index((post.id, text, None) for post, text in zip(posts, texts, strict=True))
    # From here on every query is embedded, as a query.
    embeddings.model.transform = lambda data: np.stack([embedder.embed_query(text) for text in data])
    return lambda query: list(embeddings.search(query, 10))


def txtai_embeddings(embed: Callable[[Sequence[str]], Vectors]) -> Any:
    """An empty hybrid index of txtai that embeds by this function."""
    from txtai import Embeddings

    return Embeddings(method="external", transform=lambda data: embed(data), hybrid=True)  # noqa: PLW0108  # txtai calls anything but a plain function once, for one


def _vectors(texts: Sequence[str], cache: Path) -> dict[str, Any]:
    """Vectors that Stipple made of exactly these texts."""
    from indexer.pipeline.embedding_cache import EmbeddingCache
    from retrieval.models.factory import load_embedder

    with EmbeddingCache(cache, load_embedder(load_settings()).identity) as kept:
        by_key = {kept.key(text): text for text in texts}
        return {by_key[key]: vector for key, vector in kept.get(by_key).items()}


def bm25s_jieba(posts: Sequence[Post], *_: object) -> Ranked:
    """bm25s with its defaults over jieba's words, after the same folding as Stipple's."""
    import bm25s
    import jieba

    jieba.setLogLevel(60)

    def words(text: str) -> list[str]:
        return [word for word in jieba.lcut(fold(text)) if any(map(str.isalnum, word))]

    index = bm25s.BM25()
    index.index([words(text_of(post)) for post in posts], show_progress=False)
    limit = min(10, len(posts))

    def search(query: str) -> list[tuple[str, float]]:
        tokens = words(query)
        if not tokens:
            return []
        found, scores = index.retrieve([tokens], k=limit, show_progress=False)
        return [(posts[number].id, float(score)) for number, score in zip(found[0], scores[0], strict=True)]

    return search


PEERS: dict[str, Callable[..., Ranked]] = {"txtai": txtai_hybrid, "bm25s": bm25s_jieba}


def ndcg(search: Ranked, folder: JudgedFolder) -> float:
    rankings = {query.id: dict(search(query.text)) for query in folder.judged}
    values = measured_each(folder.judged, rankings)["nDCG@10"]
    return round(sum(values) / len(values), 4)


def main() -> None:
    """Index the posts, say so, then do what each line asks for:

    {"queries": […], "clients": 16} -> {"waits_ms": […], "seconds": 1.5}
    {"judged": "folder"} -> {"dataset": "folder's name", "nDCG@10": .5}
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--posts", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--embed", choices=HOWS, default=HOWS[0])
    args = parser.parse_args()

    with args.posts.open(encoding="utf-8") as lines:
        posts = [Post(raw["id"], raw["title"], raw["text"], tags=tuple(raw["tags"])) for raw in map(json.loads, lines)]
    build = PEERS[args.peer]
    embedder = peer_embedder(load_settings(), args.embed) if args.peer == "txtai" else None
    search = build(posts, embedder, args.cache)
    print(json.dumps({"ready": True}), flush=True)
    for wish in map(json.loads, sys.stdin):
        if "judged" in wish:
            folder = read_folder(Path(wish["judged"]))
            value = ndcg(build(folder.posts, embedder, None), folder)
            said: dict[str, Any] = {"dataset": folder.name, "nDCG@10": value}
        else:
            said = ask(lambda: search, wish["queries"], wish["clients"])._asdict()
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
