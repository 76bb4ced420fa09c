"""The contract of a place that keeps posts and finds them: PostStore, its generations, and how one is written.

Two keep it: `stores.edge` (in this process, on disk) and `stores.server` (a Qdrant server or cluster). One test
suite, tests/contracts, runs on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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
    """A post as it lies in a generation, with the hash by which "unchanged" is decided."""

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
    """What becomes of some posts of a generation; each post in one of the three, of two of one id the last holds.

    Attributes:
        upsert: Written, in place of what is stored under their ids.
        recount: Of which only numbers changed that are not searched for: their passages, vectors and terms stay. One
            that is not stored is passed over.
        delete: Ids. One that is not stored is passed over.
    """

    upsert: Sequence[IndexedPost] = ()
    recount: Sequence[StoredPost] = ()
    delete: Sequence[str] = ()


def say_nothing(text: str) -> None:
    """Whoever need not be told."""


# By journal, the number of its last change that a generation holds for good: it holds all before that too.
Reached = Mapping[str, int]


class Generation(Protocol):
    """One finished generation, open for reading. Safe to call from several threads at once."""

    @property
    def info(self) -> GenerationInfo: ...

    def candidates(self, vector: Vectors, terms: TermWeights, limit: int, filters: Filters) -> list[Candidate]:
        """The `limit` best passages by cosine together with the `limit` best by BM25, each once, with both scores.

        Args:
            vector: (dimension,) float32 of L2 norm 1.
            terms: The query's terms; none gives dense candidates alone.
            filters: But for `phrases` and `without`, which no store looks at.
        """
        ...

    def matching(self, filters: Filters, limit: int, offset: int = 0) -> list[str]:
        """Ids of the posts that the filters (but for `phrases` and `without`) let through, newest first.

        Moments count to the second; posts of the same second, and at the end those without a date, follow the hash
        by which a post's first passage is numbered: the same order each time, and in each generation.

        Args:
            limit: Most ids to give.
            offset: Ids to skip before them.
        """
        ...

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The posts of these ids; an id that is not in the generation is left out."""
        ...

    def summaries(self, ids: Sequence[str]) -> dict[str, PostSummary]:
        """What decides these posts' places on a page; an id that is not in the generation is left out."""
        ...

    def may_be_copies(self, ids: Sequence[str]) -> Sequence[str]:
        """Those of these posts that may be near copies of others of them, in their order: all, where that cannot be
        told without reading them. See near_copies.sketches for how seldom one is missed.
        """
        ...

    def warm(self) -> None:
        """Bring what searches read into memory, as far as it lies in files here and there is room. Takes as long as
        the disk needs; meanwhile searches are answered. Without it the first hundreds wait for the disk.
        """
        ...

    def close(self) -> None:
        """Release files and locks. Twice is as good as once."""
        ...


class ChangingGeneration(Generation, Protocol):
    """One finished generation, open for reading and changing. Safe to call from several threads at once."""

    def change(self, changes: Changes) -> None:
        """Change posts; a search that begins afterwards sees it.

        It is not durable before `settle`: a process that ends without it leaves some, or all, of the changes undone,
        and may make them again. How rare a term is may go on counting the passages that went, until a generation is
        written anew.
        """
        ...

    def settle(self, reached: Reached) -> None:
        """Make all changes durable, and remember which of a journal's changes they were.

        With the embedded store no search is answered meanwhile (0.1 to 0.5 s): not after every change.
        """
        ...

    def reached(self) -> Reached:
        """What the last `settle`, or the writer's `finish`, was told."""
        ...


class GenerationWriter(Protocol):
    """A generation that is being filled. Nobody reads it until `finish` returned and `PostStore.switch` was called."""

    @property
    def name(self) -> str: ...

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        """Write posts; one of an id that was written before replaces it, all its passages with it."""
        ...

    def change(self, changes: Changes) -> None:
        """Change what was written, or what the copy that this began as holds."""
        ...

    def reached(self) -> Reached:
        """Which changes of which journal the copy held that this began as; empty for a new generation."""
        ...

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        """Build the search structures, where much changed, and make everything durable.

        Args:
            reached: What the generation holds of journals; None leaves it as it is.
        """
        ...

    def discard(self) -> None:
        """Delete what was written. Also after a failure, also twice."""
        ...


class PostStore(Protocol):
    """Where generations live.

    Every method raises StoreUnreachable (server) or FixableError (disk) with the mend when the place cannot be used.
    """

    def current(self) -> str | None:
        """Name of the generation that readers use; None before the first `switch`. Cheap: called on every request."""
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
        """Content hash by post id in the current generation; ids that it lacks are left out. Needs no lock."""
        ...

    def stored_posts(self) -> Iterator[StoredPost]:
        """Every post of the current generation, in bounded memory; nothing before the first `switch`. Needs no lock."""
        ...

    def stored_ids(self) -> Iterator[str]:
        """Every post's id of the current generation, in bounded memory. Needs no lock."""
        ...

    def reached(self, name: str = "") -> Reached:
        """What the current generation, or one of this name, was told by `settle` or `finish`; empty where there is
        none. Needs no lock.
        """
        ...

    def writing(self, tell: Callable[[str], None] = say_nothing) -> AbstractContextManager[None]:
        """Held while a generation is written. Meanwhile a server that does not answer is waited for.

        Args:
            tell: Given a sentence about what is being waited for.

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
            None where it cannot be had: there is no current one, or it is not of this identity. What was not settled in
            the current one may be missing in the copy. A server may be set to give the current one itself, to be
            changed where it stands: it has that one's name, and `discard` leaves it.
        """
        ...

    def wipe(self, ids: Sequence[str]) -> None:
        """Delete the words of posts from every generation, also while it is open elsewhere. Readers miss them at once.

        With the embedded store the passages stay as empty shells, which no search shows, until `Generation.change`
        deletes them.
        """
        ...

    def switch(self, name: str) -> None:
        """Make a finished generation the current one, atomically, and durably."""
        ...

    def drop(self, name: str) -> None:
        """Delete a generation that is not the current one."""
        ...
