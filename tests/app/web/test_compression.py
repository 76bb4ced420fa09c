"""What goes over the wire: compressed, but for events; a first page of results weighs little."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

FIRST_LOAD = 60_000


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("weight")
    indexed(folder, POSTS, HashEmbedder(256))
    settings = Settings(data_dir=folder, _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services), client=("127.0.0.1", 4711)) as client:
        yield client


def sent(client: TestClient, address: str) -> tuple[int, str]:
    """Bytes of the body as they are sent, and the page."""
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        size = sum(len(part) for part in answer.iter_raw())
    return size, client.get(address).text


def test_a_first_page_of_results_and_all_it_loads_take_at_most_60_kb(client: TestClient) -> None:
    size, html = sent(client, "/search?q=coffee")
    assert 'id="post-1"' in html
    loaded = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert len(loaded) == 7
    assert size + sum(sent(client, address)[0] for address in loaded) <= FIRST_LOAD


def test_pages_and_files_are_compressed_for_who_can_read_it_and_for_nobody_else(client: TestClient) -> None:
    for address in ("/search?q=coffee", "/static/stipple.css", "/api/search?q=coffee"):
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip", address
        assert "Accept-Encoding" in answer.headers["vary"]
        assert "content-encoding" not in client.get(address, headers={"Accept-Encoding": "identity"}).headers


def test_events_are_not_compressed_so_that_none_waits_for_the_next(client: TestClient) -> None:
    answer = client.get("/answer/stream?q=coffee", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
