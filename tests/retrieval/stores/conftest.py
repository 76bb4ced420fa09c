"""The stores that the contract suite runs on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.stores.contract import Generation, IndexedPost, PostStore
from retrieval.stores.edge.store import EdgeStore
from tests.retrieval.stores.generations import opened
from tests.retrieval.stores.offered import fill, some_posts
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, http_qdrant

# Qdrant's local mode, which replaces a server here, builds no index and searches exactly.
LOCAL_MODE = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
# Another store on the same data, as another process would open it.
Place = Callable[[], PostStore]


@pytest.fixture(params=["edge", "server", "http", pytest.param("qdrant", marks=pytest.mark.qdrant)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "edge":
        yield lambda: EdgeStore(tmp_path)
        return

    from qdrant_client import QdrantClient

    from retrieval.stores.server.store import ServerStore

    if request.param == "server":
        client, prefix = QdrantClient(":memory:"), "stipple"
        yield lambda: ServerStore(client, prefix, tmp_path, poll_s=0)
        client.close()
        return
    if request.param == "http":
        with http_qdrant() as server:
            client = QdrantClient(url=server.url, check_compatibility=False)
            yield lambda: ServerStore(client, "stipple", tmp_path, poll_s=0)
            client.close()
        return
    url = os.environ.get("STIPPLE_TEST_QDRANT_URL")
    if not url:
        pytest.skip("STIPPLE_TEST_QDRANT_URL names no Qdrant server")
    client, prefix = QdrantClient(url=url, timeout=30), f"stipple-test-{uuid.uuid4().hex[:8]}"
    yield lambda: ServerStore(client, prefix, tmp_path)
    for collection in client.get_collections().collections:
        if collection.name.startswith(f"{prefix}-"):
            client.delete_collection(collection.name)
    client.close()


@pytest.fixture
def store(place: Place) -> PostStore:
    return place()


@pytest.fixture
def filled(store: PostStore) -> Iterator[tuple[Generation, list[IndexedPost]]]:
    posts = some_posts(150)
    fill(store, posts)
    with opened(store) as generation:
        yield generation, posts


@pytest.fixture
def server() -> Iterator[HttpQdrant]:
    with http_qdrant() as server:
        yield server
