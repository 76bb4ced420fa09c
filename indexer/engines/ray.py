"""Embedding by workers of a Ray cluster. A worker that dies only delays the run.

Each worker is an actor with its own embedder. A batch goes to the worker with the fewest batches; vectors come back in
the order of the batches, so that the index is the same as one embedded in this process. Ray restarts a worker that
dies, on the same or another node, and gives it its unanswered batches again.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.engines.ray_cluster import Capacity, imported
from retrieval.errors import FixableError
from retrieval.models.embedding import Embedder
from retrieval.types import Identity, Vectors

AT_ONCE = 2  # batches per worker: the one it embeds, and the next, so that it never waits for this process
HELD = 6  # batches per worker that were taken and not returned: others continue while a dead one restarts
RETRIES = 3  # of one batch. A batch that kills every worker must end the run, not the cluster


@dataclass(frozen=True, slots=True)
class Trouble:
    """A FixableError on its way between processes: exceptions with two arguments cannot be pickled."""

    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A worker's answer.

    Attributes:
        after_loss: Process and host of a worker that replaced one that died; "" of any other.
    """

    vectors: Vectors
    after_loss: str


class Worker:
    """Runs in an actor: an embedder that is loaded once.

    Raises nothing: an actor whose constructor fails is gone, and the reason is in Ray's words, not ours.
    """

    def __init__(self, load: Callable[[], Embedder], expected: Identity) -> None:
        self._trouble: Trouble | None = None
        host = os.uname().nodename
        restarted = imported().get_runtime_context().was_current_actor_reconstructed
        self._after_loss = f"process {os.getpid()} on {host}" if restarted else ""
        try:
            self._embedder = load()
        except FixableError as error:
            self._trouble = Trouble(f"the Ray worker on {host} cannot load its embedder: {error.problem}", error.fix)
            return
        found = self._embedder.identity
        if found != expected:
            self._trouble = Trouble(
                f"the Ray worker on {host} embeds with {found.model} (schema {found.schema}), and this run with "
                f"{expected.model} (schema {expected.schema})",
                "install the same version of Stipple and the same model on every node",
            )

    def embed(self, texts: Sequence[str]) -> Answer | Trouble:
        if self._trouble is not None:
            return self._trouble
        return Answer(self._embedder.embed_passages(texts), self._after_loss)


class RayEngine:
    """An EmbeddingEngine on the Ray cluster that this process is connected to.

    Args:
        load: Makes a worker's embedder, in the worker. Pickled: a module's function, or `partial` of one.
        expected: Identity that the embedder must have.
        tell: Called with a message when a worker was lost.
    """

    def __init__(
        self,
        load: Callable[[], Embedder],
        expected: Identity,
        capacity: Capacity,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._load, self._expected, self._capacity, self._tell = load, expected, capacity, tell
        self._workers: list[Any] = []
        self._told: set[str] = set()

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
        """
        Raises:
            FixableError: A worker lacks the model, cannot be started, or one batch kills it again and again.
        """
        given = _Given(imported())
        for batch in batches:
            while given.full:
                yield self._vectors(given.first())
            # If everything is in the cache, no worker is started.
            given.give(batch, self._started() if batch else ())
            while given.answered:
                yield self._vectors(given.first())
        while given.held:
            yield self._vectors(given.first())

    def _started(self) -> list[Any]:
        """The workers, started once; they live as long as the connection to Ray."""
        if not self._workers:
            capacity = self._capacity
            actor = (
                imported()
                .remote(Worker)
                .options(
                    num_cpus=capacity.cpus_each,
                    num_gpus=capacity.gpus_each,
                    max_restarts=-1,
                    max_task_retries=RETRIES,
                    # torch in a worker uses the worker's cores, not all of the node's.
                    runtime_env={"env_vars": {"OMP_NUM_THREADS": str(capacity.cpus_each)}},
                )
            )
            self._workers = [actor.remote(self._load, self._expected) for _ in range(capacity.workers)]
        return self._workers

    def _vectors(self, found: Answer | Trouble | None) -> Vectors:
        if found is None:
            return np.zeros((0, self._expected.dimension), np.float32)
        if isinstance(found, Trouble):
            raise FixableError(found.problem, found.fix)
        if found.after_loss and found.after_loss not in self._told:
            self._told.add(found.after_loss)
            self._tell(f"a Ray worker was lost; {found.after_loss} replaced it")
        return found.vectors


class _Given:
    """Batches given to workers, in order, answered or not."""

    def __init__(self, ray: Any) -> None:
        self._ray, self._workers = ray, 1
        self._order: deque[Any] = deque()  # answers, ready or not; None for an empty batch
        self._unanswered: dict[Any, int] = {}  # answers that are not ready, each with its worker's number

    @property
    def held(self) -> int:
        return len(self._order)

    @property
    def full(self) -> bool:
        return self.held >= HELD * self._workers

    @property
    def answered(self) -> bool:
        """Whether the first batch's vectors are ready."""
        self._look(wait=False)
        return bool(self._order) and self._order[0] not in self._unanswered

    def give(self, batch: Sequence[str], workers: Sequence[Any]) -> None:
        """Give a batch to the worker with the fewest batches, once it has room; an empty one to none."""
        if not batch:
            self._order.append(None)
            return
        self._workers = len(workers)
        self._look(wait=False)
        while len(self._unanswered) >= AT_ONCE * len(workers):
            self._look(wait=True)
        load = Counter(self._unanswered.values())
        number = min(range(len(workers)), key=lambda one: load[one])
        answer = workers[number].embed.remote(list(batch))
        self._order.append(answer)
        self._unanswered[answer] = number

    def first(self) -> Answer | Trouble | None:
        """Wait for the first batch's answer; None for an empty batch."""
        answer = self._order.popleft()
        if answer is None:
            return None
        try:
            found: Answer | Trouble = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            raise _fixable(error) from error
        self._unanswered.pop(answer, None)
        return found

    def _look(self, wait: bool) -> None:
        """Note which answers are ready; with `wait`, wait until one more is."""
        if not self._unanswered:
            return
        most, timeout_s = (1, None) if wait else (len(self._unanswered), 0)
        there, _ = self._ray.wait(list(self._unanswered), num_returns=most, timeout=timeout_s)
        for answer in there:
            del self._unanswered[answer]


def _fixable(error: Exception) -> FixableError:
    message = str(error).strip()
    if "ModuleNotFoundError" in message or "ImportError" in message:
        line = next((one for one in reversed(message.splitlines()) if "Error:" in one), message)
        return FixableError(
            f"a Ray worker cannot import Stipple: {line.strip()}",
            "install the same version of Stipple on every node of the cluster",
        )
    last = message.splitlines()[-1] if message else type(error).__name__
    return FixableError(
        f"Ray gave up on a batch after {RETRIES + 1} tries: {last}",
        "check the nodes' memory (a worker needs about 1 GB, plus its model) and `ray status`, then reindex again: "
        "what was embedded is kept",
    )
