"""Suggestions as a client of the API gets them, on a real index."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.answering.generation import ScriptedGenerator
from app.main import create_app
from app.query_log import AnsweredQuery, PastQueries
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import Post
from tests.small_index import POSTS, indexed

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
    PastQueries(tmp_path / "queries.sqlite").add([AnsweredQuery("flat white", DALI)])
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
