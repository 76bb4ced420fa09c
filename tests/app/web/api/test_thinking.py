"""A reasoning model's thoughts are returned on request, and are never part of the answer."""

from __future__ import annotations

import json
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
from tests.small_index import POSTS, indexed

THOUGHT = "Post 1 says 28 yuan, so that is it. "
ENGLISH = "How much is a flat white at Blue Door?"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("thinking")
    indexed(folder, POSTS, HashEmbedder(256))
    settings = Settings(data_dir=folder, _env_file=None)
    generator = ScriptedGenerator([f"<think>{THOUGHT}</think>A flat white at Blue Door is 28 yuan. [1]"])
    services = Services(settings, open_store(settings), HashEmbedder(256), generator)
    with TestClient(create_app(settings, services)) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True])
def test_a_thought_is_told_where_it_is_asked_for(client: TestClient, stream: bool) -> None:
    response = client.post("/api/answer", json={"question": ENGLISH, "thinking": True, "stream": stream})
    answer = json.loads(response.text.strip().rpartition("data: ")[2]) if stream else response.json()
    assert answer["thinking"] == THOUGHT
    assert answer["sentences"][0]["text"] == "A flat white at Blue Door is 28 yuan."
    assert all(THOUGHT[:20] not in sentence["text"] for sentence in answer["sentences"])


def test_a_thought_is_told_to_nobody_else(client: TestClient) -> None:
    response = client.post("/api/answer", json={"question": ENGLISH})
    assert response.json()["thinking"] is None
    assert THOUGHT[:20] not in response.text
