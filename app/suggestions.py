"""Suggestions that follow the index and what people ask: one thread of its own, beside the requests."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator

import structlog

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
_COUNTED_ONCE_S = 60.0  # a page's search and its answer, and somebody who loads it again, count as one
_MOST_WAITING = 200  # queries between two ticks; under heavier load some go uncounted
_SHARE = 0.01  # of the thread's time, at most, for taking past queries into the suggestions anew
_SHARE_OF_POSTS = 0.05  # the same, for posts that were taken in one by one: after 3 s of 1,000 posts, 4 min of 100,000
# Pauses about as long as these posts take, so that requests get the interpreter half the time, and wait for it half a
# millisecond. While any is being answered, the pause is longer, but all in all not longer than _PATIENCE_S.
_BREATH_POSTS, _BREATH_S = 10, 0.0005
_LONGER_S, _PATIENCE_S = 0.02, 60.0
_LOOKED_UP_AT_ONCE = 10_000
_NOTHING = Suggester(PostPhrases(()), PastPhrases())


class Suggesting:
    """Completes what is typed from the posts of the live generation and from past queries.

    After a new generation was exchanged, the old one's suggestions serve until its own are there: seconds. What posts
    carried that are gone from it is suggested no more before it is exchanged.

    Args:
        past: Where queries are kept; None keeps none and suggests none.
        changes: A number that is another one after the live generation was changed in place. What it holds now is then
            suggested before long.
        busy: Whether requests are being answered: then building suggestions steps aside.
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
        # Posts that are gone, with the generation that still has them: what is built of another has them no more, or
        # somebody brought them anew.
        self._gone: dict[str, str | None] = {}
        self._built_from: str | None = None
        self._borne_out_by: str | None = None
        self._waiting: deque[tuple[AnsweredQuery, str]] = deque(maxlen=_MOST_WAITING)
        self._counted: dict[str, float] = {}
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
        """Stop, once what was asked is written."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def suggest(self, typed: str, limit: int) -> list[Suggestion]:
        """At most `limit` completions, best first; see Suggester.suggest. Takes a few milliseconds at most."""
        return self._suggester.suggest(typed, limit)

    def forget(self, post_ids: Collection[str]) -> None:
        """Suggest no more what these posts alone carry, nor what was asked and found them, from now on; and delete
        what was asked.

        Raises:
            OSError, sqlite3.Error: What was asked cannot be deleted; it is not suggested all the same.
        """
        live = self._live_name()
        with self._exchanging:
            self._without(post_ids, live)
            if self._past is not None and post_ids:
                self._past.forget_posts(post_ids)

    def drop_missing(self) -> None:
        """Suggest no more what posts carried that the store's current generation lacks. Called before readers exchange
        theirs for it; takes half a second for 100,000 posts. Where it cannot be read, nothing changes.
        """
        ids = list(self._suggester.posts.post_ids())
        kept: set[str] = set()
        try:
            if self._store.current() is None:
                return
            for at in range(0, len(ids), _LOOKED_UP_AT_ONCE):
                kept |= self._store.stored_hashes(ids[at : at + _LOOKED_UP_AT_ONCE]).keys()
        except FixableError:  # told by whoever opens it
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
        """A query was answered, and this post was its best hit. Only remembers it to be written: takes microseconds."""
        if self._past is None or not keepable(text):
            return
        now, folded = self._clock(), folded_phrase(text)
        if now - self._counted.get(folded, -_COUNTED_ONCE_S) >= _COUNTED_ONCE_S:
            self._counted[folded] = now
            self._waiting.append((AnsweredQuery(text, best), generation))

    def follow(self) -> None:
        """Write what was noted, and build anew what is out of date. Called by the thread, again and again."""
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
        except FixableError:  # told by whoever searches
            return None

    def _write(self, generation: str | None) -> None:
        now = self._clock()
        if len(self._counted) > _MOST_WAITING:
            self._counted = {text: at for text, at in list(self._counted.items()) if now - at < _COUNTED_ONCE_S}
        noted = [self._waiting.popleft() for _ in range(len(self._waiting))]
        # What an older generation found may be gone from this one.
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
        """Suggest from this generation; nothing where there is none or it cannot be read, since posts may be gone."""
        started = self._clock()
        if name is None:
            self._suggester, self._built_from = _NOTHING, None
            return
        changes, wiped = self._changes(), frozenset(self._gone)
        try:
            if self._store.current() != name:
                return  # the store has moved on already; the live generation follows, or tells why it cannot
            posts = PostPhrases(self._breathing())
        except FixableError as error:
            _log.warning("suggestions cannot be built", problem=error.problem, retry_s=_RETRY_S)
            self._suggester, self._retry_at = _NOTHING, started + _RETRY_S
            return
        with self._exchanging:  # what was forgotten before these were read is not among them, or was brought anew
            self._gone = {post_id: held_by for post_id, held_by in self._gone.items() if post_id not in wiped}
        self._exchange(name, posts, self._past_phrases(name))
        self._built_from, self._built_with = name, changes
        seconds = self._clock() - started
        self._posts_due_at = self._clock() + seconds / _SHARE_OF_POSTS
        _log.info("suggestions built", phrases=len(posts.texts), seconds=round(seconds, 1))

    def _past_phrases(self, name: str | None) -> PastPhrases:
        """The past queries that posts of this generation bear out; the others are forgotten first, once for each."""
        started = self._clock()
        self._past_grew = False
        if self._past is None:
            return PastPhrases()
        try:
            if name != self._borne_out_by:
                with self._live.pin() as generation:
                    self._past.forget_unborne(generation.posts)
                self._borne_out_by = name
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
    """The process ends; what was begun need not be finished."""
