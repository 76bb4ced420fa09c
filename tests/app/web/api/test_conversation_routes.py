"""Conversations over the JSON API, with the real search under them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

FLAT_WHITE = "How much is a flat white at Blue Door?"


def a_client(folder: Path, **settings: Any) -> TestClient:
    chosen = Settings(data_dir=folder, llm="none", _env_file=None, **settings)
    return TestClient(create_app(chosen, Services(chosen, open_store(chosen), HashEmbedder(256), None)))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conversations")
    indexed(folder, POSTS, HashEmbedder(256))
    return folder


@pytest.fixture
def client(index: Path) -> Iterator[TestClient]:
    with a_client(index, conversation_turns=3) as client:
        yield client


def ask(client: TestClient, question: str, conversation: str = "new", **more: object) -> dict[str, Any]:
    response = client.post("/api/answer", json={"question": question, "conversation": conversation, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_conversation_is_asked_read_and_deleted(client: TestClient) -> None:
    first = ask(client, FLAT_WHITE)
    second = ask(client, "when does it open?", first["conversation"])
    assert second["understood"]["text"] == "when does Blue Door open?"
    assert (second["question"], second["understood_by"]) == ("when does it open?", "rules")
    address = f"/api/conversations/{first['conversation']}"
    turns = client.get(address).json()["turns"]
    assert [turn["question"] for turn in turns] == [FLAT_WHITE, "when does it open?"]
    assert [turn["answer_id"] for turn in turns] == [first["answer_id"], second["answer_id"]]
    for turn in turns:
        for sentence in turn["sentences"]:
            for citation in sentence["citations"]:
                post = turn["posts"][str(citation["mark"])]
                text = post[citation["part"]]
                assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert client.get(address).json()["error"] == "unknown_conversation"


def test_a_question_without_a_conversation_is_kept_nowhere(client: TestClient) -> None:
    answer = client.post("/api/answer", json={"question": FLAT_WHITE}).json()
    assert (answer["conversation"], answer["answer_id"]) == (None, None)


@pytest.mark.parametrize("conversation", ["a" * 22, "x", "../../etc", "对话", ""])
def test_an_unknown_conversation_is_a_404_before_anything_streams(client: TestClient, conversation: str) -> None:
    for stream in (False, True):
        body = {"question": "and now?", "conversation": conversation, "stream": stream}
        response = client.post("/api/answer", json=body)
        expected = (200, None) if conversation == "" else (404, "unknown_conversation")
        told = response.json().get("error") if response.status_code != 200 else None
        assert (response.status_code, told) == expected
    assert client.get(f"/api/conversations/{'a' * 22}").status_code == 404
    assert client.post("/api/answer", json={"question": "q", "conversation": "x" * 65}).status_code == 422


def test_a_full_conversation_is_a_409(client: TestClient) -> None:
    conversation = ask(client, FLAT_WHITE)["conversation"]
    for _ in range(2):
        ask(client, "and oat milk?", conversation)
    refused = client.post("/api/answer", json={"question": "and now?", "conversation": conversation})
    assert (refused.status_code, refused.json()["error"]) == (409, "conversation_full")


def test_feedback_is_taken_for_what_is_kept_and_refused_with_a_reason_otherwise(client: TestClient) -> None:
    answer_id = ask(client, FLAT_WHITE)["answer_id"]
    good = {"answer_id": answer_id, "verdict": "down", "reason": "outdated", "words": "32 now"}
    assert client.post("/api/feedback", json=good).status_code == 204
    assert client.post("/api/feedback", json={**good, "verdict": "up"}).status_code == 204
    assert client.post("/api/feedback", json={**good, "answer_id": "a" * 22}).status_code == 404
    for bad in ({"verdict": "sideways"}, {"reason": "because"}, {"words": "x" * 501}, {"more": 1}):
        assert client.post("/api/feedback", json={**good, **bad}).status_code == 422


def test_follow_ups_are_questions_that_the_index_answers(client: TestClient) -> None:
    answer = ask(client, "flat white oat milk")
    for question in answer["followups"]:
        assert ask(client, question, followups=False)["kind"] != "declined"
    assert ask(client, FLAT_WHITE, followups=False)["followups"] == []


def test_where_conversations_are_off_each_question_is_alone(index: Path) -> None:
    with a_client(index, keep_conversations=False) as client:
        answer = ask(client, FLAT_WHITE)
        assert (answer["conversation"], answer["answer_id"], answer["notes"]) == (None, None, [])
        assert client.get(f"/api/conversations/{'a' * 22}").status_code == 404


def test_a_damaged_file_costs_the_context_and_no_answer(index: Path, tmp_path: Path) -> None:
    with a_client(index) as client:
        path = index / "conversations.sqlite"
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(b"no database" * 200)
        try:
            answer = ask(client, FLAT_WHITE)
            assert answer["sentences"]
            assert [note["code"] for note in answer["notes"]] == ["not_kept"]
            assert client.get(f"/api/conversations/{'a' * 22}").status_code == 503
        finally:
            path.unlink() if before is None else path.write_bytes(before)


def test_many_askers_at_once_are_each_answered_and_kept(client: TestClient) -> None:
    with ThreadPoolExecutor(10) as pool:
        kept = list(pool.map(lambda _: ask(client, FLAT_WHITE, followups=False)["conversation"], range(20)))
    assert len(set(kept)) == 20


def test_the_stream_says_where_the_answer_is_kept_before_it_looks_for_what_to_ask_next(client: TestClient) -> None:
    response = client.post("/api/answer", json={"question": FLAT_WHITE, "conversation": "new", "stream": True})
    events = [part.split("\n") for part in response.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert names[-3:] == ["answered", "followups", "done"]
    answered, done = (json.loads(events[at][1].removeprefix("data: ")) for at in (-3, -1))
    assert answered["conversation"] == done["conversation"]
    assert client.get(f"/api/conversations/{done['conversation']}").json()["turns"][0]["answer_id"] == done["answer_id"]
