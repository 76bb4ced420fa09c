"""Moves the current generation of an index from one store to another; nothing is read, cut or embedded again.

The target switches to it once everything has arrived and was compared.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from indexer.progress import Progress
from retrieval.errors import FixableError, IndexMissing
from retrieval.stores.contract import Changes, GenerationInfo, GenerationWriter, IndexedPost
from retrieval.stores.edge.store import EdgeStore
from retrieval.stores.server.store import ServerStore
from retrieval.stores.transfer import TRANSFER_BATCH, SourceGeneration

COMPARED_WHOLE = 1_000
# A vector of norm 1 is sent as text and normalised again on arrival: its 32-bit numbers change in the last place.
_FURTHEST = 1e-5


@dataclass(frozen=True, slots=True)
class Moved:
    """What a migration did.

    Attributes:
        found: Posts that an interrupted migration had moved before.
        compared: Posts that were compared completely; of all others only the content hash.
    """

    generation: str
    posts: int
    passages: int
    found: int
    compared: int
    seconds: float

    def __str__(self) -> str:
        before = f", {self.found:,} of them before" if self.found else ""
        return (
            f"moved {self.posts:,} posts ({self.passages:,} passages{before}) to {self.generation} in "
            f"{self.seconds:.0f} s; all hashes are equal, and {self.compared:,} posts were compared completely"
        )


def migrate(source: EdgeStore | ServerStore, target: EdgeStore | ServerStore, progress: Progress) -> Moved:
    """Copy the current generation from one store to another, compare, and switch the target to it.

    An interrupted migration to a server is resumed. An index that another process has open is copied first; what it
    accepts meanwhile is in the journal, which is applied when the server's index is opened.

    Raises:
        IndexMissing: There is nothing to move.
        IndexLocked: Another process is writing to the source or the target.
        FixableError: The index changed meanwhile, or what arrived is not equal; nothing was switched.
    """
    started = time.monotonic()
    name = source.current()
    if name is None:
        raise IndexMissing("there is no index to move", "run `stipple reindex PATH`, or `stipple migrate --help`")
    with source.writing(progress.saying), target.writing(progress.saying), source.carried(name) as carried:
        info = carried.info
        writer, resumed = _begin(target, info)
        found = passages = 0
        try:
            for ids in _batches(carried.ids()):
                there = _there(target, writer.name, carried, ids) if resumed else {}
                posts = carried.indexed_posts([post_id for post_id in ids if post_id not in there])
                writer.change(Changes(upsert=list(posts.values())))
                found += len(there)
                passages += sum(len(one.passages) for one in (*posts.values(), *there.values()))
                progress.embedding(passages, info.passages)
            if resumed:
                _delete_others(target, writer, carried)
            progress.finishing()
            written = writer.finish(carried.reached())
            compared = _compare(target, written, carried)
        except BaseException:
            if not isinstance(target, ServerStore):  # which the next call resumes
                writer.discard()
            raise
        target.switch(written.name)
    return Moved(written.name, written.posts, written.passages, found, compared, time.monotonic() - started)


def _begin(target: EdgeStore | ServerStore, info: GenerationInfo) -> tuple[GenerationWriter, bool]:
    if isinstance(target, ServerStore):
        return target.resume(info.identity, f"{info.name} of {info.created_at.isoformat()}")
    return target.begin(info.identity), False


def _there(
    target: EdgeStore | ServerStore, name: str, carried: SourceGeneration, ids: Sequence[str]
) -> dict[str, IndexedPost]:
    """The posts that an interrupted migration moved completely, with the same hash as in the source."""
    hashes = carried.hashes(ids)
    with target.carried(name) as begun:
        posts = begun.indexed_posts(ids)
    return {key: one for key, one in posts.items() if hashes.get(key) == one.stored.content_hash}


def _delete_others(target: EdgeStore | ServerStore, writer: GenerationWriter, carried: SourceGeneration) -> None:
    """Delete what was moved before and is no longer in the source."""
    with target.carried(writer.name) as begun:
        for ids in _batches(begun.ids()):
            hashes = carried.hashes(ids)
            writer.change(Changes(delete=[post_id for post_id in ids if post_id not in hashes]))


def _compare(target: EdgeStore | ServerStore, written: GenerationInfo, carried: SourceGeneration) -> int:
    """Compare all ids and hashes, and some posts completely; returns how many those were.

    Raises:
        FixableError: Something is not equal.
    """
    again = "run `stipple migrate` again: it resumes where it stopped"
    chosen = _sample(carried.ids())
    with target.carried(written.name) as arrived:
        equal = 0
        for ids in _batches(carried.ids()):
            wanted, there = carried.hashes(ids), arrived.hashes(ids)
            other = [post_id for post_id in wanted if wanted[post_id] != there.get(post_id)]
            # A copy of a changing index may have a post before its passages; the journal has it.
            if wrong := list(carried.indexed_posts(other)):
                raise FixableError(f"{len(wrong):,} posts did not arrive unchanged, the first {wrong[0]!r}", again)
            equal += len(wanted) - len(other)
        if equal != written.posts:
            raise FixableError(f"{written.posts:,} of {equal:,} posts arrived", again)
        for ids in _batches(chosen):
            there_posts = arrived.indexed_posts(ids)
            for post_id, one in carried.indexed_posts(ids).items():
                if post_id not in there_posts or not same(one, there_posts[post_id]):
                    raise FixableError(f"the post {post_id!r} did not arrive unchanged", again)
    return len(chosen)


def same(one: IndexedPost, other: IndexedPost) -> bool:
    """Whether everything stored of two posts is equal, vectors up to rounding."""
    terms = [[dict(zip(some.indices, some.values, strict=True)) for some in post.terms] for post in (one, other)]
    return (
        one.stored == other.stored
        and one.passages == other.passages
        and one.vectors.shape == other.vectors.shape
        and bool(np.allclose(one.vectors, other.vectors, rtol=0, atol=_FURTHEST))
        and [term.keys() for term in terms[0]] == [term.keys() for term in terms[1]]
        and all(
            abs(weight - there[index]) <= _FURTHEST * max(1.0, weight)
            for here, there in zip(*terms, strict=True)
            for index, weight in here.items()
        )
    )


def _sample(ids: Iterable[str]) -> Sequence[str]:
    """COMPARED_WHOLE ids, uniformly at random (Vitter's algorithm R); all if there are no more."""
    chosen: list[str] = []
    for number, post_id in enumerate(ids):
        if number < COMPARED_WHOLE:
            chosen.append(post_id)
        elif (place := random.randrange(number + 1)) < COMPARED_WHOLE:  # noqa: S311  # no secret
            chosen[place] = post_id
    return chosen


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while some := list(islice(remaining, TRANSFER_BATCH)):
        yield some
