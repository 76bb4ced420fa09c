"""One run: stage the offered posts, compare them with the stored ones, and if anything is new, write a new generation.

A generation is always complete. If little changed, it starts as a copy of the current one, and the changes are made in
the copy; otherwise it is written from scratch, with the stored posts that were not offered. The embedding cache makes
that cheap: a text that was embedded once, even by an interrupted run, is not embedded again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from indexer.engines.engine import EmbeddingEngine
from indexer.journal.erasure import forget_in_files
from indexer.journal.journal import Journal
from indexer.journal.replay import replay
from indexer.pipeline.embedding_cache import EmbeddingCache
from indexer.pipeline.plan import MOST_PRUNED_SHARE, PlanCounts, is_small, plan_reindex
from indexer.pipeline.post_encoder import PassageWeigher, PostEncoder
from indexer.pipeline.staged_posts import PendingWork, SourceLine, StagedPosts, require_room
from indexer.progress import Progress
from indexer.readers.formats.jsonl import Offered
from indexer.rejects import OptedOutLine, Rejected, RejectsLog
from indexer.run.summary import Summary
from indexer.run.time_estimate import FEWEST_POSTS, SAMPLED_POSTS, TimeEstimate, estimated
from retrieval.disk import naming_disk_trouble
from retrieval.errors import FixableError
from retrieval.models.embedding import Embedder
from retrieval.stores.contract import Changes, GenerationInfo, GenerationWriter, IndexedPost, PostStore, StoredPost
from retrieval.text.content_hash import content_hash

COMPARED_AT_ONCE = 1_000
LEAST_ROOM_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run.

    Attributes:
        dry_run: Compute what would be done, and change nothing.
        prune: Delete stored posts that are not offered.
        most_pruned: Delete at most so many; None: a fifth of the stored posts.
        allow_forgotten: Index posts that were forgotten.
        anew: Write a new generation from scratch, even if nothing changed.
    """

    dry_run: bool = False
    prune: bool = False
    most_pruned: int | None = None
    allow_forgotten: bool = False
    anew: bool = False


def reindex(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    offered: Iterable[Offered | Rejected],
    *,
    data_dir: Path,
    progress: Progress,
    rejects: RejectsLog,
    index_here: bool = True,
    engine: EmbeddingEngine | None = None,
    options: RunOptions = RunOptions(),  # frozen
) -> Summary:
    """Bring the index up to date with the offered posts; readers use the old generation until the new one is complete.

    Offered posts replace what the journal accepted before the run; what it accepts during the run is in the new
    generation too.

    Args:
        data_dir: Holds the staged posts, deleted at the end, the journal, and the embedding cache.
        rejects: Given the lines that are not posts, and repeated ids.
        index_here: Whether the store's generations are on the disk of `data_dir`, and need its space.
        engine: Where passages are embedded, with the same vectors as `embedder`; None: this process.

    Raises:
        IndexLocked: Another process is writing.
        FixableError: There are no posts, too many would be deleted, or the disk is full or forbidden. The old
            generation stays, as after any other exception.
    """
    started = time.monotonic()
    with (
        naming_disk_trouble(data_dir),
        store.writing(progress.saying),
        Journal(data_dir / "journal.sqlite") as journal,
        StagedPosts(data_dir / "staging.sqlite") as staged,
    ):
        before = journal.last()
        forgotten = _stage(staged, offered, journal, progress, rejects, options)
        if opted_out := journal.forgotten_after(before)[0]:
            forget_in_files(store, data_dir, opted_out)
        counts = PlanCounts()
        for pairs in staged.hashes(COMPARED_AT_ONCE):
            plan = plan_reindex(pairs, store.stored_hashes([post_id for post_id, _ in pairs]))
            staged.mark(PendingWork.WRITE, (*plan.add, *plan.change))
            staged.mark(PendingWork.RECOUNT, plan.recount)
            counts = counts.plus(plan)
        now = _current(store)
        stored = now.posts if now else 0
        if counts.offered == 0 and stored == 0 and not rejects.count and not forgotten:
            # All that was there was passed over: a fact, not a failure. Nothing is written.
            return Summary(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, time.monotonic() - started, "", False, options.dry_run)
        if counts.offered == 0 and stored == 0:
            raise FixableError(
                f"there are no posts to index: all {rejects.count + forgotten:,} lines were rejected",
                "fix the lines as their messages say; docs/posts.md shows how to read an export with other fields",
            )
        # The offered posts that are not added are stored ones; the other stored posts stay.
        carried = stored - (counts.offered - counts.added)
        if options.prune:
            _refuse_rash_pruning(carried, stored, rejects, options)
            counts, carried = replace(counts, deleted=carried), 0

        embedded, filled_s, foreseen = 0, 0.0, None
        behind = store.reached().get(journal.id, 0) < journal.last()
        written = now is None or options.anew or not counts.nothing_new or behind or now.identity != embedder.identity
        if written and not options.dry_run:
            with EmbeddingCache(data_dir / "embeddings.sqlite", embedder.identity) as cache:
                same_model = now is not None and now.identity == embedder.identity
                copying = same_model and not options.anew and is_small(counts, stored)
                to_write = counts.added + counts.changed if copying else counts.offered + carried
                encoder = PostEncoder(embedder, weigher, cache, progress, to_write, engine)
                room = _Room(data_dir, _passage_bytes(embedder) if index_here else 0)
                run = _Run(store, journal, staged, encoder, room, options)
                if engine is None and to_write >= FEWEST_POSTS:
                    foreseen = run.estimate(copying, to_write, carried)
                    progress.saying(str(foreseen))
                now = run.fill(now, copying)
            embedded, filled_s = encoder.embedded, run.filled_s
        return Summary(
            now.posts if now else 0, now.passages if now else 0, counts.added, counts.changed, counts.recounted,
            counts.unchanged, counts.deleted, carried, forgotten, rejects.count, embedded, time.monotonic() - started,
            now.name if now else "", written, options.dry_run, filled_s,
            None if foreseen is None else foreseen.seconds,
        )  # fmt: skip


def _stage(
    staged: StagedPosts,
    offered: Iterable[Offered | Rejected],
    journal: Journal,
    progress: Progress,
    rejects: RejectsLog,
    options: RunOptions,
) -> int:
    """Stage the offered posts except forgotten ones; returns how many were forgotten."""
    forgotten, opted_out = 0, list[str]()
    for number, found in enumerate(offered, start=1):
        progress.reading(number)
        if isinstance(found, OptedOutLine):
            opted_out.append(found.post_id)
            continue
        if isinstance(found, Rejected):
            rejects.add(found)
            continue
        if journal.kept_out([found.post]):
            if not options.allow_forgotten:
                forgotten += 1
                continue
            if not options.dry_run:
                journal.allow([found.post])
        first = staged.add(StoredPost(found.post, content_hash(found.post)), SourceLine(found.source, found.line))
        if first is not None:
            problem = f"is {found.post.id!r}, as in {first.source}:{first.line}"
            rejects.add(Rejected(found.source, found.line, "id", problem, "each id once", found.raw))
    staged.remove(opted_out)
    new = journal.not_forgotten(opted_out)
    if new and not options.dry_run:
        journal.forget(new, "opt-out")
    return forgotten + len(opted_out)


def _current(store: PostStore) -> GenerationInfo | None:
    name = store.current()
    return next((info for info in store.generations() if info.name == name), None)


def _refuse_rash_pruning(gone: int, stored: int, rejects: RejectsLog, options: RunOptions) -> None:
    """
    Raises:
        FixableError: More posts would be deleted than is allowed, or posts whose lines were rejected.
    """
    if rejects.count:
        raise FixableError(
            f"{rejects.count:,} lines were rejected, and --prune would delete their posts",
            "fix them as their messages say, or run without --prune",
        )
    most = int(MOST_PRUNED_SHARE * stored) if options.most_pruned is None else options.most_pruned
    if gone > most and not options.dry_run:
        raise FixableError(
            f"--prune would delete {gone:,} of {stored:,} posts, but may delete only {most:,}",
            f"check that the input is complete; if it is, add --prune-up-to {gone}",
        )


class _Run:
    """Writes the new generation of one run."""

    def __init__(
        self,
        store: PostStore,
        journal: Journal,
        staged: StagedPosts,
        encoder: PostEncoder,
        room: _Room,
        options: RunOptions,
    ) -> None:
        self._store, self._journal, self._staged = store, journal, staged
        self._encoder, self._room, self._options = encoder, room, options
        self.filled_s = 0.0

    def estimate(self, copying: bool, to_write: int, carried: int) -> TimeEstimate:
        """How long `fill` will take to write these posts, of which so many are stored ones that were not offered."""
        staged = self._staged
        if copying:
            return estimated(self._encoder, [(staged.sample(SAMPLED_POSTS, PendingWork.WRITE), to_write)])
        kept: list[StoredPost] = []
        if carried:
            step = -(-carried // SAMPLED_POSTS)
            kept = list(islice(staged.without_staged(self._store.stored_posts()), 0, None, step))
        return estimated(self._encoder, [(kept, carried), (staged.sample(SAMPLED_POSTS), to_write - carried)])

    def fill(self, before: GenerationInfo | None, copying: bool) -> GenerationInfo:
        """Write, switch, and delete all generations but the new one and the one before."""
        store, journal = self._store, self._journal
        identity = self._encoder.embedder.identity
        self._room.require(before.passages if before and copying else 0)
        # Read before any stored post: what is accepted from now on is replayed at the end.
        head = journal.last()
        reached = store.reached().get(journal.id, 0)
        started = time.monotonic()
        writer = store.begin_copy(identity) if copying else None
        try:
            if writer is not None:
                reached = writer.reached().get(journal.id, 0)
                replay(journal, self._encoder, writer, reached, head)
                self._change(writer)
            else:
                writer = store.begin(identity)
                self._write_all(writer, reached, head)
            head = replay(journal, self._encoder, writer, head)
            self.filled_s = time.monotonic() - started
            self._encoder.progress.finishing()
            written = writer.finish({journal.id: head})
        except BaseException:  # also Ctrl-C: half a generation is useless
            if writer is not None:
                writer.discard()
            raise
        store.switch(written.name)
        changed_in_place = before is not None and before.name == written.name
        for info in store.generations():
            if not changed_in_place and info.name != written.name and (before is None or info.name != before.name):
                store.drop(info.name)
        trim(journal, store)
        return written

    def _change(self, writer: GenerationWriter) -> None:
        """Apply the changes to a copy of the current generation."""
        encoder, staged = self._encoder, self._staged
        encoder.fill(staged.posts(PendingWork.WRITE), partial(self._write, writer))
        for some in _some(staged.posts(PendingWork.RECOUNT)):
            writer.change(Changes(recount=some))
        for ids in self._pruned():
            writer.change(Changes(delete=ids))
            encoder.cache.forget(ids)

    def _write_all(self, writer: GenerationWriter, reached: int, head: int) -> None:
        """Write every post of the new generation."""
        encoder, staged, store = self._encoder, self._staged, self._store
        carried: Iterable[StoredPost] = ()
        if not self._options.prune:
            carried = staged.without_staged(store.stored_posts())
        write = partial(self._write, writer)
        encoder.fill(carried, write)
        if not self._options.prune:
            replay(self._journal, encoder, writer, reached, head)
        encoder.fill(staged.posts(), write)
        for ids in self._pruned():
            encoder.cache.forget(ids)

    def _write(self, writer: GenerationWriter, posts: list[IndexedPost]) -> None:
        writer.change(Changes(upsert=posts))
        self._room.require(self._encoder.passages)

    def _pruned(self) -> Iterator[list[str]]:
        return self._staged.not_staged(self._store.stored_ids()) if self._options.prune else iter(())


def trim(journal: Journal, store: PostStore) -> None:
    """Delete from the journal what every generation has, and every erasure target was told."""
    reached = [store.reached(info.name).get(journal.id, 0) for info in store.generations()]
    told = journal.least_told()
    journal.trim(min([*reached, *([] if told is None else [told])], default=0))


def _some(posts: Iterator[StoredPost]) -> Iterator[list[StoredPost]]:
    for first in posts:
        yield [first, *(post for _, post in zip(range(COMPARED_AT_ONCE - 1), posts, strict=False))]


@dataclass(frozen=True, slots=True)
class _Room:
    """Checks that the disk of a folder has space for passages."""

    folder: Path
    passage_bytes: int

    def require(self, passages: int) -> None:
        require_room(self.folder, LEAST_ROOM_BYTES + passages * self.passage_bytes)


def _passage_bytes(embedder: Embedder) -> int:
    """Disk that building the search structures takes per passage, beyond what is written already: its vector, copied
    and linked to its neighbours, and its terms and payload. Measured: 4,500 in all, at 384 dimensions.
    """
    return 2 * 4 * embedder.identity.dimension + 2_000
