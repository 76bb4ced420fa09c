"""A temporary index of judged posts, made as a reindex makes one, so that measurements match what is served."""

from __future__ import annotations

import hashlib
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm import tqdm

from retrieval.models.cross_encoder import Reranker, RerankPool
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.reranking import Reranking
from retrieval.search.search import Searcher
from retrieval.settings import Settings
from retrieval.stores.contract import IndexedPost, StoredPost
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.content_hash import content_hash
from retrieval.text.passages import cut_passages, passage_text
from retrieval.text.terms import TermWeigher
from retrieval.types import Passage, Post, Vectors

_POSTS_AT_ONCE = 1_000
_PASSAGES_AT_ONCE = 1_024
# R@100 considers 100 posts; where posts have several passages, more than 100 passages must be retrieved.
_POSTS_MEASURED = 100
_MOST_CANDIDATES = 1_000
_UNHURRIED_S = 3_600.0


@contextmanager
def trial_searcher(
    posts: Sequence[Post],
    embedder: Embedder,
    settings: Settings,
    weights: DenseWeights,
    reranker: Reranker | None = None,
) -> Iterator[Searcher]:
    """A Searcher over these posts, in a folder that is deleted afterwards; its reranker has no time limit.

    The embeddings are kept in data_dir/evaluation, since the same sets are measured again and again.
    """
    cut = [tuple(cut_passages(post, embedder.count_tokens, embedder.window)) for post in posts]
    vectors = _embedded(posts, cut, embedder, settings.data_dir / "evaluation")
    weigher = TermWeigher()
    with tempfile.TemporaryDirectory(prefix="stipple-trial-") as folder:
        store = EdgeStore(Path(folder))
        with store.writing():
            writer = store.begin(embedder.identity)
            for at in range(0, len(posts), _POSTS_AT_ONCE):
                some = slice(at, at + _POSTS_AT_ONCE)
                writer.upsert(_indexed(posts[some], cut[some], vectors[some], weigher))
            store.switch(writer.finish().name)
        live = LiveGeneration(store, embedder.identity)
        pool = RerankPool(reranker, _UNHURRIED_S) if reranker is not None else None
        try:
            yield Searcher(
                live,
                embedder,
                weigher,
                dense_weight_known=weights.known,
                dense_weight_unknown=weights.unknown,
                candidates=candidates_for(settings.candidates, len(posts), sum(map(len, cut))),
                reranking=Reranking(pool, settings.rerank_hits) if pool is not None else None,
            )
        finally:
            if pool is not None:
                pool.close()
            live.close()


def prepared(posts: Sequence[Post], embedder: Embedder, weigher: TermWeigher, kept_in: Path) -> list[IndexedPost]:
    """Posts as a reindex would write them: cut, embedded and weighed. All are held in memory.

    Args:
        kept_in: Folder of the embeddings of earlier measurements.
    """
    cut = [tuple(cut_passages(post, embedder.count_tokens, embedder.window)) for post in posts]
    return _indexed(posts, cut, _embedded(posts, cut, embedder, kept_in), weigher)


def candidates_for(usual: int, posts: int, passages: int) -> int:
    """Passages to retrieve from each side to get about 100 posts, if that is more than usual.

    >>> candidates_for(100, 1000, 1000), candidates_for(100, 1000, 2500)
    (100, 250)
    """
    return min(max(usual, math.ceil(_POSTS_MEASURED * passages / max(posts, 1))), _MOST_CANDIDATES)


def _indexed(
    posts: Sequence[Post], cut: Sequence[tuple[Passage, ...]], vectors: Sequence[Vectors], weigher: TermWeigher
) -> list[IndexedPost]:
    return [
        IndexedPost(
            StoredPost(post, content_hash(post)),
            passages,
            own,
            tuple(weigher.passages([passage_text(post, passage) for passage in passages])),
        )
        for post, passages, own in zip(posts, cut, vectors, strict=True)
    ]


def _embedded(
    posts: Sequence[Post], cut: Sequence[Sequence[Passage]], embedder: Embedder, kept_in: Path
) -> list[Vectors]:
    """The vectors of each post's passages: read from the file of an earlier measurement, or embedded now."""
    texts = [passage_text(post, passage) for post, passages in zip(posts, cut, strict=True) for passage in passages]
    digest = hashlib.blake2b(embedder.identity.model.encode(), digest_size=16)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    path = kept_in / f"{digest.hexdigest()}.npy"
    vectors = _read(path, (len(texts), embedder.identity.dimension))
    if vectors is None:
        vectors = _embed(texts, embedder)
        kept_in.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new.npy")
        np.save(draft, vectors)
        draft.replace(path)
    return np.split(vectors, np.cumsum([len(passages) for passages in cut])[:-1])


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    try:
        vectors: Vectors = np.load(path)
    except (OSError, ValueError, EOFError):  # missing or damaged: it is made again
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None


def _embed(texts: Sequence[str], embedder: Embedder) -> Vectors:
    vectors = np.zeros((len(texts), embedder.identity.dimension), np.float32)
    # Texts of similar length together, so that short ones are not padded to the longest.
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    with tqdm(total=len(texts), desc="embedding", unit="passage", file=sys.stderr, leave=False, mininterval=1) as bar:
        for at in range(0, len(order), _PASSAGES_AT_ONCE):
            some = order[at : at + _PASSAGES_AT_ONCE]
            vectors[some] = embedder.embed_passages([texts[number] for number in some])
            bar.update(len(some))
    return vectors
