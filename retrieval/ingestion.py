"""What a server needs from the indexer: to take in posts one by one, and to forget them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from retrieval.models.embedding import Embedder
from retrieval.search.live_generation import Openable
from retrieval.settings import Settings
from retrieval.stores.contract import PostStore

Outcome = Literal["added", "changed", "recounted", "unchanged", "forgotten", "rejected"]

# By name, what keeps words of posts outside the index; each is called with the IDs of the posts to forget, and again
# later if it raises.
ErasureTargets = Mapping[str, Callable[[Sequence[str]], object]]


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What became of an offered post.

    Attributes:
        id: "" if it has none that can be read.
        outcome: "recounted": only counters changed. "forgotten": it was forgotten before, and stays out. "rejected": it
            is not a valid post; then `field`, `problem` and `expected` say why, as for a line of a post file.
    """

    id: str
    outcome: Outcome
    field: str = ""
    problem: str = ""
    expected: str = ""


class Ingestion(Protocol):
    """Takes posts in, durably, and makes them searchable in the generation that this process has open."""

    def following(self, store: PostStore, embedder: Embedder) -> Openable:
        """The store, whose generations are brought up to date with accepted and forgotten posts before anybody reads
        them.

        Args:
            embedder: For the generations opened this way, and from then on for accepted posts.
        """
        ...

    def start(self, erasure_targets: ErasureTargets) -> None:
        """Apply from now on what this process and others take in and forget."""
        ...

    def put(self, offered: Sequence[object], allow_forgotten: bool = False) -> tuple[list[PostOutcome], int]:
        """Take posts in, each as a JSON value; durable on return.

        Returns:
            The outcome of each, in order; and the number to pass to `searchable`.

        Raises:
            FixableError: The disk refuses; then none was taken in.
        """
        ...

    def searchable(self, number: int, timeout_s: float) -> bool:
        """Whether everything up to this number can be found; waits for it at most `timeout_s`."""
        ...

    def held(self) -> int:
        """The number up to which accepted and forgotten posts are in the open generation."""
        ...

    def forget(self, post_ids: Sequence[str], by: str) -> int:
        """Forget posts everywhere, and block them; returns how many were stored.

        Raises:
            FixableError: The disk refuses.
        """
        ...

    def close(self) -> None:
        """Stop, once the changes are durable in the generation. Call it while the generation is open."""
        ...


MakeIngestion = Callable[[Settings, PostStore, Embedder], Ingestion]
