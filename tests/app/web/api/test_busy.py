"""More askers than may wait for the model: quotes or a refusal, as each chose; who waits is told the place."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.answering.generation import GenerateRequest, Piece, ScriptedGenerator
from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

QUESTION = "How much is a flat white at Blue Door?"


class Held(ScriptedGenerator):
    """Writes when it is let go of."""

    def __init__(self) -> None:
        super().__init__(["A flat white at Blue Door is 28 yuan. [1]"])
        self.came, self.go = threading.Event(), threading.Event()

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        self.came.set()
        self.go.wait(60)
        yield from super().generate(request, stop)


@pytest.fixture
def held() -> Held:
    return Held()


def a_client(folder: Path, generator: Held, queue: int) -> TestClient:
    indexed(folder, POSTS, HashEmbedder(256))
    settings = Settings(data_dir=folder, llm_queue=queue, _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256, languages=frozenset({"en"})), generator)
    return TestClient(create_app(settings, services))


def test_whoever_finds_the_line_full_gets_quotes_or_is_told_when_to_come_back(tmp_path: Path, held: Held) -> None:
    with a_client(tmp_path, held, queue=0) as client, ThreadPoolExecutor(1) as first:
        asked: Future[str] = first.submit(
            lambda: client.post("/api/answer", json={"question": QUESTION}).json()["kind"]
        )
        assert held.came.wait(60)
        quoted = client.post("/api/answer", json={"question": QUESTION}).json()
        assert quoted["kind"] == "quoted"
        assert quoted["note"].startswith("Many are asking")
        for stream in (False, True):
            refused = client.post("/api/answer", json={"question": QUESTION, "when_busy": "refuse", "stream": stream})
            assert (refused.status_code, refused.json()["error"]) == (503, "busy")
            assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/readyz").json()["writing"]["refused"] == 3
        held.go.set()
        assert asked.result(60) == "written"
        served = client.post("/api/answer", json={"question": QUESTION, "when_busy": "refuse"})
        assert served.json()["kind"] == "written"


def test_a_stream_says_the_place_in_line(tmp_path: Path, held: Held) -> None:
    with a_client(tmp_path, held, queue=3) as client, ThreadPoolExecutor(2) as askers:
        first = askers.submit(lambda: client.post("/api/answer", json={"question": QUESTION}).json()["kind"])
        assert held.came.wait(60)
        body = {"question": QUESTION, "stream": True}
        second = askers.submit(lambda: client.post("/api/answer", json=body).text)
        while not client.get("/readyz").json()["writing"]["waiting"]:
            time.sleep(0.01)
        held.go.set()
        assert first.result(60) == "written"
        said = second.result(60)
        assert 'event: queued\ndata: {"place": 1, "seconds": null}' in said
        assert said.index("event: hits") < said.index("event: queued") < said.index("event: sentence")
