"""Whether one text follows from another, judged by a natural-language-inference model that reads both together."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import ModelMissing
from retrieval.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_FIX = "correct STIPPLE_NLI_MODEL, or unset it to check sentences without such a model"


class EntailmentReranker:
    """Any sentence-transformers CrossEncoder trained on entailment; a Reranker, so that a RerankPool can limit its
    time.

    Args:
        entailment: Index of the model's label which means that the second text follows from the first.
    """

    def __init__(self, model: CrossEncoder, entailment: int) -> None:
        self._model, self._entailment = model, entailment
        self._lock = threading.Lock()  # the tokenizer is shared and not thread-safe

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """The probability that each passage entails the query, 0 to 1; the passage is the premise."""
        with self._lock:
            rows = self._model.predict(
                [(passage, query) for passage in passages], apply_softmax=True, show_progress_bar=False
            )
        return [float(row[self._entailment]) for row in rows]


def entailment_label(labels: Mapping[int, str]) -> int | None:
    """Index of the label that means entailment, in any order of labels; None if no label has that name.

    >>> entailment_label({0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"})
    1
    >>> entailment_label({0: "entailment", 1: "not_entailment"}), entailment_label({0: "LABEL_0", 1: "LABEL_1"})
    (0, None)
    """
    named = [number for number, name in labels.items() if name.lower().startswith("entail")]
    return named[0] if len(named) == 1 else None


def load_entailment(settings: Settings) -> EntailmentReranker | None:
    """The model that the settings name, from a folder or the hub; None if none is set.

    Raises:
        ModelMissing: It does not load, or none of its labels is named entailment.
    """
    name = settings.nli_model
    if not name:
        return None
    from sentence_transformers import CrossEncoder

    folder = Path(name).expanduser()
    try:
        model = CrossEncoder(str(folder) if folder.is_dir() else name, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelMissing(f"the NLI model {name!r} does not load: {str(error).splitlines()[0]}", _FIX) from error
    labels = {int(number): str(label) for number, label in (model.config.id2label or {}).items()}
    entailment = entailment_label(labels)
    if entailment is None:
        raise ModelMissing(
            f"the NLI model {name!r} names its labels {', '.join(labels.values())}, none of which is entailment",
            "choose a model whose config.json lists entailment in id2label, as models trained on MNLI or XNLI do",
        )
    return EntailmentReranker(model, entailment)
