"""A Qdrant server that is down, overloaded or silent, over real HTTP."""

from __future__ import annotations

import threading
import time
from io import StringIO
from pathlib import Path

import pytest
from qdrant_client import QdrantClient
from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from retrieval.errors import FixableError, StoreUnreachable
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore, connect
from tests.retrieval.stores.offered import IDENTITY, fill, some_posts
from tests.retrieval.stores.server.hasty_store import run, store_on
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, Trouble


def goes_down(server: HttpQdrant, path: str, for_s: float) -> None:
    """Fails from the next request to this path on, for this long."""
    server.before = lambda asked: _fall(server, for_s) if asked.endswith(path) else None


def _fall(server: HttpQdrant, for_s: float) -> None:
    server.before = lambda _: None
    threading.Thread(target=server.stop).start()
    threading.Timer(for_s, server.start).start()
    while not server._down:  # that request is not answered
        time.sleep(0.005)


@pytest.mark.parametrize("path", ["/aliases", "/index", "/points", "/points/count"])
def test_a_reindex_waits_for_a_server_that_goes_down_and_goes_on(path: str, server: HttpQdrant, tmp_path: Path) -> None:
    told, store = StringIO(), store_on(server, tmp_path)
    goes_down(server, path, for_s=0.3)
    summary = run(store, tmp_path, told)
    assert store.current() == summary.generation
    assert len(list(store.stored_posts())) == summary.posts == summary.added > 0
    assert "is not available" in told.getvalue()
    assert "nothing is lost" in told.getvalue()
    assert "answers again" in told.getvalue()


def test_a_server_that_stays_down_ends_a_reindex_after_the_patience(server: HttpQdrant, tmp_path: Path) -> None:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    store = ServerStore(client, "s", tmp_path, url=server.url, retry=RetryPolicy(run_s=0.2, first_s=0.01))
    server.stop()
    started = time.monotonic()
    with pytest.raises(StoreUnreachable, match=f"{server.url} does not answer"):
        run(store, tmp_path)
    assert time.monotonic() - started < 5


def test_a_reindex_that_the_server_ended_is_done_by_the_next_without_embedding_again(
    server: HttpQdrant, tmp_path: Path
) -> None:
    store = store_on(server, tmp_path)
    server.trouble = [Trouble(507, only="/points", method="PUT")]
    with pytest.raises(FixableError, match="507"):
        run(store, tmp_path)
    assert (store.current(), store.generations()) == (None, [])
    summary = run(store, tmp_path)
    assert (summary.embedded, summary.posts) == (0, len(list(store.stored_posts())))


@pytest.mark.parametrize("trouble", [Trouble(429), Trouble(500), Trouble(503), Trouble(0), Trouble(0, done=True)])
def test_every_request_of_a_reindex_may_fail_once_in_any_way(
    trouble: Trouble, server: HttpQdrant, tmp_path: Path
) -> None:
    """Even if the server did what was asked and only its answer was lost: no post is duplicated or missing."""
    failed: set[str] = set()

    def once(path: str) -> None:
        if path not in failed:
            failed.add(path)
            server.trouble.append(trouble)

    store = store_on(server, tmp_path)
    server.before = once
    summary = run(store, tmp_path)
    server.before, server.trouble = (lambda _: None), []
    stored = [stored.post.id for stored in store.stored_posts()]
    assert len(stored) == len(set(stored)) == summary.posts == summary.added
    assert store.generations() == [next(info for info in store.generations() if info.name == summary.generation)]
    assert len(failed) >= 7


def test_a_search_while_the_server_is_down_is_a_clear_503_at_once_and_works_when_it_is_back(
    server: HttpQdrant, tmp_path: Path
) -> None:
    store = store_on(server, tmp_path)
    run(store, tmp_path)
    settings = Settings(data_dir=tmp_path, _env_file=None, llm="none", qdrant_url=server.url)
    services = Services(settings, open_store(settings), HashEmbedder(64), None, None)
    with TestClient(create_app(settings, services), raise_server_exceptions=False) as client:
        assert client.get("/api/search", params={"q": "coffee"}).status_code == 200
        server.stop()
        started = time.monotonic()
        response = client.get("/api/search", params={"q": "coffee"})
        assert (response.status_code, response.json()["error"]) == (503, "unavailable")
        assert f"the Qdrant server at {server.url} does not answer" in response.json()["message"]
        assert time.monotonic() - started < settings.qdrant_search_timeout_s
        assert client.get("/readyz").status_code == 503
        server.start()
        assert client.get("/api/search", params={"q": "coffee"}).json()["hits"]


def test_a_search_gives_up_on_a_server_that_is_silent(server: HttpQdrant, tmp_path: Path) -> None:
    fill(store_on(server, tmp_path), some_posts(3))
    store = connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url=server.url, qdrant_search_timeout_s=1))
    generation = store.open(IDENTITY)
    server.before = lambda _: time.sleep(3)
    started = time.monotonic()
    with pytest.raises(StoreUnreachable, match="timed out"):
        generation.posts(["post-1"])
    assert time.monotonic() - started < 2.5
