"""An embedder's vector of each token in a text, before pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.models.query_encoder import use_threads
from retrieval.types import Span, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 32


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """One text, token by token.

    Attributes:
        whole: (dimension,) float32 of L2 norm 1: the vector of the whole text.
        tokens: (n, width) float32, each row of L2 norm 1: the last hidden states, which include their context; n = 0 if
            the model has none. Comparable only within one embedder.
        spans: Position of each token in the text, in code points.
    """

    whole: Vectors
    tokens: Vectors
    spans: tuple[Span, ...]


def read_tokens(model: SentenceTransformer, texts: Sequence[str], prompt: str) -> list[TokenVectors]:
    """Read texts with the passage prompt before each. Not safe to call from several threads.

    Uses one processor thread: texts are few and short, and the threads of a busy machine wait for one another.
    """
    if not texts:
        return []
    use_threads(1)
    prompted = [prompt + text for text in texts]
    read: Any = model.encode(
        prompted, batch_size=_BATCH, output_value=None, convert_to_numpy=False, normalize_embeddings=False,
        show_progress_bar=False, prompt="",
    )  # fmt: skip
    encoded = model.tokenizer(
        prompted, truncation=True, max_length=int(model.max_seq_length or 512), return_offsets_mapping=True,
        return_special_tokens_mask=True, verbose=False,
    )  # fmt: skip
    found: list[TokenVectors] = []
    for one, offsets, special in zip(read, encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True):
        states = one.get("token_embeddings")
        whole = unit_rows(one["sentence_embedding"].float().cpu().numpy()[None])[0]
        if states is None or len(states) < len(offsets):
            found.append(TokenVectors(whole, np.zeros((0, len(whole)), np.float32), ()))
            continue
        kept = [
            at
            for at, ((start, end), marks) in enumerate(zip(offsets, special, strict=True))
            if not marks and start >= len(prompt) and end > start
        ]
        spans = tuple(Span(offsets[at][0] - len(prompt), offsets[at][1] - len(prompt)) for at in kept)
        found.append(TokenVectors(whole, unit_rows(states.float().cpu().numpy()[kept]), spans))
    return found


def unit_rows(vectors: Vectors) -> Vectors:
    """Each row divided by its L2 norm; a row of zeros stays zeros."""
    normalised: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return normalised
