"""Passages in batches of similar length, on OpenVINO if it is installed: half the processor time of torch.

all-MiniLM-L6-v2, bfloat16, 2 cores, processor seconds for 775 long passages (110,529 tokens) and 600 titles (6,908):
SentenceTransformer.encode in batches of 64: 15.7 and 1.10; OpenVINO, 4,096 padded tokens at once: 8.5 and .65. The
lowest cosine against float32 is .99997 with OpenVINO, .99989 with torch (docs/decisions/0016-openvino.md).
"""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.models.query_encoder import Encode
from retrieval.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# As in query_encoder: short, long, longer than any window, both scripts, and neither.
_PROBES = (
    "28",
    "🍜?!",
    "咖啡",
    "quiet cafe in Dali",
    "How much is a flat white at the corner stall these days, and do they still open at nine on Sundays?",
    "the loop around the moat is five kilometres and lit until eleven at night " * 60,
)
_SAME = 0.999  # below this the conversion is not faithful


def like_lengths(tokens: Sequence[int], most_padded: int) -> Iterator[list[int]]:
    """Indices of texts in batches of similar length. In each batch, the longest text's tokens times the number of texts
    are at most `most_padded`, except in a batch of a single text.

    >>> list(like_lengths([3, 9, 3, 4], 10))
    [[0, 2], [3], [1]]
    """
    order = sorted(range(len(tokens)), key=tokens.__getitem__)
    batch: list[int] = []
    for place in order:  # each is at least as long as the previous ones
        if batch and tokens[place] * (len(batch) + 1) > most_padded:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


class PassageEncoder:
    """A model converted for OpenVINO. Safe to call from several threads."""

    def __init__(self, model: SentenceTransformer, most_padded: int, bfloat16: bool, threads: int) -> None:
        import openvino
        import tokenizers

        self._most_padded = most_padded
        # Its own tokenizer: the model's is shared, and other threads change its truncation setting.
        self._tokenizer = tokenizers.Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.enable_truncation(int(model.max_seq_length or 512))
        self._tokenizer.no_padding()
        self._lock = threading.Lock()
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
            # A thread that is pinned to a core waits for everything else that runs there.
            "ENABLE_CPU_PINNING": False,
        }
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._compiled: Any = openvino.Core().compile_model(_converted(model), "CPU", settings)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """(n,) texts -> (n, dimension) float32, not normalised; n at least 1."""
        encoded = [one.ids for one in self._tokenizer.encode_batch(list(texts))]
        vectors: Vectors | None = None
        for places in like_lengths([len(ids) for ids in encoded], self._most_padded):
            some = self._run([encoded[place] for place in places])
            if vectors is None:
                vectors = np.empty((len(texts), some.shape[1]), np.float32)
            vectors[places] = some
        assert vectors is not None, "no texts to embed"
        return vectors

    def _run(self, encoded: Sequence[Sequence[int]]) -> Vectors:
        # Masked with zeros: these token IDs are not attended to.
        ids: NDArray[np.int64] = np.zeros((len(encoded), max(map(len, encoded))), np.int64)
        mask = np.zeros_like(ids)
        for row, one in enumerate(encoded):
            ids[row, : len(one)] = one
            mask[row, : len(one)] = 1
        with self._lock:
            vectors: Vectors = self._compiled([ids, mask])[0].copy()
        return vectors


def converted(
    model: SentenceTransformer, encode: Encode, most_padded: int, bfloat16: bool, threads: int
) -> PassageEncoder | str:
    """A PassageEncoder that was verified against `encode`, or the reason why there is none."""
    try:
        encoder = PassageEncoder(model, most_padded, bfloat16, threads)
        vectors = encoder(_PROBES)
    except ImportError:
        return "OpenVINO is not installed"
    except Exception as error:  # any model may come, and a converter may raise anything
        return f"OpenVINO cannot read the model: {error}"
    lowest = float((np.sum(vectors * encode(_PROBES), axis=1) / np.linalg.norm(vectors, axis=1)).min())
    return encoder if lowest >= _SAME else f"OpenVINO computes different vectors (cosine {lowest:.4f})"


def _converted(model: SentenceTransformer) -> Any:
    """The whole model as an OpenVINO graph, from token IDs and mask to the text's vector.

    `openvino.convert_model` does the same but sends telemetry; the frontend used here does not.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from transformers.utils import logging as transformers_logging

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = torch.nn.ModuleList(copy.deepcopy(list(model))).float()

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
            for part in self.parts:
                features = part(features)
            embedding: torch.Tensor = features["sentence_embedding"]
            return embedding

    example = {"input_ids": torch.ones(2, 16, dtype=torch.long), "attention_mask": torch.ones(2, 16, dtype=torch.long)}
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # of attributes that tracing reads
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # tracing warns about every branch; the comparison shows if one mattered
            reader = FrontEndManager().load_by_framework("pytorch")
            whole = TorchScriptPythonDecoder(Whole().eval(), example_input=example)  # kept until it is converted
            return reader.convert(reader.load(whole))
    finally:
        transformers_logging.set_verbosity(verbosity)
