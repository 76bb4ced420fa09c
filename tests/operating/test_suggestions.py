"""Suggestions as a client of the API gets them, on a real index that changes, and what is kept of what people ask."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.answering.generation import ScriptedGenerator
from app.main import create_app
from app.past_queries import Asked, PastQueries, keepable
from app.services import Services
from app.suggesting import Suggesting
from retrieval.embedding import HashEmbedder
from retrieval.live import LiveGeneration
from retrieval.settings import Settings
from retrieval.store import Changes
from retrieval.stores.edge_generation import EdgeGeneration
from retrieval.stores.opening import open_store
from retrieval.types import Post
from tests.indexing import POSTS, indexed, ready

DALI, OATS = POSTS[0], POSTS[1]


def a_client(folder: Path, **settings: Any) -> TestClient:
    chosen = Settings(data_dir=folder, _env_file=None, **settings)
    generator = ScriptedGenerator(["A flat white at Blue Door is 28 yuan. [1]"])
    services = Services(chosen, open_store(chosen), HashEmbedder(256), generator)
    return TestClient(create_app(chosen, services), raise_server_exceptions=False)


def suggested(client: TestClient, typed: str, **parameters: int) -> list[tuple[str, str]]:
    body = client.get("/api/suggest", params={"q": typed, **parameters}).json()
    assert body["query"] == typed
    return [(one["text"], one["kind"]) for one in body["suggestions"]]


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.1)


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_typed_is_completed_from_titles_and_tags(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path) as client:
        until(lambda: suggested(client, "cof") == [("coffee", "tag")])
        assert suggested(client, "苍") == [("苍山脚下的营地", "title")]
        assert set(suggested(client, "营")) == {("苍山脚下的营地", "title"), ("露营", "tag")}
        assert suggested(client, "露") == [("露营", "tag")]
        assert len(suggested(client, "o", limit=1)) == 1
        assert suggested(client, "") == suggested(client, " ") == suggested(client, "zzz") == []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "q"),
        ({"q": "c", "limit": 0}, "limit"),
        ({"q": "c", "limit": 21}, "limit"),
        ({"q": "c" * 2001}, "q"),
        ({"q": "c", "x": 1}, "x"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(
    tmp_path: Path, parameters: dict[str, str | int], field: str
) -> None:
    with a_client(tmp_path) as client:
        response = client.get("/api/suggest", params=parameters)
        assert (response.status_code, response.json()["field"]) == (422, field)


def test_without_an_index_nothing_is_suggested_and_the_first_one_is_followed(tmp_path: Path) -> None:
    with a_client(tmp_path) as client:
        assert suggested(client, "cof") == []
        indexed(tmp_path, POSTS, HashEmbedder(256))
        until(lambda: suggested(client, "cof") == [("coffee", "tag")])


def test_what_was_asked_is_suggested_unless_the_best_post_does_not_bear_it_out(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path) as client:
        client.get("/api/search", params={"q": "Flat White"})
        client.get("/api/search", params={"q": "flat earth"})
        client.post("/api/answer", json={"question": "How much is a flat white at Blue Door?"})
        until(lambda: ("Flat White", "query") in suggested(client, "fl"))
        asked = {text for text, kind in suggested(client, "fla") if kind == "query"}
        assert asked == {"Flat White", "How much is a flat white at Blue Door?"}


def test_a_page_of_the_browser_counts_as_one_query(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path) as client:
        client.get("/search", params={"q": "flat white"})
        client.get("/answer/stream", params={"q": "flat white"})
        client.get("/search", params={"q": "FLAT  white"})
    assert [query.count for query in PastQueries(tmp_path / "queries.sqlite").all()] == [1]


def test_with_remembering_switched_off_nothing_is_written_or_suggested(tmp_path: Path) -> None:
    PastQueries(tmp_path / "queries.sqlite").add([Asked("flat white", DALI)])
    before = (tmp_path / "queries.sqlite").read_bytes()
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path, remember_queries=False) as client:
        until(lambda: suggested(client, "cof") == [("coffee", "tag")])
        client.get("/api/search", params={"q": "oat milk coffee"})
        assert suggested(client, "flat") == []
    assert (tmp_path / "queries.sqlite").read_bytes() == before


def test_what_a_deleted_post_said_is_suggested_no_more_and_forgotten(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path) as client:
        client.get("/api/search", params={"q": "oat milk"})
        client.get("/api/search", params={"q": "moat loop five kilometres"})
        until(
            lambda: {"query"} == {kind for _, kind in suggested(client, "oat") + suggested(client, "moat l", limit=1)}
        )
        indexed(tmp_path, [post for post in POSTS if post is not OATS], HashEmbedder(256))
        until(lambda: suggested(client, "oat") == [])
        assert ("moat loop five kilometres", "query") in suggested(client, "moat")
        until(lambda: b"oat milk" not in (tmp_path / "queries.sqlite").read_bytes())


def test_what_an_edited_post_says_no_more_is_suggested_no_more(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    with a_client(tmp_path) as client:
        client.get("/api/search", params={"q": "oat milk"})
        until(lambda: ("oat milk", "query") in suggested(client, "oat"))
        edited = Post("oats", "Prices", "It went up.", "ann", ("coffee",), "en")
        indexed(tmp_path, [DALI, edited], HashEmbedder(256))
        until(lambda: suggested(client, "oat") == [])
        assert suggested(client, "pri") == [("Prices", "title")]


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


@pytest.mark.parametrize("damage", [b"no database", None])
def test_a_file_of_queries_that_cannot_be_used_costs_no_search_and_no_suggestion(
    tmp_path: Path, damage: bytes | None
) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    file = tmp_path / "queries.sqlite"
    file.mkdir() if damage is None else file.write_bytes(damage * 100)
    with a_client(tmp_path) as client:
        assert client.get("/api/search", params={"q": "flat white"}).status_code == 200
        until(lambda: suggested(client, "cof") == [("coffee", "tag")])


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


@pytest.mark.parametrize(
    "text",
    [
        "write to mo@example.org",
        "ｍｏ＠example.org",
        "https://posts.example/p/1",
        "posts.example cafe",
        "www cafe.com",
        "call 138 0013 8000",
        "+44 (0)20 7946 0958",
        "１３８００１３８０００",
        "身份证 110101199003078888",
        "加qq 1234567",
        "x" * 61,
        "?!",
        "",
    ],
)
def test_what_looks_like_an_address_or_a_number_of_somebody_is_not_kept(text: str) -> None:
    assert not keepable(text)


@pytest.mark.parametrize(
    "text", ["cafe near me", "手冲咖啡水温", "iPhone 15 under 5000", "14:00 to 16:30", "2026-11", "☕"]
)
def test_other_queries_are_kept(text: str) -> None:
    assert keepable(text)


def test_of_too_many_queries_those_asked_least_and_longest_ago_go(tmp_path: Path) -> None:
    past = PastQueries(tmp_path / "q.sqlite", most=3)
    past.add([Asked("flat white", DALI), Asked("flat white", DALI)], date(2026, 1, 1))
    past.add([Asked("white flat", DALI)], date(2026, 1, 2))
    past.add([Asked("blue door", DALI), Asked("door blue", DALI)], date(2026, 1, 3))
    assert [query.text for query in past.all()] == ["flat white", "blue door", "door blue"]


def test_the_file_is_for_its_owner_alone_and_holds_no_more_than_it_must(tmp_path: Path) -> None:
    past = PastQueries(tmp_path / "q.sqlite")
    past.add([Asked("Flat  White\u202e", DALI)], date(2026, 1, 2))
    assert stat.S_IMODE((tmp_path / "q.sqlite").stat().st_mode) == 0o600
    connection = sqlite3.connect(tmp_path / "q.sqlite")
    rows = connection.execute("SELECT * FROM queries").fetchall()
    connection.close()
    assert rows == [("flat white", "Flat White", 1, "2026-01-02", "dali")]
