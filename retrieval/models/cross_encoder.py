"""Re-order the best few hits with a model that reads query and passage together, within a time budget."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrieval.errors import ModelMissing
from retrieval.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_log = logging.getLogger(__name__)
_LONGEST_CLOSING_S = 5.0
_FAILURES_PER_LOG = 100  # log the first of consecutive failures, then every 100th: a broken model fails on each search


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
    """Runs a Reranker in its own thread, for at most `budget_s` per query, with a short queue.

    A reranker that ran in the request's thread would hold up every request behind it. Here a query gets no scores, and
    keeps the fused order, when its scores are late, the queue is full, or the reranker fails.

    Args:
        waiting: Queries that may be queued or running; one more is not reranked. Half of the threads that search, so
            that the others go on while a reranker hangs.
        failed: What the log says on a failure: what failed, and what happens instead.
    """

    def __init__(
        self,
        reranker: Reranker,
        budget_s: float,
        waiting: int = 2,
        failed: str = "the reranking model failed; the fused order is served",
    ) -> None:
        self._failed = failed
        self._reranker, self._budget_s = reranker, budget_s
        self._places = threading.BoundedSemaphore(waiting)
        self._line: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._failures = 0
        # A daemon, so that the process can end while a model hangs.
        self._thread = threading.Thread(target=self._run, name="rerank", daemon=True)
        self._thread.start()

    def scores(self, query: str, passages: Sequence[str]) -> list[float] | None:
        """One score per passage, or None if they were not ready within the budget."""
        if not passages:
            return []
        if self._closing.is_set() or not self._places.acquire(blocking=False):
            return None
        task = _Task(query, passages)
        self._line.put(task)
        if not task.done.wait(self._budget_s):
            task.given_up = True  # if it is still queued, it need not be started
            return None
        return task.scores

    def close(self, longest_s: float = _LONGEST_CLOSING_S) -> bool:
        """Drop queued queries and wait a limited time for the running one; returns whether it finished."""
        self._closing.set()
        self._line.put(None)
        self._thread.join(longest_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (task := self._line.get()) is not None:
            try:
                if not (task.given_up or self._closing.is_set()):
                    task.scores = self._reranked(task)
            finally:
                task.done.set()
                self._places.release()

    def _reranked(self, task: _Task) -> list[float] | None:
        try:
            scores = self._reranker.scores(task.query, task.passages)
            if len(scores) != len(task.passages) or not all(map(math.isfinite, scores)):
                raise ValueError(f"{len(scores)} scores for {len(task.passages)} passages, or one is not finite")
        except Exception:
            # A model may fail in any way; the fused order remains.
            if self._failures % _FAILURES_PER_LOG == 0:
                _log.exception(self._failed)
            self._failures += 1
            return None
        self._failures = 0
        return scores


class _Task:
    """A queued query."""

    def __init__(self, query: str, passages: Sequence[str]) -> None:
        self.query, self.passages = query, passages
        self.scores: list[float] | None = None
        self.done = threading.Event()
        self.given_up = False


def load_reranker(settings: Settings) -> CrossEncoderReranker | None:
    """The CrossEncoder that the settings name, from a folder or the hub; None if none is set.

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
