"""Posts that are taken in, read and forgotten over the API, while people search."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api_keys import Keys
from app.erasure_targets import erasure_targets
from app.main import create_app
from app.services import Services
from app.web.api.post_routes import MOST_BYTES, MOST_POSTS
from indexer.journal.erasure import forget
from indexer.journal.journal_ingestion import JournalIngestion
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.terms import TermWeigher
from tests.small_index import POSTS, indexed


class Server:
    """A server over an index in a folder, with a write key and a read key, on which a client works."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.embedder = folder, HashEmbedder(256)
        self.settings = Settings(data_dir=folder, _env_file=None, llm="none", **settings)
        self.store = EdgeStore(folder)
        ingestion = JournalIngestion(self.settings, self.store, self.embedder, TermWeigher())
        services = Services(self.settings, self.store, self.embedder, None, None, ingestion)
        self.client = TestClient(create_app(self.settings, services), raise_server_exceptions=False)
        keys = Keys(folder / "keys.sqlite")
        names = {key.name for key in keys.all()}
        self.write = {"Authorization": f"Bearer {keys.add('ops', 'write')}"} if "ops" not in names else {}
        self.read = {"X-API-Key": keys.add("dash", "read")} if "dash" not in names else {}

    def put(self, *posts: object, **more: Any) -> dict[str, Any]:
        response = self.client.put("/api/posts", json=posts, headers=self.write, **more)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def outcomes(self, *posts: object, **more: Any) -> list[str]:
        return [one["outcome"] for one in self.put(*posts, **more)["results"]]

    def found(self, query: str) -> list[str]:
        response = self.client.get("/api/search", params={"q": query, "limit": 50})
        return [hit["post"]["id"] for hit in response.json()["hits"]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    server = Server(tmp_path)
    with server.client:
        yield server


def becomes(wanted: Callable[[], bool], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if wanted():
            return True
        time.sleep(0.02)
    return False


def a_post(post_id: str, text: str = "Scones with clotted cream at the harbour", **fields: object) -> dict[str, object]:
    return {"id": post_id, "text": text} | fields


def test_a_post_that_was_put_is_found_and_read(server: Server) -> None:
    told = server.put(a_post("new"), a_post("zh", "码头边的司康饼配奶油"))
    assert told["counts"] == {"added": 2}
    assert becomes(lambda: server.found("clotted cream")[:1] == ["new"])
    assert server.found("司康饼")[:1] == ["zh"]
    assert server.client.get("/api/posts/new").json()["text"].startswith("Scones")
    assert server.client.get("/api/posts/nowhere").status_code == 404


def test_the_title_and_tags_of_a_post_that_was_put_are_suggested_before_long(server: Server) -> None:
    server.put(a_post("new", title="Harbour scones", tags=["baking"]))

    def suggested(typed: str) -> list[str]:
        body = server.client.get("/api/suggest", params={"q": typed}).json()
        return [one["text"] for one in body["suggestions"]]

    assert becomes(lambda: suggested("harb") == ["Harbour scones"])
    assert suggested("bak") == ["baking"]
    server.client.delete("/api/posts/new", headers=server.write)
    assert becomes(lambda: suggested("harb") == [])


def test_the_same_batch_twice_changes_nothing_and_an_edit_and_a_like_are_told_apart(server: Server) -> None:
    first = a_post("new")
    assert server.outcomes(first, a_post("b/1 ☕")) == ["added", "added"]
    assert server.outcomes(first, a_post("b/1 ☕")) == ["unchanged", "unchanged"]
    assert server.outcomes(a_post("new", likes=4), a_post("b/1 ☕", "Tea")) == ["recounted", "changed"]
    assert server.outcomes(first) == ["recounted"]  # also before the change in between was applied
    assert becomes(lambda: server.client.get("/api/posts/b/1 ☕").json().get("text") == "Tea")
    assert server.client.get("/api/posts/new").json()["likes"] == 0


def test_each_post_is_taken_in_or_refused_on_its_own(server: Server) -> None:
    offered = [a_post("good"), {"id": "bad", "text": "x", "likes": "5"}, 7, {"text": "no id"}, a_post("good", "again")]
    results = server.put(*offered)["results"]
    assert [one["outcome"] for one in results] == ["added", "rejected", "rejected", "rejected", "rejected"]
    assert results[1] | {"expected": ""} == {
        "id": "bad", "outcome": "rejected", "field": "likes", "problem": "is the string '5'", "expected": "",
    }  # fmt: skip
    assert [one["field"] for one in results[2:]] == [None, "id", "id"]
    assert becomes(lambda: "good" in server.found("clotted cream"))


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 422, "not JSON"),
        (b"\xff", 422, "not JSON"),
        (b'{"post": []}', 422, "neither an array of posts"),
        (b"[" * 200_000, 422, "not JSON"),
        (json.dumps([{}] * (MOST_POSTS + 1)).encode(), 413, "at most 1,000 posts"),
        (b" " * (MOST_BYTES + 1), 413, "bytes"),
    ],
)
def test_a_body_that_holds_no_posts_is_refused_whole(body: bytes, status: int, told: str, server: Server) -> None:
    response = server.client.put("/api/posts", content=body, headers=server.write)
    assert response.status_code == status
    assert told in response.json()["message"]
    assert response.json()["error"] in {"invalid_parameter", "too_large"}


def test_writing_needs_a_write_key(server: Server) -> None:
    for headers, status, word in [
        ({}, 401, "key_needed"),
        ({"Authorization": "Bearer stipple.ops.wrong"}, 401, "key_needed"),
        ({"Authorization": "Bearer nonsense"}, 401, "key_needed"),
        (server.read, 403, "key_refused"),
    ]:
        for response in (
            server.client.put("/api/posts", json=[a_post("new")], headers=headers),
            server.client.delete("/api/posts/dali", headers=headers),
        ):
            assert (response.status_code, response.json()["error"]) == (status, word)
    assert "dali" in server.found("flat white")
    Keys(server.folder / "keys.sqlite").revoke("ops")
    assert server.client.put("/api/posts", json=[], headers=server.write).status_code == 401


def test_without_any_key_writing_is_refused_with_the_mend(tmp_path: Path) -> None:
    server = Server(tmp_path)
    (tmp_path / "keys.sqlite").unlink()
    with server.client:
        response = server.client.put("/api/posts", json=[a_post("new")])
        assert (response.status_code, response.json()["error"]) == (403, "key_refused")
        assert "stipple keys add --write NAME" in response.json()["message"]


def test_reading_needs_a_key_where_the_settings_want_it(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    server = Server(tmp_path, read_keys=True)
    with server.client as client:
        for path in ("/api/search?q=x", "/api/posts/dali", "/", "/search?q=x"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers=server.read).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_into_no_index_the_first_post_makes_one(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server.client:
        assert server.outcomes(a_post("first")) == ["added"]
        assert becomes(lambda: server.found("scones") == ["first"])


def test_a_named_request_is_answered_the_same_when_it_is_sent_again(server: Server) -> None:
    def send(*posts: object) -> Any:
        return server.client.put("/api/posts", json=posts, headers=server.write | {"Idempotency-Key": "one"})

    first = send(a_post("new")).json()
    assert first["counts"] == {"added": 1}
    assert send(a_post("new")).json() == first
    assert send(a_post("other")).status_code == 422


def test_a_deleted_post_is_gone_everywhere_when_the_request_is_answered(server: Server) -> None:
    answer = server.client.post("/api/answer", json={"question": "How much is a flat white at Blue Door?"}).json()
    assert "dali" in {citation["post_id"] for one in answer["sentences"] for citation in one["citations"]}
    assert becomes(lambda: "Blue Door cafe in Dali" in str(server.client.get("/api/suggest?q=blue").json()))
    response = server.client.delete("/api/posts/dali", headers=server.write)
    assert response.json() == {"id": "dali", "was_stored": True}
    assert "dali" not in server.found("flat white")
    assert server.client.get("/api/posts/dali").status_code == 404
    assert "Dali" not in str(server.client.get("/api/suggest?q=blue").json())
    for path in server.folder.glob("*.sqlite*"):
        assert b"28 yuan" not in path.read_bytes(), path
    assert server.outcomes(a_post("dali")) == ["forgotten"]
    assert server.outcomes(a_post("dali"), params={"allow_forgotten": "true"}) == ["added"]
    assert server.outcomes(a_post("dali")) == ["unchanged"]
    assert becomes(lambda: "dali" in server.found("clotted cream"))
    assert (
        server.outcomes({"id": "dali", "opt_out": True}, a_post("other"), {"id": "other", "opt_out": True})
        == ["forgotten"] * 3
    )
    assert "dali" not in server.found("clotted cream")
    again = server.client.delete("/api/posts/never there", headers=server.write)
    assert again.json() == {"id": "never there", "was_stored": False}


def test_what_another_process_forgets_is_gone_from_a_running_server(server: Server) -> None:
    answer = server.client.post("/api/answer", json={"question": "How much is a flat white at Blue Door?"}).json()
    assert answer["kind"] == "quoted"
    targets = erasure_targets(server.settings)
    forget(EdgeStore(server.folder), server.folder, [], ["mo"], by="command", erasure_targets=targets)
    assert "dali" not in server.found("flat white")
    assert not any(b"28 yuan" in path.read_bytes() for path in server.folder.glob("*.sqlite"))
    assert becomes(lambda: "Dali" not in str(server.client.get("/api/suggest?q=blue").json()))
    assert server.outcomes(a_post("another", author="Mo")) == ["forgotten"]


def test_a_server_that_starts_again_has_what_was_taken_in_and_not_what_was_forgotten(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    first = Server(tmp_path)
    with first.client:
        first.put(a_post("new"), a_post("gone"))
        first.client.delete("/api/posts/gone", headers=first.write)
    forget(EdgeStore(tmp_path), tmp_path, ["oats"], by="command")
    again = Server(tmp_path)
    with again.client:
        assert again.found("clotted cream")[:1] == ["new"]
        assert not {"gone", "oats"} & set(again.found("flat white clotted cream"))
    assert EdgeStore(tmp_path).generations()[-1].posts == len(POSTS)


def test_searches_go_on_while_posts_come_and_go(server: Server) -> None:
    stop, failed = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            response = server.client.get("/api/search", params={"q": "flat white"})
            if response.status_code != 200 or "oats" not in {hit["post"]["id"] for hit in response.json()["hits"]}:
                failed.append(response.text)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for number in range(15):
        server.put(*(a_post(f"n{number}-{at}") for at in range(8)))
        server.put(a_post("evil", f"now it says {number}", comments=[{"text": "one"}] * (number % 3)))
        server.client.delete(f"/api/posts/n{number}-0", headers=server.write)
    assert becomes(lambda: server.client.get("/api/posts/evil").json()["text"] == "now it says 14")
    stop.set()
    for asker in askers:
        asker.join()
    assert failed == []
    assert sum(post_id[0] == "n" for post_id in server.found("clotted cream scones")) > 0
