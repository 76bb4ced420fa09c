"""From what was typed to what is searched for, with the places that the posts name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from retrieval.errors import FixableError
from retrieval.query.filters import both
from retrieval.query.operator_values import read_near
from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery
from retrieval.query.places import Places, city
from retrieval.stores.contract import PostStore
from retrieval.types import Filters, Near


class UnknownPlaceError(Exception):
    """A place was named that neither posts nor the table of cities know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"near: no place {name[:80]!r} is known; name a larger one, or write latitude,longitude,5km")


class QueryReader:
    """Takes queries apart. Safe to call from several threads."""

    def __init__(self, store: PostStore) -> None:
        self._store = store
        self._places, self._places_of = Places(), ""
        self._reading = Lock()

    def forget(self, post_ids: Collection[str]) -> None:  # noqa: ARG002  # which of the names were theirs is not known
        """Know no place any more by a name that these posts gave it: all are learned anew, when one is asked for."""
        with self._reading:
            self._places, self._places_of = Places(), ""

    def read(self, typed: str, given: Filters | None = None) -> ParsedQuery:
        """What was typed, with what it asks for and what was `given` beside it as its filters."""
        parsed = parse_query(typed, self.locate, datetime.now(UTC).date())
        return parsed if given is None else replace(parsed, filters=both(given, parsed.filters))

    def near(self, written: str) -> Near:
        """The circle that a parameter of the API asks for, written as behind `near:`.

        Raises:
            UnknownPlaceError: It names a place that is not known.
            ValueError: It is no place and distance.
        """
        near = read_near(written, self.locate)
        if isinstance(near, str):
            raise UnknownPlaceError(near)
        if near is None:
            raise ValueError('near is no place and distance: write "Shanghai,10km" or "31.2,121.4,5km"')
        return near

    def locate(self, name: str) -> tuple[float, float] | None:
        """Latitude and longitude of a place by its name, as the posts of the current generation say, or else a city's.

        The first call for a generation goes through all its posts: about 2 s for 100,000.
        """
        try:
            with self._reading:
                current = self._store.current()
                if current is not None and current != self._places_of:
                    self._places = Places(stored.post for stored in self._store.stored_posts())
                    self._places_of = current
                places = self._places
        except FixableError:  # told by whoever searches
            return city(name)
        return places.locate(name)
