"""An index that another embedding model built, under a server that answers people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from app.api_keys import Keys
from app.main import create_app
from app.services import Services
from indexer.journal.journal_ingestion import JournalIngestion
from retrieval.errors import ModelMissing
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.terms import TermWeigher
from retrieval.types import Identity, ModelRecipe
from tests.small_index import POSTS, indexed

_CITED: dict[str, str | int] = {"q": "flat white", "limit": 5}


class Told(HashEmbedder):
    """A hashed embedder that says how it is loaded: its dimension is its model."""

    @property
    def identity(self) -> Identity:
        found = super().identity
        return Identity(found.model, found.dimension, recipe=ModelRecipe(str(found.dimension)))


def load(recipe: ModelRecipe) -> HashEmbedder:
    if recipe.model == "96":
        raise ModelMissing("there is no model 96", "bring it back")
    return Told(int(recipe.model) if recipe.model != "80" else 81)


def server(folder: Path, embedder: HashEmbedder) -> TestClient:
    settings = Settings(data_dir=folder, _env_file=None, llm="none")
    store = EdgeStore(folder)
    ingestion = JournalIngestion(settings, store, embedder, TermWeigher())
    services = Services(settings, store, embedder, None, None, ingestion, None, load)
    return TestClient(create_app(settings, services), raise_server_exceptions=False)


def until(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def generation(client: TestClient) -> str:
    return str(client.get("/api/search", params=_CITED).json()["generation"])


def test_an_index_of_another_model_is_read_without_one_failed_request(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, Told(64))
    key = {"Authorization": f"Bearer {Keys(tmp_path / 'keys.sqlite').add('ops', 'write')}"}
    with server(tmp_path, Told(64)) as client:
        stop, failed, counts = threading.Event(), [], [0, 0, 0]

        def ask(worker: int) -> None:
            while not stop.is_set():
                found = client.get("/api/search", params={"q": f"flat white {counts[worker]}"})
                answered = client.post("/api/answer", json={"question": "How much is a flat white at Blue Door?"})
                if found.status_code != 200 or not found.json()["hits"] or answered.status_code != 200:
                    failed.append((found.text[:200], answered.text[:200]))
                counts[worker] += 1

        workers = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
        for worker in workers:
            worker.start()

        def switch(dimension: int) -> None:
            before = counts.copy()
            indexed(tmp_path, POSTS, Told(dimension))
            until(lambda: f"hash-{dimension}-" in generation(client))
            new = {"id": f"new-{dimension}", "text": f"Scones number {dimension} at the harbour"}
            assert client.put("/api/posts", json=[new], headers=key).status_code == 200
            until(lambda: client.get(f"/api/posts/{new['id']}").status_code == 200)
            until(lambda: all(now > then for now, then in zip(counts, before, strict=True)))

        for dimension in (128, 64, 256):
            switch(dimension)
        stop.set()
        for worker in workers:
            worker.join()
        assert failed == []
        assert client.get("/readyz").json()["ready"]


def test_a_model_that_is_missing_or_another_leaves_the_old_index_in_use_and_says_so(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, Told(64))
    with server(tmp_path, Told(64)) as client:
        for dimension in (96, 80):
            indexed(tmp_path, POSTS, Told(dimension))
            time.sleep(1.2)
            assert "hash-64-" in generation(client)
        indexed(tmp_path, POSTS, Told(128))
        until(lambda: "hash-128-" in generation(client))


def test_a_server_started_with_another_model_answers_by_the_index_s_own(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, Told(64))
    with server(tmp_path, Told(256)) as client:
        until(lambda: client.get("/api/search", params=_CITED).status_code == 200)
        assert "hash-64-" in generation(client)


def test_an_index_that_does_not_say_how_its_model_is_loaded_is_not_read_by_another(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(64))
    with server(tmp_path, Told(256)) as client:
        assert client.get("/api/search", params=_CITED).json()["error"] == "index_mismatch"


def test_an_index_whose_model_is_gone_is_said_with_the_model_and_the_mend_and_read_once_it_is_back(
    tmp_path: Path,
) -> None:
    indexed(tmp_path, POSTS, Told(96))
    with server(tmp_path, Told(256)) as client:
        until(lambda: client.get("/readyz").status_code == 503)
        [said] = client.get("/readyz").json()["problems"].values()
        assert said == {
            "problem": "the index was built by hash-96, which cannot be loaded: there is no model 96",
            "fix": "bring it back",
        }
        refused = client.get("/api/search", params=_CITED)
        assert refused.status_code == 503
        assert "there is no model 96" in refused.json()["message"]
        assert "there is no model 96" in client.get("/search", params={"q": "flat white"}).text
        indexed(tmp_path, POSTS, Told(128))
        until(lambda: client.get("/readyz").json()["ready"])
