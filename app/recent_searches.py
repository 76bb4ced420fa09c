"""Searches of the last minute, so that a page's answer is made from the hits that the page shows."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from threading import Lock

from retrieval.types import SearchPage

_MOST = 100  # pages; a browser asks for the answer within moments, so that only abandoned ones are left to expire
_SECONDS = 60.0


class RecentSearches:
    """Hands a search from the request of a page to the request of its answer, once. In this process only, and safe to
    call from several threads. A search that is no longer here has to be made again.
    """

    def __init__(
        self, most: int = _MOST, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._pages: dict[str, tuple[float, SearchPage]] = {}  # oldest first
        self._lock = Lock()

    def keep(self, page: SearchPage) -> str:
        """Keep a search; returns the id to take it by, which cannot be guessed."""
        key, now = secrets.token_urlsafe(16), self._clock()
        with self._lock:
            self._pages[key] = now, page
            fresh = [one for one, (at, _) in self._pages.items() if now - at < self._seconds][-self._most :]
            self._pages = {one: self._pages[one] for one in fresh}
        return key

    def take(self, key: str) -> SearchPage | None:
        """The search with this id, if it is still here; it is not kept any longer."""
        with self._lock:
            at, page = self._pages.pop(key, (0.0, None))
        return page if self._clock() - at < self._seconds else None

    def forget(self, post_ids: Collection[str]) -> None:  # noqa: ARG002  # with so few, sorting out which held them is not worth it
        """Drop all searches: one of them may hold one of these posts."""
        with self._lock:
            self._pages.clear()
