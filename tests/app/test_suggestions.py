"""Suggestions follow the index: what is forgotten, taken in, or gone with a generation."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest

from app.asker import Asker, is_asking
from app.query_log import PastQueries
from app.suggestions import Suggesting
from retrieval.models.embedding import HashEmbedder
from retrieval.search.live_generation import LiveGeneration
from retrieval.stores.contract import Changes
from retrieval.stores.edge.generation import EdgeGeneration
from retrieval.types import Post
from tests.small_index import POSTS, indexed, ready

DALI, OATS = POSTS[0], POSTS[1]


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Following:
    """Suggestions of an index that the test changes, followed when it says so."""

    def __init__(self, folder: Path) -> None:
        self.embedder = HashEmbedder(64)
        self.folder, self.store = folder, indexed(folder, POSTS, self.embedder)
        self.live, self.clock = LiveGeneration(self.store, self.embedder.identity), Clock()
        self.past = PastQueries(folder / "queries.sqlite")
        self.changes = 0
        self.suggesting = Suggesting(self.store, self.live, self.past, self.clock, lambda: self.changes)
        self.ask("oat milk", OATS)
        self.ask("blue door prices", DALI)

    def ask(self, text: str, best: Post) -> None:
        with self.live.pin() as generation:
            self.suggesting.note(text, best, generation.info.name)
        self.clock.now += 100
        for _ in range(2):  # written first, then suggested
            self.suggesting.follow()

    def texts(self, typed: str) -> set[str]:
        return {one.text for one in self.suggesting.suggest(typed, 20)}


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    made = Following(tmp_path)
    yield made
    made.live.close()


def test_what_a_forgotten_post_alone_carried_is_suggested_no_more_from_that_moment_on(following: Following) -> None:
    assert following.texts("oat") == {"oat milk"}
    assert following.texts("cof") == {"coffee"}
    following.suggesting.forget(["oats", "no such post"])
    assert following.texts("oat") == set()
    assert following.texts("cof") == {"coffee"}, "another post has that tag"
    assert following.texts("blu") == {"Blue Door cafe in Dali", "blue door prices"}
    assert [query.text for query in following.past.all()] == ["blue door prices"]
    assert b"oat milk" not in (following.folder / "queries.sqlite").read_bytes()
    following.suggesting.forget(["dali"])
    assert following.texts("cof") == following.texts("blu") == set()


def test_a_forgotten_post_stays_forgotten_when_past_queries_are_taken_in_anew(following: Following) -> None:
    following.suggesting.forget(["oats"])
    following.ask("oat milk prices", OATS)  # found by a search that had begun before
    following.ask("white door", DALI)
    assert following.texts("oat") == set()
    assert following.texts("white") == {"white door"}


def test_a_forgotten_post_that_comes_back_is_suggested_again(following: Following) -> None:
    following.suggesting.forget(["oats"])
    indexed(following.folder, POSTS, following.embedder)
    assert following.live.refresh(following.suggesting.drop_missing)
    assert following.texts("oat") == set(), "the next generation's suggestions are not built yet"
    following.suggesting.follow()
    assert following.texts("oat") == {"Oat milk"}


def test_what_the_next_generation_lacks_is_suggested_no_more_before_anybody_reads_it(following: Following) -> None:
    indexed(following.folder, [post for post in POSTS if post is not OATS], following.embedder)
    assert following.texts("oat") == {"oat milk"}
    seen: list[set[str]] = []

    def before() -> None:
        following.suggesting.drop_missing()
        with following.live.pin() as generation:
            assert generation.posts(["oats"]), "readers still have the old one"
        seen.append(following.texts("oat"))

    assert following.live.refresh(before)
    assert seen == [set()]
    assert following.texts("cof") == {"coffee"}
    following.suggesting.follow()
    assert following.texts("oat") == set()
    assert [query.text for query in following.past.all()] == ["blue door prices"]


def test_a_post_that_was_taken_in_is_suggested_and_a_forgotten_one_not_again(following: Following) -> None:
    fresh = Post("fresh", "Fresh figs", "In season.", "ann", ("fruit",), "en")
    with following.live.pin() as generation:
        assert isinstance(generation, EdgeGeneration), "the store is embedded"
        generation.change(Changes(upsert=[ready(fresh, following.embedder)]))
    following.suggesting.forget(["oats"])
    following.store.wipe(["oats"])
    following.changes += 1
    following.suggesting.follow()
    assert following.texts("fi") == {"Fresh figs"}
    assert following.texts("oat") == set()


def test_a_query_found_in_a_generation_that_is_gone_is_not_kept(tmp_path: Path) -> None:
    embedder = HashEmbedder(64)
    store = indexed(tmp_path, POSTS, embedder)
    live, past, clock = LiveGeneration(store, embedder.identity), PastQueries(tmp_path / "q.sqlite"), Clock()
    suggesting = Suggesting(store, live, past, clock)
    suggesting.note("oat milk", OATS, "0000-gone")
    suggesting.follow()
    assert past.all() == []
    with live.pin() as generation:
        name = generation.info.name
    for seconds in (100, 50, 50):
        clock.now += seconds
        suggesting.note("Oat Milk", OATS, name)
    suggesting.follow()
    assert [(query.text, query.count) for query in past.all()] == [("Oat Milk", 2)], "once a minute"
    live.close()


def test_an_index_that_moves_on_under_a_reader_of_another_model_is_not_suggested_from(tmp_path: Path) -> None:
    store = indexed(tmp_path, POSTS[:1], HashEmbedder(64))
    live, clock = LiveGeneration(store, HashEmbedder(64).identity), Clock()
    suggesting = Suggesting(store, live, None, clock)
    suggesting.follow()
    assert suggesting.suggest("blue", 8)
    indexed(tmp_path, POSTS, HashEmbedder(128))
    live.refresh()
    suggesting.follow()
    assert suggesting.suggest("oat", 8) == []
    assert suggesting.suggest("blue", 8)
    live.close()


def test_a_strangers_query_is_suggested_once_another_stranger_asked_it_too(following: Following) -> None:
    def asked_by(name: str) -> None:
        context = copy_context()
        context.run(is_asking, Asker(name))
        context.run(following.ask, "blue door oat", DALI)

    for _ in range(3):
        asked_by("198.51.100.1")
    assert "blue door oat" not in following.texts("blue d")
    asked_by("198.51.100.2")
    assert "blue door oat" in following.texts("blue d") or following.past.all()[-1].text == "blue door oat"
