"""What a process that answers people asks of what fills the index: to take posts in one by one, and to forget them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from retrieval.models.embedding import Embedder
from retrieval.search.live_generation import Openable
from retrieval.settings import Settings
from retrieval.stores.contract import PostStore

Outcome = Literal["added", "changed", "recounted", "unchanged", "forgotten", "rejected"]

# By name, those that keep words of posts outside the index, each to be told which posts to forget. They may raise: then
# they are told again.
ErasureTargets = Mapping[str, Callable[[Sequence[str]], object]]


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What became of one post that was offered.

    Attributes:
        id: "" where it has none that can be read.
        outcome: "recounted": counters alone moved. "forgotten": it was forgotten before, and stays out. "rejected": it
            is no post; then `field`, `problem` and `expected` say why, as for a line of a post file.
    """

    id: str
    outcome: Outcome
    field: str = ""
    problem: str = ""
    expected: str = ""


class Ingestion(Protocol):
    """Takes posts in, durably, and makes them searchable in the generation that this process has open."""

    def following(self, store: PostStore, embedder: Embedder) -> Openable:
        """The store, whose generations are led up to what was taken in and forgotten before anybody reads them.

        Args:
            embedder: That of the generations which are opened so, and from then on of what is taken in.
        """
        ...

    def start(self, keepers: ErasureTargets) -> None:
        """Follow what is taken in and forgotten, by this process and others, from now on."""
        ...

    def put(self, offered: Sequence[object], allow_forgotten: bool = False) -> tuple[list[PostOutcome], int]:
        """Take posts in, each as a JSON value; durable on return.

        Returns:
            What became of each, in their order; and the number that `searchable` asks for.

        Raises:
            FixableError: The disk refuses; then none was taken in.
        """
        ...

    def searchable(self, number: int, timeout_s: float) -> bool:
        """Whether what was taken in up to a number can be found; waits for it at most so long."""
        ...

    def held(self) -> int:
        """The number up to which what was taken in and forgotten is in the open generation."""
        ...

    def forget(self, post_ids: Sequence[str], by: str) -> int:
        """Forget posts everywhere, and keep them out; returns how many were stored.

        Raises:
            FixableError: The disk refuses.
        """
        ...

    def close(self) -> None:
        """Stop, once what was changed is durable in the generation. Call it while the generation is open."""
        ...


MakeIngestion = Callable[[Settings, PostStore, Embedder], Ingestion]
