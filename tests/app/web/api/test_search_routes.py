"""The JSON API as a client sees it, on a real index."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.answering.generation import ScriptedGenerator
from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import Post
from tests.small_index import POSTS, indexed

ENGLISH = "How much is a flat white at Blue Door?"


def a_client(folder: Path) -> TestClient:
    settings = Settings(data_dir=folder, _env_file=None)
    generator = ScriptedGenerator(["A flat white at Blue Door is 28 yuan. [1]"])
    services = Services(settings, open_store(settings), HashEmbedder(256), generator)
    return TestClient(create_app(settings, services), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("api")
    indexed(folder, POSTS, HashEmbedder(256))
    with a_client(folder) as client:
        yield client


def test_a_search_gives_each_post_once_best_first_with_highlights_in_its_text(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "flat white"}).json()
    ids = [hit["post"]["id"] for hit in found["hits"]]
    assert len(ids) == len(set(ids))
    assert set(ids[:3]) == {"dali", "oats", "evil"}
    assert [hit["rank"] for hit in found["hits"]] == list(range(1, len(ids) + 1))
    best = next(hit for hit in found["hits"] if hit["post"]["id"] == "dali")
    marked = [best["post"]["text"][span["start"] : span["end"]] for span in best["passage"]["highlights"]]
    assert marked == ["flat", "white"]


def test_a_comment_is_found_and_given_as_a_comment_of_its_post(client: TestClient) -> None:
    best = client.get("/api/search", params={"q": "停车费"}).json()["hits"][0]
    assert (best["post"]["id"], best["passage"]["part"], best["passage"]["comment"]) == ("camp", "comment", 0)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"author": "MO"}, {"dali"}),
        ({"tag": "#coffee"}, {"dali", "oats"}),
        ({"language": "zh"}, {"camp"}),
        ({"language": "ZH"}, {"camp"}),
        ({"language": "zh-CN"}, {"camp"}),
        ({"language": "zh_Hans"}, {"camp"}),
        ({"language": "Chinese"}, {"camp"}),
        ({"language": "中文"}, {"camp"}),
        ({"author": "@阿木"}, {"camp"}),
        ({"author": "＠阿木"}, {"camp"}),
        ({"tag": "#露营#"}, {"camp"}),
        ({"min_likes": 10}, {"oats"}),
        ({"since": "2020-01-01"}, set()),
        ({"author": ["mo", "ann"]}, {"dali", "oats"}),
    ],
)
def test_filters_leave_only_what_they_ask_for(
    client: TestClient, filters: dict[str, str | int | list[str]], expected: set[str]
) -> None:
    found = client.get("/api/search", params={"q": "flat white 营地", **filters}).json()
    assert {hit["post"]["id"] for hit in found["hits"]} == expected


def test_pages_follow_one_another_without_gap_or_repeat(client: TestClient) -> None:
    words = "flat white loop 营地"
    whole = client.get("/api/search", params={"q": words, "limit": 5}).json()
    pages = [
        client.get("/api/search", params={"q": words, "limit": 1, "offset": at}).json() for at in range(whole["total"])
    ]
    parts, whole = [page["hits"][0] for page in pages], whole["hits"]
    assert {page["total"] for page in pages} == {len(whole)}
    assert len(whole) >= 4
    assert [hit["post"]["id"] for hit in parts] == [hit["post"]["id"] for hit in whole]
    assert client.get("/api/search", params={"q": "flat white", "offset": 1000}).json()["hits"] == []


@pytest.mark.parametrize(
    "query",
    [
        "🍜🍜🍜",
        "?!...。",
        "'; DROP TABLE posts; --",
        "<script>alert(1)</script>",
        "a" * 2000,
        "\u202e\u200bcafe",
        "NULL",
        "%00",
    ],
)
def test_strange_queries_get_a_sane_page(client: TestClient, query: str) -> None:
    response = client.get("/api/search", params={"q": query})
    assert response.status_code == 200
    assert client.post("/api/answer", json={"question": query}).status_code == 200


@pytest.mark.parametrize(
    ("parameters", "status", "field"),
    [
        ({}, 422, "q"),
        ({"q": ""}, 400, "q"),
        ({"q": " \t\u200b"}, 400, "q"),
        ({"q": "a" * 10_000}, 422, "q"),
        ({"q": "x", "limit": 0}, 422, "limit"),
        ({"q": "x", "offset": 99999}, 422, "offset"),
        ({"q": "x", "since": "2024-13-02"}, 422, "since"),
        ({"q": "x", "since": "20240110"}, 422, "since"),
        ({"q": "x", "until": "2024"}, 422, "until"),
        ({"q": "x", "since": "2024-03-02", "until": "2024-03-01"}, 422, "until"),
        ({"q": "x", "since": "2024-03-01T00:00:00Z", "until": "2024-03-01"}, 422, "until"),
        ({"q": "x", "min_likes": "many"}, 422, "min_likes"),
        ({"q": "x", "min_likes": 5, "max_likes": 4}, 422, "max_likes"),
        ({"q": "x", "language": "xx"}, 422, "language"),
        ({"q": "x", "language": "klingon"}, 422, "language"),
        ({"q": "x", "autor": "mo"}, 422, "autor"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(
    client: TestClient, parameters: dict[str, str | int], status: int, field: str
) -> None:
    response = client.get("/api/search", params=parameters)
    assert response.status_code == status
    assert response.json()["field"] == field
    assert response.json()["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"question": 3}', b'{"question": "\\ud800"}', b'{"question": "x", "extra": 1}', b"\xff"],
)
def test_a_body_that_is_no_question_is_refused_and_not_sent_back(client: TestClient, body: bytes) -> None:
    response = client.post("/api/answer", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.json()["error"] in {"invalid_parameter", "refused"}


def test_an_answer_cites_posts_that_are_among_its_hits_word_for_word(client: TestClient) -> None:
    answer = client.post("/api/answer", json={"question": ENGLISH}).json()
    sentence = answer["sentences"][0]
    citation = sentence["citations"][0]
    post = answer["hits"][citation["mark"] - 1]["post"]
    assert post["id"] == citation["post_id"]
    assert post["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize("how", ["field", "header"])
def test_a_streamed_answer_ends_with_the_whole_of_it(client: TestClient, how: str) -> None:
    body = {"question": ENGLISH, "stream": how == "field"}
    headers = {"Accept": "text/event-stream"} if how == "header" else {}
    response = client.post("/api/answer", json=body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [part.split("\n") for part in response.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert names == ["hits", *["sentence"] * (len(events) - 4), "answered", "followups", "done"]
    said = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
    done = said[-1]
    assert done["sentences"] == said[1:-3]
    assert said[-3]["kind"] == done["kind"]
    assert said[-2]["followups"] == done["followups"]


def test_every_response_carries_a_request_id_and_keeps_a_sane_one(client: TestClient) -> None:
    assert client.get("/healthz").headers["x-request-id"]
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"


def test_ready_means_that_questions_can_be_answered(client: TestClient) -> None:
    ready = client.get("/readyz").json()
    assert (ready["ready"], ready["problems"], ready["notes"]) == (True, {}, {})
    assert ready["writing"]["model"] == "scripted"
    assert ready["writing"]["engine"] is None  # a script needs no process


def test_docs_and_schema_are_served_without_another_host(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert client.get(f"/static/vendor/{asset}").status_code == 200
    assert "/api/answer" in client.get("/openapi.json").json()["paths"]


def test_an_unknown_address_is_said_in_json_or_as_a_page(client: TestClient) -> None:
    assert client.get("/api/nothing").json()["error"] == "not_found"
    assert "<html" in client.get("/nothing", headers={"Accept": "text/html"}).text


def test_without_an_index_it_is_alive_not_ready_and_says_why(tmp_path: Path) -> None:
    with a_client(tmp_path) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        for response in (
            client.get("/api/search", params={"q": "x"}),
            client.post("/api/answer", json={"question": "x"}),
            client.post("/api/answer", json={"question": "x", "stream": True}),
        ):
            assert response.status_code == 503
            assert response.json()["error"] == "index_missing"


def test_a_new_generation_is_read_without_a_restart(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS[:1], HashEmbedder(256))
    with a_client(tmp_path) as client:
        before = client.get("/api/search", params={"q": "moat loop"}).json()
        indexed(tmp_path, [*POSTS, Post("new", "", "Fresh noodles by the moat loop")], HashEmbedder(256))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            response = client.get("/api/search", params={"q": "moat loop"})
            assert response.status_code == 200
            if response.json()["generation"] != before["generation"]:
                break
        assert "new" in {hit["post"]["id"] for hit in response.json()["hits"]}
