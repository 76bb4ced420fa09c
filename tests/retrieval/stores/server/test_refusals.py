"""A Qdrant server that does not match the settings, over real HTTP: each case is reported with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import IndexMismatch, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.server.store import connect
from tests.retrieval.stores.offered import IDENTITY, fill, some_posts
from tests.retrieval.stores.server.hasty_store import run, store_on
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, Trouble

pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")


def test_a_wrong_key_is_told_at_once(server: HttpQdrant, tmp_path: Path) -> None:
    server.key = "right"
    settings = Settings(data_dir=tmp_path, _env_file=None, qdrant_url=server.url, qdrant_api_key="hunter2")
    with pytest.raises(StoreUnreachable, match="refuses the key") as raised:
        run(connect(settings), tmp_path)
    assert "STIPPLE_QDRANT_API_KEY" in raised.value.fix
    assert connect(settings.model_copy(update={"qdrant_api_key": "right"})).current() is None
    assert "hunter2" not in repr(settings)


def test_a_key_that_may_only_read_is_told_when_something_is_written(server: HttpQdrant, tmp_path: Path) -> None:
    server.trouble = [Trouble(403, only="/collections/", method="PUT")]
    with pytest.raises(StoreUnreachable, match="refuses the key") as raised:
        run(store_on(server, tmp_path), tmp_path)
    assert "allowed to write" in raised.value.fix


def test_a_collection_of_another_dimension_is_told_when_it_is_opened(server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(server, tmp_path)
    info = fill(store, some_posts(1))
    collection = f"stipple-{info.name}"
    said = server.client.get_collection(collection).config.metadata
    server.client.delete_collection(collection)
    vectors = {"dense": {"size": 7, "distance": "Cosine"}}
    server.answer("PUT", f"/collections/{collection}", {"vectors": vectors, "metadata": said})
    store.switch(info.name)
    with pytest.raises(IndexMismatch, match="7 dimensions, not 16") as raised:
        store.open(IDENTITY)
    assert "stipple reindex" in raised.value.fix


def test_vectors_of_another_dimension_are_told_when_the_server_refuses_them(server: HttpQdrant, tmp_path: Path) -> None:
    said = "Wrong input: Vector dimension error: expected dim: 16, got 384"
    server.trouble = [Trouble(400, said, only="/points", method="PUT")]
    with pytest.raises(IndexMismatch, match="16 dimensions, and these have 384"):
        fill(store_on(server, tmp_path), some_posts(1))


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(200, body="<html>It works!</html>"),
        Trouble(200, body='{"hello": "world"}'),
        Trouble(404, body="<html>404 page not found</html>"),
        Trouble(301, body="moved", headers={"Location": "https://example.org/"}),
        Trouble(400, body="<html>The plain HTTP request was sent to HTTPS port</html>"),
    ],
)
def test_what_is_no_qdrant_is_told_at_once(trouble: Trouble, server: HttpQdrant, tmp_path: Path) -> None:
    server.trouble = [trouble]
    with pytest.raises(StoreUnreachable, match=f"answers at {server.url} is not a Qdrant") as raised:
        run(store_on(server, tmp_path), tmp_path)
    assert "STIPPLE_QDRANT_URL" in raised.value.fix


def test_tls_that_is_not_spoken_there_is_told_at_once(server: HttpQdrant, tmp_path: Path) -> None:
    url = server.url.replace("http:", "https:")
    with pytest.raises(StoreUnreachable, match="does not speak TLS") as raised:
        run(connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url=url)), tmp_path)
    assert "http://" in raised.value.fix


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        (413, "Payload error: JSON payload is larger than allowed (limit: 33554432 bytes).", "MAX_REQUEST_SIZE_MB"),
        (500, "Service internal error: No space left on device: WAL buffer size exceeds it", "free space"),
        (404, "Not found: Collection `stipple-0001-m-s1` doesn't exist!", "stipple status"),
    ],
)
def test_what_the_server_refuses_is_told_with_its_mend(
    status: int, said: str, fix: str, server: HttpQdrant, tmp_path: Path
) -> None:
    server.trouble = [Trouble(status, said, only="/points", method="PUT")]
    with pytest.raises(StoreUnreachable, match=str(status)) as raised:
        fill(store_on(server, tmp_path), some_posts(1))
    assert fix in raised.value.fix
