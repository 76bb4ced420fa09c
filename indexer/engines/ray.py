"""Embedding in the processes of a Ray cluster, which may die one by one without the run noticing more than a pause.

Each worker is an actor with an embedder of its own. The batches go to whichever has least to do; their vectors come
back in the order of the batches, which is what keeps the index the same as one that was embedded here. A worker that
dies is started anew by Ray, there or on another node, and given again what it had not answered.
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

AT_ONCE = 2  # batches that a worker has: one that it embeds, and the next, so that it never waits for this process
HELD = 6  # batches for each worker that were asked for and not given back: others go on while a dead one is started
RETRIES = 3  # of one batch. One that kills each worker it meets must end the run and not the cluster


@dataclass(frozen=True, slots=True)
class Trouble:
    """A FixableError on its way between processes: exceptions with two arguments do not survive being pickled."""

    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answers.

    Attributes:
        after_loss: Process and host of a worker that was started in place of one that died; "" of any other.
    """

    vectors: Vectors
    after_loss: str


class Worker:
    """What runs in an actor: an embedder that is loaded once.

    Nothing is raised: an actor whose constructor fails is gone, and says why in Ray's words and not in ours.
    """

    def __init__(self, load: Callable[[], Embedder], expected: Identity) -> None:
        self._trouble: Trouble | None = None
        host = os.uname().nodename
        restarted = imported().get_runtime_context().was_current_actor_reconstructed
        self._after_loss = f"process {os.getpid()} on {host}" if restarted else ""
        try:
            self._embedder = load()
        except FixableError as error:
            self._trouble = Trouble(f"the Ray worker on {host} has no embedder: {error.problem}", error.fix)
            return
        found = self._embedder.identity
        if found != expected:
            self._trouble = Trouble(
                f"the Ray worker on {host} embeds by {found.model} (schema {found.schema}), and this run by "
                f"{expected.model} (schema {expected.schema})",
                "install the same version of Stipple and the same model on every node",
            )

    def embed(self, texts: Sequence[str]) -> Answer | Trouble:
        if self._trouble is not None:
            return self._trouble
        return Answer(self._embedder.embed_passages(texts), self._after_loss)


class RayEngine:
    """An EmbeddingEngine on the Ray that this process is connected to.

    Args:
        load: Makes a worker's embedder, in the worker. Pickled: a function of a module, or `partial` of one.
        expected: What it has to be.
        tell: Given a sentence when a worker was lost.
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
            FixableError: A worker has not the model, cannot be started, or dies of one batch again and again.
        """
        given = _Given(imported())
        for batch in batches:
            while given.full:
                yield self._vectors(given.first())
            # Where all is in the cache no worker is started.
            given.give(batch, self._started() if batch else ())
            while given.answered:
                yield self._vectors(given.first())
        while given.held:
            yield self._vectors(given.first())

    def _started(self) -> list[Any]:
        """The workers, which live as long as the connection to Ray."""
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
                    # torch in a worker uses the cores that are the worker's, and not all that there are.
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
            self._tell(f"a Ray worker was lost; {found.after_loss} took its place and its work")
        return found.vectors


class _Given:
    """Batches that workers have, or have answered, in the order in which they were given."""

    def __init__(self, ray: Any) -> None:
        self._ray, self._workers = ray, 1
        self._order: deque[Any] = deque()  # answers, there or to come; None for an empty batch
        self._unanswered: dict[Any, int] = {}  # answers that are to come, each with its worker's number

    @property
    def held(self) -> int:
        return len(self._order)

    @property
    def full(self) -> bool:
        return self.held >= HELD * self._workers

    @property
    def answered(self) -> bool:
        """Whether the first batch's vectors are there."""
        self._look(wait=False)
        return bool(self._order) and self._order[0] not in self._unanswered

    def give(self, batch: Sequence[str], workers: Sequence[Any]) -> None:
        """Give a batch to the worker that has least to do, once it has room; an empty one to none."""
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
        """The first batch's answer, once it is there; None for an empty batch."""
        answer = self._order.popleft()
        if answer is None:
            return None
        try:
            found: Answer | Trouble = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            raise _told(error) from error
        self._unanswered.pop(answer, None)
        return found

    def _look(self, wait: bool) -> None:
        """See which answers are there; where `wait`, once one more is."""
        if not self._unanswered:
            return
        most, timeout_s = (1, None) if wait else (len(self._unanswered), 0)
        there, _ = self._ray.wait(list(self._unanswered), num_returns=most, timeout=timeout_s)
        for answer in there:
            del self._unanswered[answer]


def _told(error: Exception) -> FixableError:
    said = str(error).strip()
    if "ModuleNotFoundError" in said or "ImportError" in said:
        line = next((one for one in reversed(said.splitlines()) if "Error:" in one), said)
        return FixableError(
            f"a Ray worker cannot import Stipple: {line.strip()}",
            "install Stipple with the same version on every node of the cluster",
        )
    last = said.splitlines()[-1] if said else type(error).__name__
    return FixableError(
        f"Ray gave a batch up after {RETRIES + 1} tries: {last}",
        "look at the nodes' memory (a worker needs about 1 GB, and its model) and at `ray status`, then reindex again: "
        "what was embedded is kept",
    )
