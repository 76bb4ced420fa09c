"""Ingests posts while people search: first into the journal, and from there into the open generation."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO

import structlog

from indexer.journal.erasure import forget
from indexer.journal.journal import Journal
from indexer.journal.replay import replay, replay_batch
from indexer.pipeline.embedding_cache import EmbeddingCache
from indexer.pipeline.plan import Difference, difference
from indexer.pipeline.post_encoder import PassageWeigher, PostEncoder
from indexer.posts.validation import OptedOut, PostError, to_post
from indexer.progress import QuietProgress
from retrieval.disk import naming_disk_trouble
from retrieval.errors import FixableError, IndexLocked
from retrieval.ingestion import ErasureTargets, PostOutcome
from retrieval.models.embedding import Embedder
from retrieval.settings import Settings
from retrieval.stores.contract import ChangingGeneration, PostStore, StoredPost
from retrieval.text.content_hash import content_hash
from retrieval.types import Identity

_log = structlog.get_logger()
_POLL_S = 0.1
_RETRY_S = 5.0
# Changes that are applied together: their passages are embedded at once, and a new generation waits only for these.
_AT_ONCE = 32
# Searches wait while changes are settled (0.1 to 0.5 s), so it is done rarely; a killed server applies as many again
# when it starts, without embedding: about 2 s.
_SETTLE_AFTER_CHANGES, _SETTLE_AFTER_S = 5_000, 900.0


class JournalIngestion:
    """Ingestion through data_dir/journal.sqlite, to which other processes may write as well.

    Two threads follow the journal: one changes the generation, the other tells the erasure targets what to forget, so
    that forgetting never waits for a model.
    """

    def __init__(self, settings: Settings, store: PostStore, embedder: Embedder, weigher: PassageWeigher) -> None:
        self._data_dir, self._store, self._embedder, self._weigher = settings.data_dir, store, embedder, weigher
        self._erasure_targets: ErasureTargets = {}
        self._lock = threading.Lock()  # guards the generation and how far it is
        self._generation: ChangingGeneration | None = None
        self._held = self._settled = 0
        self._unsettled_since: float | None = None
        self._reached = threading.Condition()
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._told: dict[str, int] = {}  # only of this process: another one has its own suggestions
        self._telling = threading.Lock()
        self._opened: Journal | None = None
        self._opening = threading.Lock()

    def following(self, store: PostStore, embedder: Embedder) -> _FollowedStore:
        return _FollowedStore(store, self, embedder)

    def start(self, erasure_targets: ErasureTargets) -> None:
        self._erasure_targets = erasure_targets
        for work in (self._apply, self._tell):
            thread = threading.Thread(target=self._run, args=(work,), name=f"ingestion {work.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def opened(self, generation: ChangingGeneration, embedder: Embedder) -> None:
        """Bring a newly opened generation up to the journal; from now on changes go to it, embedded by this embedder.

        Raises:
            FixableError: The disk is full or forbidden.
        """
        with self._lock, naming_disk_trouble(self._data_dir):
            before, self._embedder = self._embedder, embedder
            try:
                held = self._caught_up(generation)
            except BaseException:
                self._embedder = before
                raise
            self._generation, self._held, self._settled = generation, held, held
        with self._reached:
            self._reached.notify_all()

    def _caught_up(self, generation: ChangingGeneration) -> int:
        """Apply the pending part of the journal to a generation; returns the number that it then has reached."""
        journal = self._journal(make=False)
        if journal is None:
            return 0
        held = generation.reached().get(journal.id, 0)
        if journal.last() > held:
            with self._cache() as cache:
                held = replay(journal, self._encoder(cache), generation, held)
            self._unsettled_since = time.monotonic()
        return held

    def put(self, offered: Sequence[object], allow_forgotten: bool = False) -> tuple[list[PostOutcome], int]:
        with naming_disk_trouble(self._data_dir):
            journal = self._journal(make=True)
            assert journal is not None, "make=True makes a journal"
            self._begin_index()
            results: list[PostOutcome] = []
            posts: dict[str, StoredPost] = {}
            for one in offered:
                result, stored = self._read(one, journal, allow_forgotten)
                if stored is not None and stored.post.id in posts:
                    problem = f"is {stored.post.id!r}, as that of another post in the same request"
                    result, stored = PostOutcome(stored.post.id, "rejected", "id", problem, "each id once"), None
                results.append(result)
                if stored is not None:
                    posts[stored.post.id] = stored
            opted_out = [one.id for one in results if one.outcome == "forgotten" and one.field == "opt_out"]
            if new_ones := journal.not_forgotten(opted_out):
                self.forget(new_ones, "opt-out")
            posts = {post_id: stored for post_id, stored in posts.items() if post_id not in opted_out}
            results = [
                PostOutcome(one.id, "forgotten") if one.id in opted_out and one.outcome == "added" else one
                for one in results
            ]
            outcomes = self._compared(posts, journal)
            new = [stored for post_id, stored in posts.items() if outcomes[post_id] != "unchanged"]
            if allow_forgotten:
                journal.allow(stored.post for stored in new)
            number = journal.put(new) if new else 0
        self._wake.set()
        return [PostOutcome(one.id, outcomes[one.id]) if one.outcome == "added" else one for one in results], number

    def searchable(self, number: int, timeout_s: float) -> bool:
        with self._reached:
            return self._reached.wait_for(lambda: self._held >= number and self._generation is not None, timeout_s)

    def held(self) -> int:
        return self._held

    def forget(self, post_ids: Sequence[str], by: str) -> int:
        outcome = forget(self._store, self._data_dir, post_ids, by=by)
        self._tell()
        self._wake.set()
        return outcome.found

    def close(self) -> None:
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            if self._generation is not None and self._held > self._settled:
                with suppress(FixableError):  # the journal has it
                    self._settle()
            self._generation = None
        if self._opened is not None:
            self._opened.close()

    def _read(self, raw: object, journal: Journal, allow_forgotten: bool) -> tuple[PostOutcome, StoredPost | None]:
        try:
            post = to_post(raw)
        except OptedOut as error:
            return PostOutcome(error.post_id, "forgotten", error.field), None
        except PostError as error:
            named = raw.get("id") if isinstance(raw, dict) else None
            post_id = named if isinstance(named, str) and len(named) <= 200 else ""
            return PostOutcome(post_id, "rejected", error.field, error.problem, error.expected), None
        if not allow_forgotten and journal.kept_out([post]):
            return PostOutcome(post.id, "forgotten"), None
        return PostOutcome(post.id, "added"), StoredPost(post, content_hash(post))

    def _compared(self, posts: dict[str, StoredPost], journal: Journal) -> dict[str, Difference]:
        """What each post would be to what is stored, or accepted and not stored yet."""
        ids = list(posts)
        held = self._held  # read before the stored hashes: what is applied meanwhile is in both
        known: dict[str, str | None] = {**self._store.stored_hashes(ids), **journal.pending(ids, held)}
        return {post_id: difference(known.get(post_id), stored.content_hash) for post_id, stored in posts.items()}

    def _begin_index(self) -> None:
        """If nothing is indexed yet, make an index without posts for the first ones to go into."""
        if self._store.current() is not None:
            return
        with (
            suppress(IndexLocked),
            self._store.writing(),
        ):  # another process writes the first one, and applies the journal
            if self._store.current() is None:
                self._store.switch(self._store.begin(self._embedder.identity).finish().name)

    def _run(self, work: object) -> None:
        assert callable(work), "a thread needs work"
        while not self._stopping.is_set():
            try:
                work()
                pause_s = _POLL_S
            except Exception as error:
                # Whatever it is, the journal keeps the pending changes, and the next try may succeed.
                _log.exception("the journal cannot be followed", problem=str(error))
                pause_s = _RETRY_S
            self._wake.wait(pause_s)
            if work == self._apply:
                self._wake.clear()

    def _apply(self) -> None:
        """Apply pending changes to the open generation."""
        while not self._stopping.is_set():
            with self._lock:
                journal = self._journal(make=False)
                if self._generation is None or journal is None:
                    return
                due = journal.after(self._held, _AT_ONCE)
                if due:
                    with self._cache() as cache:
                        replay_batch(due, self._encoder(cache), self._generation)
                    if self._unsettled_since is None:
                        self._unsettled_since = time.monotonic()
                    self._held = due[-1].number
                elif self._is_time_to_settle():
                    self._settle()
            if not due:
                return
            with self._reached:
                self._reached.notify_all()

    def _tell(self) -> None:
        """Tell each erasure target what was forgotten since it was last told."""
        journal = self._journal(make=False)
        if journal is None:
            return
        with self._telling:
            for name, target in self._erasure_targets.items():
                if name not in self._told:
                    self._told[name] = journal.told(name)
                    journal.tell(name, self._told[name])  # from now on the journal keeps what this one must be told
                ids, last = journal.forgotten_after(self._told[name])
                if ids:
                    target(ids)
                if last > self._told[name]:
                    journal.tell(name, last)
                    self._told[name] = last

    def _is_time_to_settle(self) -> bool:
        since = self._unsettled_since
        if since is None or self._held == self._settled:
            return False
        many = self._held - self._settled >= _SETTLE_AFTER_CHANGES
        return many or time.monotonic() - since > _SETTLE_AFTER_S

    def _settle(self) -> None:
        assert self._generation is not None, "no generation is open"
        assert self._opened is not None, "there is no journal"
        self._generation.settle({self._opened.id: self._held})
        self._settled, self._unsettled_since = self._held, None

    def _journal(self, make: bool) -> Journal | None:
        """The journal; None if it does not exist and `make` is False."""
        with self._opening:
            path = self._data_dir / "journal.sqlite"
            if self._opened is None and (make or path.exists()):
                self._opened = Journal(path)
            return self._opened

    def _cache(self) -> EmbeddingCache:
        return EmbeddingCache(self._data_dir / "embeddings.sqlite", self._embedder.identity)

    def _encoder(self, cache: EmbeddingCache) -> PostEncoder:
        return PostEncoder(self._embedder, self._weigher, cache, QuietProgress(StringIO()))


class _FollowedStore:
    """A store whose generations are brought up to the journal when they are opened."""

    def __init__(self, store: PostStore, ingestion: JournalIngestion, embedder: Embedder) -> None:
        self._store, self._ingestion, self._embedder = store, ingestion, embedder

    def current(self) -> str | None:
        return self._store.current()

    def open(self, expected: Identity) -> ChangingGeneration:
        generation = self._store.open(expected)
        try:
            self._ingestion.opened(generation, self._embedder)
        except BaseException:
            generation.close()
            raise
        return generation
