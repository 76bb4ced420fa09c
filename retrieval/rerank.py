"""A second look at the best few hits by a model that reads query and passage together, within a time budget."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as OutOfTime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrieval.errors import ModelMissing
from retrieval.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class Reranker(Protocol):
    """Scores passages for a query by reading both together."""

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """One score per passage, any real number; higher fits better. Comparable within one call."""
        ...


class CrossEncoderReranker:
    """Any sentence-transformers CrossEncoder."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model
        self._lock = threading.Lock()  # the tokenizer is shared and not thread-safe

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        with self._lock:
            values = self._model.predict([(query, passage) for passage in passages], show_progress_bar=False)
        return [float(value) for value in values]


class RerankPool:
    """Runs a Reranker in one thread of its own, for at most `budget_s`, with few waiting.

    A reranker that runs in the request's thread holds up every request behind it. Here a query whose scores are not
    there in time, or that finds the line full, is served in the fused order.

    Args:
        waiting: Queries that may be in line or at work; one more is not reranked.
    """

    def __init__(self, reranker: Reranker, budget_s: float, waiting: int = 4) -> None:
        self._reranker, self._budget_s = reranker, budget_s
        self._places = threading.BoundedSemaphore(waiting)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rerank")

    def scores(self, query: str, passages: Sequence[str]) -> list[float] | None:
        """One score per passage, or None where they were not to be had within the budget.

        Raises:
            Exception: Whatever the reranker raised.
        """
        if not passages:
            return []
        if not self._places.acquire(blocking=False):
            return None
        given_up = threading.Event()
        task = self._thread.submit(self._work, given_up, query, passages)
        task.add_done_callback(self._free)
        try:
            return task.result(self._budget_s)
        except OutOfTime:
            if not task.done():
                # What still waits in line need not be begun any more.
                given_up.set()
                return None
            raise  # the reranker's own

    def close(self) -> None:
        """Wait for the query at work, drop those in line."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _work(self, given_up: threading.Event, query: str, passages: Sequence[str]) -> list[float] | None:
        return None if given_up.is_set() else self._reranker.scores(query, passages)

    def _free(self, _: Future[list[float] | None]) -> None:
        self._places.release()


def load_reranker(settings: Settings) -> CrossEncoderReranker | None:
    """The CrossEncoder that the settings name, from a folder or the hub; None where none is set.

    Raises:
        ModelMissing: It does not load.
    """
    name = settings.rerank_model
    if not name:
        return None
    from sentence_transformers import CrossEncoder

    folder = Path(name).expanduser()
    try:
        model = CrossEncoder(str(folder) if folder.is_dir() else name, num_labels=1, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelMissing(
            f"the reranking model {name!r} does not load: {str(error).splitlines()[0]}",
            "correct STIPPLE_RERANK_MODEL, or unset it to keep the fused order",
        ) from error
    return CrossEncoderReranker(model)
