"""A second look at the best few hits by a model that reads query and passage together, within a time budget."""

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
_FAILURES_TOLD = 100  # of failures in a row the first is told, and every so many: a broken model fails each search


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
    there in time, or that finds the line full, or whose reranker fails, has none and is served in the fused order.

    Args:
        waiting: Queries that may be in line or at work; one more is not reranked. Half of the threads that search, so
            that the others go on while a reranker hangs.
        failed: What the log says when it fails: who did, and what happens instead.
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
        # A daemon: the process ends also while a model hangs.
        self._thread = threading.Thread(target=self._run, name="rerank", daemon=True)
        self._thread.start()

    def scores(self, query: str, passages: Sequence[str]) -> list[float] | None:
        """One score per passage, or None where they were not to be had within the budget."""
        if not passages:
            return []
        if self._closing.is_set() or not self._places.acquire(blocking=False):
            return None
        task = _Task(query, passages)
        self._line.put(task)
        if not task.done.wait(self._budget_s):
            task.given_up = True  # where it still waits in line, it need not be begun any more
            return None
        return task.scores

    def close(self, longest_s: float = _LONGEST_CLOSING_S) -> bool:
        """Drop the queries in line and wait for the one at work, not for ever; whether it came to its end."""
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
                raise ValueError(f"{len(scores)} scores for {len(task.passages)} passages, or one that is no number")
        except Exception:
            # A model may fail in ways nobody listed; the fused order is still there.
            if self._failures % _FAILURES_TOLD == 0:
                _log.exception(self._failed)
            self._failures += 1
            return None
        self._failures = 0
        return scores


class _Task:
    """A query in line."""

    def __init__(self, query: str, passages: Sequence[str]) -> None:
        self.query, self.passages = query, passages
        self.scores: list[float] | None = None
        self.done = threading.Event()
        self.given_up = False


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
