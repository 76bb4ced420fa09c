"""A small PostStore in memory: the writing side, as `reindex` uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from retrieval.stores.contract import (
    Changes,
    ChangingGeneration,
    GenerationInfo,
    GenerationWriter,
    IndexedPost,
    Reached,
    StoredPost,
    say_nothing,
)
from retrieval.types import Identity


class MemoryStore:
    """Fulfils the contract of PostStore; `events` lists what was done to it, in order."""

    def __init__(self, copies: bool = True) -> None:
        self._copies = copies
        self.written: dict[str, dict[str, IndexedPost]] = {}
        self.reaches: dict[str, Reached] = {}
        self.events: list[str] = []
        self._infos: dict[str, GenerationInfo] = {}
        self._current: str | None = None
        self._begun = 0

    def current(self) -> str | None:
        return self._current

    def generations(self) -> list[GenerationInfo]:
        return list(self._infos.values())

    def open(self, expected: Identity) -> ChangingGeneration:
        raise AssertionError("filling opens nothing")

    def stored_hashes(self, ids: Sequence[str]) -> dict[str, str]:
        posts = self.indexed()
        return {post_id: posts[post_id].stored.content_hash for post_id in ids if post_id in posts}

    def stored_posts(self) -> Iterator[StoredPost]:
        yield from (indexed.stored for indexed in self.indexed().values())

    def stored_ids(self) -> Iterator[str]:
        yield from self.indexed()

    def reached(self, name: str = "") -> Reached:
        return self.reaches.get(name or self._current or "", {})

    @contextmanager
    def writing(self, tell: Callable[[str], None] = say_nothing) -> Iterator[None]:
        self.events.append("lock")
        try:
            yield
        finally:
            self.events.append("unlock")

    def begin(self, identity: Identity) -> GenerationWriter:
        self._begun += 1
        return MemoryWriter(self, f"{self._begun:04}", identity)

    def begin_copy(self, identity: Identity) -> GenerationWriter | None:
        if not self._copies or self._current is None or self._infos[self._current].identity != identity:
            return None
        self._begun += 1
        self.events.append(f"copy {self._current}")
        return MemoryWriter(self, f"{self._begun:04}", identity, self.indexed(), self.reaches[self._current])

    def wipe(self, ids: Sequence[str]) -> None:
        for posts in self.written.values():
            for post_id in ids:
                posts.pop(post_id, None)

    def switch(self, name: str) -> None:
        assert name in self._infos, "only a finished generation can be switched to"
        self.events.append(f"switch {name}")
        self._current = name

    def drop(self, name: str) -> None:
        assert name != self._current, "the current generation is not dropped"
        self.events.append(f"drop {name}")
        del self._infos[name], self.written[name]

    def indexed(self) -> dict[str, IndexedPost]:
        return self.written[self._current] if self._current else {}

    def finished(self, info: GenerationInfo, posts: dict[str, IndexedPost], reached: Reached) -> None:
        self._infos[info.name], self.written[info.name], self.reaches[info.name] = info, posts, reached


class MemoryWriter:
    def __init__(
        self,
        store: MemoryStore,
        name: str,
        identity: Identity,
        like: Mapping[str, IndexedPost] | None = None,
        reached: Reached | None = None,
    ) -> None:
        self.name = name
        self._store, self._identity = store, identity
        self._posts: dict[str, IndexedPost] = dict(like or {})
        self._reached = dict(reached or {})

    def reached(self) -> Reached:
        return self._reached

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        self.change(Changes(upsert=posts))

    def change(self, changes: Changes) -> None:
        self._posts |= {indexed.stored.post.id: indexed for indexed in changes.upsert}
        for stored in changes.recount:
            if stored.post.id in self._posts:
                self._posts[stored.post.id] = replace(self._posts[stored.post.id], stored=stored)
        for post_id in changes.delete:
            self._posts.pop(post_id, None)

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        passages = sum(len(indexed.passages) for indexed in self._posts.values())
        info = GenerationInfo(self.name, self._identity, datetime.now(UTC), len(self._posts), passages)
        self._store.finished(info, self._posts, {**self._reached, **(reached or {})})
        return info

    def discard(self) -> None:
        self._store.events.append(f"discard {self.name}")
