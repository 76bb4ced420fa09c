"""The contract of a store: PostStore, its generations, and how one is written.

It has two implementations: `stores.edge` (in this process, on disk) and `stores.server` (a Qdrant server or cluster).
The tests in tests/retrieval/stores run on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retrieval.stores.hybrid_search import Side
from retrieval.stores.post_summary import PostSummary
from retrieval.types import Candidate, Filters, Identity, Passage, Post, TermWeights, Vectors


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """A finished generation."""

    name: str
    identity: Identity
    created_at: datetime
    posts: int
    passages: int


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post as stored in a generation, with the hash that detects unchanged posts."""

    post: Post
    content_hash: str


@dataclass(frozen=True, slots=True)
class IndexedPost:
    """A post ready to be written.

    Attributes:
        passages: At least one, ordinals 0, 1, 2, ...
        vectors: (len(passages), dimension) float32, each row of L2 norm 1.
        terms: One per passage.
    """

    stored: StoredPost
    passages: tuple[Passage, ...]
    vectors: Vectors
    terms: tuple[TermWeights, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes to posts of a generation; each post is in one of the three, and the last of several with one ID counts.

    Attributes:
        upsert: Written, replacing what is stored under their IDs.
        recount: Only numbers that are not searched changed: their passages, vectors and terms stay. One that is not
            stored is skipped.
        delete: IDs. One that is not stored is skipped.
    """

    upsert: Sequence[IndexedPost] = ()
    recount: Sequence[StoredPost] = ()
    delete: Sequence[str] = ()


def say_nothing(text: str) -> None:
    """Report to nobody."""


# By journal, the number of its last change that is durable in a generation, as are all before it.
Reached = Mapping[str, int]


class Generation(Protocol):
    """One finished generation, open for reading. Safe to call from several threads at once."""

    @property
    def info(self) -> GenerationInfo: ...

    def candidates(
        self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters, *, alone: Sequence[Side] = ()
    ) -> list[Candidate]:
        """The `limit` best passages by cosine together with the `limit` best by BM25, each once, with both scores.

        Args:
            vector: (dimension,) float32 of L2 norm 1.
            terms: The query's terms; without any, only dense candidates are found.
            filters: All but `phrases` and `without`, which stores ignore.
            alone: Only the best of these sides, each with that side's score and 0 for the other: much faster, to
                count them.
        """
        ...

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        """IDs of the posts that satisfy the filters (except `phrases` and `without`), newest first.

        Times are compared to the second; posts of the same second, and at the end those without a date, are ordered by
        the hash that numbers a post's first passage: the same order each time, and in each generation.

        Args:
            limit: Most IDs to return.
            offset: IDs to skip before them.
        """
        ...

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The posts with these IDs; an ID that is not in the generation is left out."""
        ...

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        """What decides these posts' places on a page; an ID that is not in the generation is left out."""
        ...

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        """Those of these posts that may be near copies of others of them, in their order; all of them if the store
        cannot tell without reading them. See near_copies.sketches for how rarely one is missed.
        """
        ...

    def one_search(self) -> Generation:
        """The same for the calls of one search, in one thread: what it read is not asked for again."""
        ...

    def prepare(
        self,
        vector: Vectors | None,
        terms: TermWeights,
        asked: Sequence[tuple[int, Filters]],
        posts: Sequence[str] = (),
    ) -> None:
        """Announce what this search is about to ask, for a store where each request costs: it asks for all at once.

        Args:
            vector: None where the newest posts are asked for, and read.
            asked: Limits and filters of candidates, or of the newest posts.
            posts: IDs of posts that will be read, if candidates have to be asked for.
        """
        ...

    def warm(self) -> None:
        """Read the local files that searches use into memory, as far as there is room. Takes as long as the disk needs;
        meanwhile searches are answered. Without it the first hundreds of searches wait for the disk.
        """
        ...

    def close(self) -> None:
        """Release files and locks. Calling it again does nothing."""
        ...


class ChangingGeneration(Generation, Protocol):
    """One finished generation, open for reading and changing. Safe to call from several threads at once."""

    def change(self, changes: Changes) -> None:
        """Change posts; a search that begins afterwards sees it, on a cluster after as long as a node may be behind.

        It is not durable before `settle`: a process that ends without it leaves some, or all, of the changes undone,
        and may make them again. Deleted passages may still count towards how rare a term is until a generation is
        rebuilt.
        """
        ...

    def settle(self, reached: Reached) -> None:
        """Make all changes durable, and record which of a journal's changes they were.

        The embedded store answers no search meanwhile (0.1 to 0.5 s), so do not call it after every change.
        """
        ...

    def reached(self) -> Reached:
        """What the last `settle`, or the writer's `finish`, recorded."""
        ...


class GenerationWriter(Protocol):
    """A generation that is being written. Nobody reads it until `finish` returned and `PostStore.switch` was called."""

    @property
    def name(self) -> str: ...

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        """Write posts; one with an ID that was written before replaces it with all its passages.

        These are gone for every search, but may still count towards how rare a term is: a server counts them until it
        rewrites the part of the collection that had them.
        """
        ...

    def change(self, changes: Changes) -> None:
        """Change what was written, or what the copied generation contains."""
        ...

    def reached(self) -> Reached:
        """The journal numbers of the copied generation; empty for a new one."""
        ...

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        """Build the search structures, if much changed, and make everything durable.

        Args:
            reached: The journal numbers that the generation includes; None leaves them as they are.
        """
        ...

    def discard(self) -> None:
        """Delete what was written. May be called after a failure, and twice."""
        ...


class PostStore(Protocol):
    """Where generations are kept.

    Every method raises StoreUnreachable (server) or FixableError (disk), with the remedy, if the store cannot be used.
    """

    def current(self) -> str | None:
        """Name of the generation in use; None before the first `switch`. Cheap: called on every request."""
        ...

    def generations(self) -> list[GenerationInfo]:
        """Finished generations, oldest first."""
        ...

    def open(self, expected: Identity) -> ChangingGeneration:
        """Open the current generation for reading and changing.

        Raises:
            IndexMissing: Nothing was indexed yet.
            IndexMismatch: It was written by another model or schema than `expected`.
            IndexLocked: Another process has it open (embedded store only).
        """
        ...

    def stored_hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """Content hash by post ID in the current generation; IDs that are not in it are left out. Needs no lock."""
        ...

    def stored_posts(self) -> Iterator[StoredPost]:
        """Every post of the current generation, in bounded memory; none before the first `switch`. Needs no lock."""
        ...

    def stored_ids(self) -> Iterator[str]:
        """Every post ID of the current generation, in bounded memory. Needs no lock."""
        ...

    def reached(self, name: str = "") -> Reached:
        """What `settle` or `finish` recorded for the current generation, or for the one of this name; empty if there is
        none. Needs no lock.
        """
        ...

    def writing(self, tell: Callable[[str], None] = say_nothing) -> AbstractContextManager[None]:
        """Held while a generation is written. Meanwhile calls wait for a server that does not answer.

        Args:
            tell: Called with a sentence about what is being waited for.

        Raises:
            IndexLocked: Another process is writing.
        """
        ...

    def begin(self, identity: Identity) -> GenerationWriter:
        """Start a new generation beside the others, after deleting what an interrupted writer left."""
        ...

    def begin_copy(self, identity: Identity) -> GenerationWriter | None:
        """Start a new generation as a copy of the current one, which may be open elsewhere; otherwise as `begin`.

        Returns:
            None if that is impossible: there is no current one, or its identity differs. Changes that were not settled
                may be missing in the copy. A server may be configured to return the current generation itself, to be
                changed in place: the name is the same, and `discard` keeps it.
        """
        ...

    def wipe(self, ids: Sequence[str]) -> None:
        """Delete the words of posts from every generation, even while it is open elsewhere. Readers stop seeing them at
        once.

        With the embedded store the passages stay as empty shells, which no search shows, until `Generation.change`
        deletes them.
        """
        ...

    def switch(self, name: str) -> None:
        """Make a finished generation the current one, atomically and durably."""
        ...

    def drop(self, name: str) -> None:
        """Delete a generation that is not the current one."""
        ...
