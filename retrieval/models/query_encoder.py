"""Queries without the overhead of passage batches: a traced model on one processor thread.

all-MiniLM-L6-v2, bfloat16, short queries, 2 cores, median: SentenceTransformer.encode 7.0 ms on one thread, 14 ms on
two beside another process (at worst .4 s: threads wait for one another); traced 3.3 ms on one thread, 2.5 with packed
weights, 2.1 with whole layers packed, while the other core is free for the next query.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retrieval.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Encode = Callable[[Sequence[str]], Vectors]
Packing = Literal["layers", "linears", "nothing"]
PACKINGS: tuple[Packing, ...] = ("layers", "linears", "nothing")  # the fastest first

# Short, long, longer than any window, both scripts, and neither: a trace must be right for other lengths than its own.
_PROBES = (
    "quiet cafe in Dali",
    "咖啡",
    "上海 brunch 推荐",
    "28",
    "🍜?!",
    "How much is a flat white at the corner stall these days, and do they still open at nine on Sundays?",
    "the loop around the moat is five kilometres and lit until eleven at night " * 60,
)
# Below this the trace is not faithful. Rounding in bfloat16 alone leaves .9999.
_SAME = 0.9995
_REMEMBERED = 1024
_TOGETHER = (2, 7)


class QueryEncoder:
    """Texts to vectors, as `SentenceTransformer.encode` returns them. Safe to call from several threads.

    Args:
        packing: What is packed in advance for the processor's kernels (retrieval/models/packed_linear.py).

    Attributes:
        together: Whether several texts may be given at once.
    """

    def __init__(self, model: SentenceTransformer, *, packing: Packing = "nothing") -> None:
        import tokenizers
        import torch

        # Its own tokenizer: the model's is shared, and other threads change its truncation setting.
        self._tokenizer = tokenizers.Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.enable_truncation(int(model.max_seq_length or 512))
        self._tokenizer.no_padding()
        self._torch = torch
        example = torch.tensor([self._tokenizer.encode(_PROBES[0]).ids])
        self._packed: list[Any] = []
        from transformers.utils import logging as transformers_logging

        verbosity = transformers_logging.get_verbosity()
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # of attributes that tracing reads
        with warnings.catch_warnings(), torch.no_grad():
            # Tracing warns about every branch; `trace` below measures whether one mattered.
            warnings.simplefilter("ignore")
            whole: Any = _whole(model)
            given: tuple[Any, ...] = (example,)
            if packing != "nothing":
                from retrieval.models.packed_linear import PackedModule

                whole = PackedModule(whole, whole_layers=packing == "layers")
                self._packed = whole.weights
                given = (example, *self._packed)
            try:
                traced = torch.jit.trace(whole.eval(), given, check_trace=False)  # type: ignore[no-untyped-call]  # torch gives it no types
                self._traced: Any = torch.jit.freeze(traced)
            finally:
                if packing != "nothing":
                    whole.restore()
        transformers_logging.set_verbosity(verbosity)
        self.together = False
        # A waiting query is asked repeatedly whether it may join a batch.
        self._ids = lru_cache(maxsize=_REMEMBERED)(lambda text: self._tokenizer.encode(text).ids)

    def count(self, text: str) -> int:
        """Tokens of a text, including the special tokens at both ends."""
        return len(self._ids(text))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """(n,) texts of equally many tokens -> (n, dimension) float32, not normalised.

        Without padding, each row equals what its text gives alone, to the last bit; with padding, bfloat16 would round
        differently.
        """
        use_threads(1)
        with self._torch.inference_mode():
            ids = self._torch.tensor([self._ids(text) for text in texts])
            vectors: Vectors = self._traced(ids, *self._packed).float().numpy()
        return vectors


def trace(model: SentenceTransformer, encode: Encode) -> QueryEncoder | None:
    """A QueryEncoder that was verified against `encode`; None if the model cannot be traced faithfully."""
    if model.device.type != "cpu":
        return None  # there a batch of one is cheap, and threads do not matter
    faithful = encode(_PROBES)
    tried = (_seen_to_agree(model, faithful, packing) for packing in PACKINGS)
    return next((encoder for encoder in tried if encoder is not None), None)


def _seen_to_agree(model: SentenceTransformer, faithful: Vectors, packing: Packing) -> QueryEncoder | None:
    try:
        encoder = QueryEncoder(model, packing=packing)
        vectors = np.concatenate([encoder([text]) for text in _PROBES])
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None  # any model may come; the slower path always works
    cosines = np.sum(vectors * faithful, axis=1) / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    if cosines.min() < _SAME:
        return None
    encoder.together = _agree(encoder, vectors)
    return encoder


def _agree(encoder: QueryEncoder, alone: Vectors) -> bool:
    """Whether several texts at once give what each gives alone: a trace may have fixed the batch size, and another
    processor may add in another order.
    """
    try:
        return all(
            np.array_equal(row, vector)
            for number in _TOGETHER
            for text, vector in zip(_PROBES, alone, strict=True)
            for row in encoder([text] * number)
        )
    except RuntimeError:
        return False


def _whole(model: SentenceTransformer) -> Any:
    """All parts of the model as one, from token IDs to the vector of the text."""
    import torch

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = torch.nn.ModuleList(list(model))

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            features: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            for part in self.parts:
                features = part(features)
            embedding: torch.Tensor = features["sentence_embedding"]
            return embedding

    return Whole()


ALL_THREADS = 0
_of_this_thread = threading.local()


def use_threads(count: int) -> None:
    """Let torch use `count` processor threads, or ALL_THREADS, for the calling thread.

    ALL_THREADS means as many as torch had on the first call; other threads are unaffected.
    """
    if getattr(_of_this_thread, "count", None) == count:
        return
    import torch

    # torch keeps one number for later threads and one for the calling thread, and sets both. The first is
    # put back by a thread that ends with it, so that a reranker in a thread of its own still has all the cores.
    later = threading.Thread(target=torch.set_num_threads, args=(_at_start(),))
    torch.get_num_threads()  # a thread takes the number for later ones at its first use of torch; that must be over
    torch.set_num_threads(count or _at_start())
    later.start()
    later.join()
    _of_this_thread.count = count


_start_lock = threading.Lock()
_start: list[int] = []


def _at_start() -> int:
    import torch

    with _start_lock:
        if not _start:
            _start.append(torch.get_num_threads())
        return _start[0]
