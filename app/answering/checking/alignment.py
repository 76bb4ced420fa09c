"""Each content token of a claim with the most similar token of the evidence, in context.

Source of the idea: Zhang et al., "BERTScore: Evaluating Text Generation with BERT", ICLR 2020 (its recall).
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.models.token_vectors import TokenVectors
from retrieval.text.folding import fold
from retrieval.text.highlight import query_words
from retrieval.types import Vectors

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_KEPT = 512


class TokenReader:
    """Embeds texts token by token and keeps the last few hundred. Safe in several threads."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._read: OrderedDict[str, TokenVectors] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, texts: Sequence[str]) -> list[TokenVectors]:
        with self._lock:
            found = {text: self._read[text] for text in texts if text in self._read}
        unread = list(dict.fromkeys(text for text in texts if text not in found))
        found |= dict(zip(unread, self.embedder.embed_tokens(unread), strict=True))
        with self._lock:
            for text, vectors in found.items():
                self._read[text] = vectors
                self._read.move_to_end(text)
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return [found[text] for text in texts]


def likeness(claim: str, read: TokenVectors, evidence: Sequence[TokenVectors]) -> Vectors:
    """(tokens, evidence) float32: for each content token of the claim, its cosine with the most similar token of each.

    A claim without content tokens is compared by all its tokens. (0, n) where the model gives no tokens.
    """
    if not len(read.tokens):
        return np.zeros((0, len(evidence)), np.float32)
    telling = set(query_words(claim))
    places = [
        word.span() for word in _WORD.finditer(claim) if fold(word.group()) in telling or not word.group().isascii()
    ]
    kept = [at for at, span in enumerate(read.spans) if any(start <= span.start < end for start, end in places)]
    mine = read.tokens[kept] if kept else read.tokens
    best = [(mine @ one.tokens.T).max(1) if len(one.tokens) else np.zeros(len(mine), np.float32) for one in evidence]
    return np.stack(best, axis=1) if best else np.zeros((len(mine), 0), np.float32)
