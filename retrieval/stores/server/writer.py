"""Writes a generation on a Qdrant server, or changes one in place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from qdrant_client import models

from retrieval.errors import FixableError, StoreUnreachable
from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, Reached
from retrieval.stores.generations import info_fields, reached_field
from retrieval.stores.server.calls import ServerCalls
from retrieval.stores.server.layout import PAYLOAD_INDEXES, Layout
from retrieval.stores.server.points import ServerPoints
from retrieval.types import Identity

_SAID_EVERY_S = 15.0


class ServerWriter:
    """A collection that is being filled.

    Args:
        reached: The journal numbers of the copied generation.
        poll_s: How often to ask the server whether its search structures are built.
        resumed: Whether it may contain something already.
    """

    def __init__(
        self,
        calls: ServerCalls,
        collection: str,
        name: str,
        identity: Identity,
        layout: Layout,
        *,
        reached: Reached | None = None,
        poll_s: float = 0.5,
        resumed: bool = False,
    ) -> None:
        self._calls, self._collection, self._name, self._identity = calls, collection, name, identity
        self._layout, self._reached, self._poll_s = layout, dict(reached or {}), poll_s
        self._points = ServerPoints(calls, collection)
        self._held = self._points.count() if resumed else (0, 0)

    @property
    def name(self) -> str:
        return self._name

    def reached(self) -> Reached:
        return self._reached

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        self.change(Changes(upsert=posts))

    def change(self, changes: Changes) -> None:
        self._held = _sum(self._held, self._points.change(changes))

    def copy(self, collection: str, passages: int) -> None:
        """Copy everything from another collection unchanged: nothing is cut or embedded again."""
        told_at = time.monotonic()
        for copied, held in self._points.copy_from(collection):
            self._held = _sum(self._held, held)
            if time.monotonic() - told_at > _SAID_EVERY_S:
                told_at = time.monotonic()
                self._calls.say(f"copied {copied:,} of about {passages:,} passages on the server")

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        require_indexes(self._calls, self._collection)
        if (changed := self._layout.when_filled()) is not None:
            self._calls.write(lambda client: client.update_collection(self._collection, **changed))
            self._calls.recent.wrote()
        # A node that does not know of it yet says that everything is built.
        self._calls.wait(self._calls.recent.unseen_s(), "until all nodes show what was written")
        self._wait_for_indexing()
        posts, passages = self._points.counted(self._held)
        info = GenerationInfo(self.name, self._identity, datetime.now(UTC), posts, passages)
        fields = info_fields(info) | reached_field({**self._reached, **(reached or {})})
        update_metadata(self._calls, self._collection, fields)
        return info

    def discard(self) -> None:
        delete_collection(self._calls, self._collection)

    def _wait_for_indexing(self) -> None:
        """Wait until the server has built its search structures: it must report so twice, since it also does just
        before it begins.
        """
        green, told_at = 0, time.monotonic()
        while green < 2:
            said = self._calls.read(lambda client: client.get_collection(self._collection))
            if said.status == models.CollectionStatus.RED:
                problem = f"the Qdrant server failed at {self._collection}: {said.optimizer_status}"
                raise StoreUnreachable(problem, "check its log and free disk space, then reindex again")
            green = green + 1 if said.status == models.CollectionStatus.GREEN else 0
            if said.status == models.CollectionStatus.GREY:
                # After a restart Qdrant builds nothing before a write; an empty change suffices, as documented.
                self._calls.write(
                    lambda client: client.update_collection(
                        self._collection, optimizers_config=models.OptimizersConfigDiff()
                    )
                )
            if time.monotonic() - told_at > _SAID_EVERY_S:
                told_at = time.monotonic()
                built = f"{said.indexed_vectors_count or 0:,} of {said.points_count or 0:,} passages"
                self._calls.say(f"the server is building its search structures: {built}")
            if green < 2:
                self._calls.pause(self._poll_s)


class ServerChanger:
    """Changes the current generation in place: readers see each post as it is changed.

    An interrupted run leaves whole posts; the same run again does the rest.
    """

    def __init__(self, calls: ServerCalls, collection: str, info: GenerationInfo, reached: Reached) -> None:
        self._calls, self._collection, self._info, self._reached = calls, collection, info, reached
        self._points = ServerPoints(calls, collection)
        self._held = (info.posts, info.passages)

    @property
    def name(self) -> str:
        return self._info.name

    def reached(self) -> Reached:
        return self._reached

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        self.change(Changes(upsert=posts))

    def change(self, changes: Changes) -> None:
        self._held = _sum(self._held, self._points.change(changes))

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        posts, passages = self._points.counted(self._held)
        info = replace(self._info, posts=posts, passages=passages)
        fields = info_fields(info) | reached_field({**self._reached, **(reached or {})})
        update_metadata(self._calls, self._collection, fields)
        return info

    def discard(self) -> None:
        """Does nothing: readers use it."""


def update_metadata(calls: ServerCalls, collection: str, fields: dict[str, Any]) -> None:
    """Add these fields to a collection's metadata."""
    calls.write(lambda client: client.update_collection(collection, metadata=fields))
    calls.recent.updated(collection, fields)


def delete_collection(calls: ServerCalls, collection: str) -> None:
    calls.write(lambda client: client.delete_collection(collection))
    calls.recent.dropped(collection)


def _sum(held: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return held[0] + more[0], held[1] + more[1]


def require_indexes(calls: ServerCalls, collection: str) -> None:
    """Create the missing indexes of the fields used by filters.

    Raises:
        FixableError: There is one of another kind.
    """
    there = calls.read(lambda client: client.get_collection(collection)).payload_schema
    for field, kind in PAYLOAD_INDEXES.items():
        if field not in there:
            calls.write(lambda client, field=field, kind=kind: client.create_payload_index(collection, field, kind))  # type: ignore[misc]  # mypy infers no lambda with defaults
        elif there[field].data_type != kind:
            problem = f"the field {field} of {collection} is indexed as {there[field].data_type}, and has to be {kind}"
            raise FixableError(problem, f"delete that payload index of {collection}, and run it again")
