"""A cluster whose nodes are behind one another: what was written is right at any lag up to the bound."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.errors import StoreUnreachable
from retrieval.search.live_generation import LiveGeneration
from retrieval.stores.contract import Changes, IndexedPost
from retrieval.stores.server.recent_writes import LAG_S
from retrieval.stores.server.store import ServerStore
from retrieval.types import Filters
from tests.retrieval.stores.offered import IDENTITY, a_post, a_query, changed, fill, indexed, some_posts
from tests.retrieval.stores.server.hasty_store import run
from tests.retrieval.stores.server.lagging_qdrant import MOST_BEHIND_S, LaggingQdrant, lagging_qdrant, store_on

EVERYTHING = 1_000
OPERATIONS = ["reindex", "copy", "live", "interrupted", "back", "drop", "wipe", "resume"]


def stored(posts: list[IndexedPost]) -> dict[str, str]:
    return {one.stored.post.id: one.stored.content_hash for one in posts}


def passages(posts: list[IndexedPost]) -> set[tuple[str, int]]:
    return {(passage.post_id, passage.ordinal) for one in posts for passage in one.passages}


def found(store: ServerStore) -> set[tuple[str, int]]:
    generation = store.open(IDENTITY)
    candidates = generation.candidates(*a_query(1), EVERYTHING, Filters())
    assert {one.post_id for one in candidates} == set(generation.posts([one.post_id for one in candidates]))
    return {(one.post_id, one.ordinal) for one in candidates}


class Index:
    """What the generations have to contain, by their names, oldest first."""

    def __init__(self, server: LaggingQdrant, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.held: dict[str, list[IndexedPost]] = {}
        self.current = ""
        self.number = 0  # of the journal: it only grows

    def process(self) -> ServerStore:
        return store_on(self.server, self.folder)

    def check(self, store: ServerStore) -> None:
        """In the process that wrote, at once; in another one, when it may not be behind any more."""
        for one in (store, self.process()):
            if one is not store:
                self.server.clock.sleep(MOST_BEHIND_S)
            assert one.current() == (self.current or None)
            assert [info.name for info in one.generations()] == list(self.held)
            if self.current:
                posts = self.held[self.current]
                [info] = [info for info in one.generations() if info.name == self.current]
                assert (info.posts, info.passages) == (len(posts), len(passages(posts)))
                assert {kept.post.id: kept.content_hash for kept in one.stored_posts()} == stored(posts)
                assert found(one) == passages(posts)

    def act(self, operation: str, seed: int) -> None:
        store = self.process()
        if operation == "wipe":  # nothing is written beside it: it waits for nobody
            store.wipe(["post-4"])
        with store.writing():
            getattr(self, f"_{operation}")(store, seed)
            self.check(store)

    def _reindex(self, store: ServerStore, seed: int) -> None:
        posts = some_posts(6, seed)
        writer = store.begin(IDENTITY)
        writer.upsert([indexed(a_post("post-1"), 7, passages=3), *posts[2:]])
        writer.upsert(posts)  # post-1 has fewer passages now
        self._finish(store, writer.finish().name, posts)

    def _copy(self, store: ServerStore, seed: int) -> None:
        writer = store.begin_copy(IDENTITY)
        assert (writer is None) == (not self.current)
        if writer is not None:
            posts = {one.stored.post.id: one for one in self.held[self.current]}
            posts["more"] = indexed(a_post("more"), seed, passages=2)
            posts.pop("post-2", None)
            writer.change(Changes(upsert=[posts["more"]], delete=["post-2"]))
            self._finish(store, writer.finish().name, list(posts.values()))

    def _live(self, store: ServerStore, seed: int) -> None:
        if not self.current:
            return
        generation = store.open(IDENTITY)
        posts = {one.stored.post.id: one for one in self.held[self.current]}
        for count in (3, 1):
            posts["live"] = indexed(a_post("live"), seed, passages=count)
            generation.change(Changes(upsert=[posts["live"]]))
        posts.pop("post-3", None)
        generation.change(Changes(delete=["post-3"]))
        self.number += 1 + seed
        generation.settle({"mine": self.number})
        generation.settle({"other": 1})
        assert generation.reached() == store.reached() == {**generation.reached(), "mine": self.number, "other": 1}
        self.held[self.current] = list(posts.values())
        self.server.clock.sleep(MOST_BEHIND_S)

    def _interrupted(self, store: ServerStore, seed: int) -> None:
        store.begin(IDENTITY).upsert(some_posts(2, seed))

    def _back(self, store: ServerStore, seed: int) -> None:
        names = list(self.held)
        if names:
            self.current = names[seed % len(names)]
            store.switch(self.current)

    def _drop(self, store: ServerStore, seed: int) -> None:
        for name in list(self.held):
            if name != self.current:
                store.drop(name)
                del self.held[name]

    def _wipe(self, store: ServerStore, seed: int) -> None:
        for name, posts in self.held.items():
            self.held[name] = [one for one in posts if one.stored.post.id != "post-4"]
        if self.current:
            store.open(IDENTITY).settle({})
            self.server.clock.sleep(MOST_BEHIND_S)

    def _resume(self, store: ServerStore, seed: int) -> None:
        posts = some_posts(5, seed)
        writer, _ = store.resume(IDENTITY, "there")
        writer.upsert(posts[:3])
        writer, resumed = store.resume(IDENTITY, "there")
        assert resumed
        writer.upsert(posts[3:])
        self._finish(store, writer.finish().name, posts)

    def _finish(self, store: ServerStore, name: str, posts: list[IndexedPost]) -> None:
        store.switch(name)
        self.current = name
        self.held[name] = posts
        self.held = dict(sorted(self.held.items()))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 5)), min_size=1, max_size=5),
    st.lists(st.floats(0, MOST_BEHIND_S), min_size=1, max_size=8),
    st.sampled_from([0.1, 0.5, 0.9]),
    st.integers(0, 99),
)
def test_every_operation_is_right_at_any_lag_and_whichever_node_is_asked(
    operations: list[tuple[str, int]], lags: list[float], share: float, seed: int
) -> None:
    chance = random.Random(seed)
    with (
        TemporaryDirectory() as folder,
        lagging_qdrant(lambda: chance.choice(lags), lambda: chance.random() < share) as server,
    ):
        index = Index(server, Path(folder))
        for operation, with_seed in operations:
            index.act(operation, with_seed)


def alternating() -> Callable[[], bool]:
    state = {"behind": False}

    def asks_behind() -> bool:
        state["behind"] = not state["behind"]
        return state["behind"]

    return asks_behind


@pytest.mark.parametrize("lag_s", [0.0, 0.3, MOST_BEHIND_S])
def test_twenty_reindexes_in_a_row_finish(lag_s: float, tmp_path: Path) -> None:
    with lagging_qdrant(lambda: lag_s, alternating()) as server:
        for number in range(1, 21):
            store = store_on(server, tmp_path)
            summary = run(store, tmp_path, StringIO())
            assert store.current() == summary.generation or number > 1
        assert store.generations()
        server.clock.sleep(MOST_BEHIND_S)
        assert store_on(server, tmp_path).current() == store.current()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.floats(0, MOST_BEHIND_S), st.integers(0, 99))
def test_web_servers_that_ask_any_node_never_open_a_generation_that_is_gone_or_older(lag_s: float, seed: int) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, lagging_qdrant(lambda: lag_s, lambda: chance.random() < 0.5) as server:
        writer = store_on(server, Path(folder))
        with writer.writing():
            old = fill(writer, some_posts(4))
            server.clock.sleep(MOST_BEHIND_S)  # the first index of all is not there earlier
            webs = [LiveGeneration(store_on(server, Path(folder)), IDENTITY) for _ in range(2)]
            for live in webs:
                with live.pin() as generation:
                    assert generation.info.name == old.name
            seen = dict.fromkeys(range(2), old.name)

            def searched() -> None:
                for number, live in enumerate(webs):
                    live.refresh()
                    assert live.problem is None
                    with live.pin() as generation:
                        assert generation.info.name >= seen[number]
                        seen[number] = generation.info.name
                        assert generation.candidates(*a_query(0), 9, Filters())

            for number in range(2):
                new = fill(writer, some_posts(5, seed=number))
                searched()
                writer.drop(old.name)
                searched()
                server.clock.sleep(chance.random())
                searched()
                old = new
            server.clock.sleep(MOST_BEHIND_S)
            searched()
            assert set(seen.values()) == {new.name}


def test_a_node_that_stays_behind_is_told_of_and_nothing_hangs(tmp_path: Path) -> None:
    with lagging_qdrant(lambda: 60.0, lambda: True) as server:
        store, started = store_on(server, tmp_path), server.clock()
        with store.writing(), pytest.raises(StoreUnreachable, match="a node is behind the others") as raised:
            fill(store, some_posts(2))
        assert "GET /cluster" in raised.value.fix
        assert LAG_S < server.clock() - started < 40


def test_nothing_is_waited_for_on_a_single_node(tmp_path: Path) -> None:
    with lagging_qdrant(lambda: 0.0, lambda: False) as server:
        server.cluster = lambda: {"status": "disabled"}  # type: ignore[method-assign]  # a node without others
        store, started = store_on(server, tmp_path, poll_s=0), server.clock()
        with store.writing():
            old = fill(store, some_posts(2))
            fill(store, changed(some_posts(12))[1])
            store.drop(old.name)
        assert server.clock() - started < 0.5
