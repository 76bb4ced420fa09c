"""A post that is forgotten over the API while an answer from it is being written."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.answering.generation import GenerateRequest, Piece, ScriptedGenerator
from app.api_keys import Keys
from app.main import create_app
from app.services import Services
from indexer.journal.journal_ingestion import JournalIngestion
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.terms import TermWeigher
from retrieval.types import Post
from tests.small_index import indexed

CAFES = [
    Post("gone", "Flat white", "A flat white, Wanda says, is 31 yuan."),
    Post("blue", "Blue Door", "A flat white at Blue Door is 28 yuan, with oat milk."),
    Post("red", "Red Lamp", "A flat white at Red Lamp is 30 yuan."),
]
QUESTION = "How much is a flat white?"


class Interrupted(ScriptedGenerator):
    """While it writes, something happens once."""

    happens: Callable[[], None] = staticmethod(lambda: None)

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        self.happens()
        return super().generate(request, stop)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_has_no_word_of_a_post_that_was_forgotten_while_it_was_written(tmp_path: Path, stream: bool) -> None:
    embedder = HashEmbedder(256)
    indexed(tmp_path, CAFES, embedder)
    settings = Settings(data_dir=tmp_path, _env_file=None)
    store = EdgeStore(tmp_path)
    generator = Interrupted(["A flat white at Blue Door is 28 yuan, with oat milk. [3] It is 30 yuan at Red Lamp. [2]"])
    ingestion = JournalIngestion(settings, store, embedder, TermWeigher())
    services = Services(settings, store, embedder, generator, None, ingestion)
    write = {"Authorization": f"Bearer {Keys(tmp_path / 'keys.sqlite').add('ops', 'write')}"}
    with TestClient(create_app(settings, services)) as client:
        found = client.get("/api/search", params={"q": QUESTION}).json()["hits"]
        assert [hit["post"]["id"] for hit in found] == ["gone", "red", "blue"]  # the marks behind it must change

        def forget() -> None:
            assert client.delete("/api/posts/gone", headers=write).status_code == 200

        generator.happens = forget
        response = client.post("/api/answer", json={"question": QUESTION, "stream": stream, "conversation": "new"})
    answer = json.loads(response.text.strip().rpartition("data: ")[2]) if stream else response.json()
    assert sorted(hit["post"]["id"] for hit in answer["hits"]) == ["blue", "red"]
    assert "Wanda" not in json.dumps(answer)
    assert answer["sentences"]
    for sentence in answer["sentences"]:
        for citation in sentence["citations"]:
            post = answer["hits"][citation["mark"] - 1]["post"]
            assert post["id"] == citation["post_id"]
            assert post["text"][citation["start"] : citation["end"]] == citation["quote"]
