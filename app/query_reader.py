"""Parses typed queries, and knows the places that the posts name."""

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
    """A place that neither the posts nor the table of cities have."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"near: the place {name[:80]!r} is unknown; name a larger one, or write latitude,longitude,5km"
        )


class QueryReader:
    """Parses queries. Safe to call from several threads."""

    def __init__(self, store: PostStore) -> None:
        self._store = store
        self._places, self._places_of = Places(), ""
        self._reading = Lock()

    def forget(self, post_ids: Collection[str]) -> None:  # noqa: ARG002  # it is not known which names are theirs
        """Drop all place names, which are collected again when one is looked up: these posts may have named some."""
        with self._reading:
            self._places, self._places_of = Places(), ""

    def read(self, typed: str, given: Filters | None = None) -> ParsedQuery:
        """The query that was typed; its filters together with the given ones."""
        parsed = parse_query(typed, self.locate, datetime.now(UTC).date())
        return parsed if given is None else replace(parsed, filters=both(given, parsed.filters))

    def near(self, written: str) -> Near:
        """The circle of the API's parameter `near`, written as after `near:` in a query.

        Raises:
            UnknownPlaceError: It names an unknown place.
            ValueError: It is not a place and distance.
        """
        near = read_near(written, self.locate)
        if isinstance(near, str):
            raise UnknownPlaceError(near)
        if near is None:
            raise ValueError('near is not a place and distance: write "Shanghai,10km" or "31.2,121.4,5km"')
        return near

    def locate(self, name: str) -> tuple[float, float] | None:
        """Latitude and longitude of a place by its name, from the posts of the current generation, else of a city.

        The first call for a generation reads all its posts: about 2 s for 100,000.
        """
        try:
            with self._reading:
                current = self._store.current()
                if current is not None and current != self._places_of:
                    self._places = Places(stored.post for stored in self._store.stored_posts())
                    self._places_of = current
                places = self._places
        except FixableError:  # the search will report it
            return city(name)
        return places.locate(name)
