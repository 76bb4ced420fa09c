"""Suggestions from the index and from past queries, kept up to date by a thread of their own."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator

import structlog

from app.asker import asker
from app.query_log import AnsweredQuery, PastQueries, keepable
from retrieval.errors import FixableError
from retrieval.search.live_generation import Pinnable
from retrieval.stores.contract import PostStore
from retrieval.suggest.past_queries import PastPhrases
from retrieval.suggest.phrases import folded_phrase
from retrieval.suggest.post_phrases import PostPhrases
from retrieval.suggest.suggester import Suggester, Suggestion
from retrieval.types import Post

_log = structlog.get_logger()
_TICK_S = 0.5
_RETRY_S = 30.0
_COUNTED_ONCE_S = 60.0  # a search, its answer and a reload of the page count as one
_MOST_WAITING = 200  # queries between two ticks; under heavier load some go uncounted
_SHARE = 0.01  # of the thread's time, at most, for rebuilding the suggestions from past queries
_SHARE_OF_POSTS = 0.05  # the same, from posts that were added one by one: after 3 s of 1,000 posts, 4 min of 100,000
# Pauses about as long as these posts take, so that requests get the interpreter half the time, and wait for it half a
# millisecond. While any is being answered, the pause is longer, but all in all not longer than _PATIENCE_S.
_BREATH_POSTS, _BREATH_S = 10, 0.0005
_LONGER_S, _PATIENCE_S = 0.02, 60.0
_LOOKED_UP_AT_ONCE = 10_000
_NOTHING = Suggester(PostPhrases(()), PastPhrases())


class Suggesting:
    """Completes what is typed from the posts of the live generation and from past queries.

    After a switch to a new generation, the old one's suggestions serve for some seconds, until new ones are built. What
    only posts contain that are gone is no longer suggested from before the switch.

    Args:
        past: Where queries are kept; None keeps none and suggests none.
        changes: A number that changes when the live generation is changed in place. Suggestions are then rebuilt soon.
        busy: Whether requests are being answered: then building suggestions waits.
    """

    def __init__(
        self,
        store: PostStore,
        live: Pinnable,
        past: PastQueries | None,
        clock: Callable[[], float] = time.monotonic,
        changes: Callable[[], int] = lambda: 0,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store, self._live, self._past, self._clock = store, live, past, clock
        self._changes, self._busy = changes, busy
        self._suggester = _NOTHING
        self._exchanging = threading.Lock()  # held while the suggester is exchanged for another, or queries are written
        # Posts that are gone, with the generation that still has them: another generation does not have them, or they
        # were added again.
        self._gone: dict[str, str | None] = {}
        self._built_from: str | None = None
        self._supported_by: str | None = None
        self._waiting: deque[tuple[AnsweredQuery, str]] = deque(maxlen=_MOST_WAITING)
        self._counted: dict[str, float] = {}
        self._first_asker: dict[str, str] = {}  # of queries by strangers that nobody else asked yet
        self._past_grew = False
        self._built_with = 0  # changes
        self._retry_at = self._past_due_at = self._posts_due_at = self._write_again_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Follow the live generation from now on."""
        self._thread = threading.Thread(target=self._run, name="suggesting", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, once all queries are written."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        """At most `limit` completions, best first; see Suggester.suggest. Takes a few milliseconds at most."""
        return self._suggester.suggest(typed, limit)

    def forget(self, post_ids: Collection[str]) -> None:
        """No longer suggest what only these posts contain, nor the queries that found them; and delete these queries.

        Raises:
            OSError, sqlite3.Error: The queries cannot be deleted; they are still no longer suggested.
        """
        live = self._live_name()
        with self._exchanging:
            self._without(post_ids, live)
            if self._past is not None and post_ids:
                self._past.forget_posts(post_ids)

    def drop_missing(self) -> None:
        """No longer suggest what only posts contain that the store's current generation lacks. Called before readers
        switch to it; takes half a second for 100,000 posts. If it cannot be read, nothing changes.
        """
        ids = list(self._suggester.posts.post_ids())
        kept: set[str] = set()
        try:
            if self._store.current() is None:
                return
            for at in range(0, len(ids), _LOOKED_UP_AT_ONCE):
                kept |= self._store.stored_hashes(ids[at : at + _LOOKED_UP_AT_ONCE]).keys()
        except FixableError:  # reported when it is opened
            return
        with self._exchanging:
            self._without([post_id for post_id in ids if post_id not in kept], self._built_from)

    def _without(self, post_ids: Collection[str], generation: str | None) -> None:
        gone = set(post_ids)
        if gone:
            self._gone |= dict.fromkeys(gone, generation)
            self._suggester = self._suggester.without(gone)

    def _exchange(self, name: str | None, posts: PostPhrases, past: PastPhrases) -> None:
        with self._exchanging:
            self._gone = {post_id: held_by for post_id, held_by in self._gone.items() if held_by == name}
            self._suggester = Suggester(posts, past).without(self._gone.keys())

    def note(self, text: str, best: Post, generation: str) -> None:
        """Note a query and the post that was its best hit, to be written later. Takes microseconds."""
        if self._past is None or not keepable(text):
            return
        now, folded = self._clock(), folded_phrase(text)
        if not self._asked_by_several(folded, asker().name):
            return
        if now - self._counted.get(folded, -_COUNTED_ONCE_S) >= _COUNTED_ONCE_S:
            self._counted[folded] = now
            self._waiting.append((AnsweredQuery(text, best), generation))

    def _asked_by_several(self, folded: str, name: str) -> bool:
        """Whether somebody at this machine asks this, or a second stranger does: one alone fills no suggestions."""
        if not name or self._first_asker.get(folded, name) != name:
            return True
        while len(self._first_asker) >= _MOST_WAITING:
            del self._first_asker[next(iter(self._first_asker))]
        self._first_asker[folded] = name
        return False

    def follow(self) -> None:
        """Write what was noted, and rebuild what is out of date. The thread calls it again and again."""
        name = self._live_name()
        self._write(name)
        changed = self._changes() != self._built_with and self._clock() >= self._posts_due_at
        if (name != self._built_from or changed) and self._clock() >= self._retry_at:
            self._build(name)
        elif self._past_grew and self._clock() >= self._past_due_at:
            self._exchange(name, self._suggester.posts, self._past_phrases(name))

    def _run(self) -> None:
        while True:
            try:
                self.follow()
            except _Stopped:
                break
            except Exception:
                # A bug here must not end suggestions for good, and searching goes on without them.
                _log.exception("suggestions could not be built")
                self._suggester, self._retry_at = _NOTHING, self._clock() + _RETRY_S
            if self._stopping.wait(_TICK_S):
                break
        try:
            self._write(self._live_name())
        except Exception:
            _log.exception("the last queries could not be written")

    def _live_name(self) -> str | None:
        try:
            with self._live.pin() as generation:
                return generation.info.name
        except FixableError:  # the search will report it
            return None

    def _write(self, generation: str | None) -> None:
        now = self._clock()
        if len(self._counted) > _MOST_WAITING:
            self._counted = {text: at for text, at in list(self._counted.items()) if now - at < _COUNTED_ONCE_S}
        noted = [self._waiting.popleft() for _ in range(len(self._waiting))]
        # What was found in an older generation may be gone from this one.
        asked = [one for one, found_in in noted if found_in == generation]
        if self._past is None or not asked or now < self._write_again_at:
            return
        try:
            with self._exchanging:
                self._past_grew |= self._past.add(one for one in asked if one.best.id not in self._gone) > 0
        except (sqlite3.Error, OSError) as error:
            _log.warning("past queries cannot be written", problem=str(error), fix="delete queries.sqlite")
            self._write_again_at = now + _RETRY_S

    def _build(self, name: str | None) -> None:
        """Suggest from this generation; nothing if it does not exist or cannot be read, since posts may be gone."""
        started = self._clock()
        if name is None:
            self._suggester, self._built_from = _NOTHING, None
            return
        changes, wiped = self._changes(), frozenset(self._gone)
        try:
            if self._store.current() != name:
                return  # the store has switched already; the live generation follows, or reports why it cannot
            posts = PostPhrases(self._breathing())
        except FixableError as error:
            _log.warning("suggestions cannot be built", problem=error.problem, retry_s=_RETRY_S)
            self._suggester, self._retry_at = _NOTHING, started + _RETRY_S
            return
        with self._exchanging:  # a post forgotten before these were read is not among them, or was added again
            self._gone = {post_id: held_by for post_id, held_by in self._gone.items() if post_id not in wiped}
        self._exchange(name, posts, self._past_phrases(name))
        self._built_from, self._built_with = name, changes
        seconds = self._clock() - started
        self._posts_due_at = self._clock() + seconds / _SHARE_OF_POSTS
        _log.info("suggestions built", phrases=len(posts.texts), seconds=round(seconds, 1))

    def _past_phrases(self, name: str | None) -> PastPhrases:
        """The past queries that posts of this generation contain; the others are deleted first, once per generation."""
        started = self._clock()
        self._past_grew = False
        if self._past is None:
            return PastPhrases()
        try:
            if name != self._supported_by:
                with self._live.pin() as generation:
                    self._past.forget_unsupported(generation.posts)
                self._supported_by = name
            return PastPhrases(self._past.all())
        except (FixableError, sqlite3.Error, OSError, ValueError) as error:
            _log.warning("past queries cannot be read", problem=str(error), fix="delete queries.sqlite")
            return PastPhrases()
        finally:
            self._past_due_at = self._clock() + (self._clock() - started) / _SHARE

    def _breathing(self) -> Iterator[Post]:
        patience_s = _PATIENCE_S
        for number, stored in enumerate(self._store.stored_posts(), start=1):
            if number % _BREATH_POSTS == 0:
                if self._stopping.wait(_BREATH_S):
                    raise _Stopped
                longer_s = _LONGER_S
                while patience_s > 0 and longer_s > 0 and self._busy():
                    self._stopping.wait(_BREATH_S)
                    patience_s, longer_s = patience_s - _BREATH_S, longer_s - _BREATH_S
            yield stored.post


class _Stopped(Exception):
    """The process ends; work in progress is dropped."""
