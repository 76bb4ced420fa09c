"""A Qdrant server that is down, overloaded, or not what the settings think, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from httpx import ConnectError, Headers
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from indexer.progress import QuietProgress
from indexer.readers.jsonl import Offered
from indexer.reindex import reindex
from indexer.rejects import RejectsLog
from indexer.summary import Summary
from retrieval.embedding import HashEmbedder
from retrieval.errors import FixableError, IndexMismatch, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.opening import open_store
from retrieval.stores.server import ServerStore, connect
from retrieval.stores.server_calls import Patience, ServerCalls
from retrieval.terms import TermWeigher
from tests.contracts.http_qdrant import HttpQdrant, Trouble, http_qdrant
from tests.contracts.offered import IDENTITY, fill, some_posts
from tests.indexing import POSTS

pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
HASTY = Patience(run_s=20, write_s=0.05, first_s=0.01, longest_s=0.05)


@pytest.fixture
def server() -> Iterator[HttpQdrant]:
    with http_qdrant() as server:
        yield server


def store_on(server: HttpQdrant, folder: Path, **more: Any) -> ServerStore:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    return ServerStore(client, "stipple", folder, url=server.url, patience=HASTY, poll_s=0, **more)


def run(store: ServerStore, folder: Path, told: StringIO | None = None) -> Summary:
    progress = QuietProgress(told or StringIO())
    offered = [Offered(post, "here", at, b"") for at, post in enumerate(POSTS)]
    with RejectsLog(folder / "rejects.jsonl", progress.saying) as rejects:
        return reindex(
            store, HashEmbedder(64), TermWeigher(), offered, data_dir=folder, progress=progress,
            rejects=rejects, index_here=False,
        )  # fmt: skip


def goes_down(server: HttpQdrant, path: str, for_s: float) -> None:
    """From the next request to this path on, for so long."""
    server.before = lambda asked: _fall(server, for_s) if asked.endswith(path) else None


def _fall(server: HttpQdrant, for_s: float) -> None:
    server.before = lambda _: None
    threading.Thread(target=server.stop).start()
    threading.Timer(for_s, server.start).start()
    while not server._down:  # the request that it falls in is not answered
        time.sleep(0.005)


@pytest.mark.parametrize("path", ["/aliases", "/index", "/points", "/points/count"])
def test_a_reindex_waits_for_a_server_that_goes_down_and_goes_on(path: str, server: HttpQdrant, tmp_path: Path) -> None:
    told, store = StringIO(), store_on(server, tmp_path)
    goes_down(server, path, for_s=0.3)
    summary = run(store, tmp_path, told)
    assert store.current() == summary.generation
    assert len(list(store.stored_posts())) == summary.posts == summary.added > 0
    assert "does not serve" in told.getvalue()
    assert "nothing is lost" in told.getvalue()
    assert "answers again" in told.getvalue()


def test_a_server_that_stays_down_ends_a_reindex_after_the_patience(server: HttpQdrant, tmp_path: Path) -> None:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    store = ServerStore(client, "s", tmp_path, url=server.url, patience=Patience(run_s=0.2, first_s=0.01))
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
    """Also where the server did what was asked, and its answer was lost: no post is there twice, none is missing."""
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


# --- waiting ---


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def calls(clock: Time, patience: Patience) -> ServerCalls:
    return ServerCalls(None, "http://q", patience, clock=lambda: clock.now, sleep=clock.sleep)  # type: ignore[arg-type]  # no call reaches a client


def failing(*errors: Exception) -> Callable[[object], str]:
    left = list(errors)

    def call(_: object) -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def refused() -> Exception:
    return ResponseHandlingException(ConnectError("[Errno 111] Connection refused"))


def answer(status: int, **headers: str) -> Exception:
    named = Headers({key.replace("_", "-"): value for key, value in headers.items()})
    return UnexpectedResponse(status, "Reason", b'{"status": {"error": "said why"}, "time": 0}', named)


def test_pauses_double_up_to_the_longest_and_end_in_time() -> None:
    clock, told = Time(), list[str]()
    one = calls(clock, Patience(run_s=100, first_s=1, longest_s=8))
    with one.filling(told.append), pytest.raises(StoreUnreachable):
        one.write(failing(*[refused()] * 99))
    for pause_s, longest_s in zip(clock.slept, [1, 2, 4, 8, 8, 8, 8, 8, 8], strict=False):
        assert 0.75 * longest_s <= pause_s <= longest_s
    assert 85 < clock.now <= 100
    assert 5 <= len(told) <= 8  # every 15 s
    assert "since" not in told[0]
    assert "since" in told[1]


def test_thirty_seconds_without_a_server_are_survived_and_told() -> None:
    clock, told = Time(), list[str]()
    one = calls(clock, Patience())

    def call(_: object) -> str:
        if clock.now < 30:
            raise refused()
        return "answer"

    with one.filling(told.append):
        assert one.read(call) == one.write(call) == "answer"
    assert told[0] == (
        "the Qdrant server at http://q does not serve ([Errno 111] Connection refused); nothing is lost, waiting "
        "for it up to 300 s"
    )
    assert told[-1] == f"the Qdrant server at http://q answers again, after {clock.now:.0f} s"
    assert 30 <= clock.now <= 40  # the longest pause is 10 s


@pytest.mark.parametrize("error", [ResourceExhaustedResponse("slow down", 7), answer(503, retry_after="7")])
def test_a_server_that_asks_to_be_left_alone_is(error: Exception) -> None:
    clock = Time()
    one = calls(clock, Patience(run_s=60, first_s=0.5))
    with one.filling(lambda _: None):
        assert one.write(failing(error, error)) == "answer"
    assert clock.slept == [7, 7]


def test_nobody_waits_longer_than_the_patience_because_the_server_asks_to() -> None:
    clock = Time()
    with pytest.raises(StoreUnreachable, match="429: slow down"):
        calls(clock, Patience(write_s=4)).write(failing(ResourceExhaustedResponse("slow down", 3_600)))
    assert clock.slept == []


def test_a_search_asks_once_also_while_something_is_filled() -> None:
    clock = Time()
    one = calls(clock, Patience())
    with one.filling(lambda _: None), pytest.raises(StoreUnreachable):
        one.ask(failing(refused()))
    with pytest.raises(StoreUnreachable):
        one.read(failing(refused()))
    assert clock.slept == []


# --- searching ---


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
        assert client.get("/healthz").status_code == 200
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


# --- what is not as the settings think ---


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
    with pytest.raises(StoreUnreachable, match=f"answers at {server.url} is no Qdrant") as raised:
        run(store_on(server, tmp_path), tmp_path)
    assert "STIPPLE_QDRANT_URL" in raised.value.fix


def test_tls_that_is_not_spoken_there_is_told_at_once(server: HttpQdrant, tmp_path: Path) -> None:
    url = server.url.replace("http:", "https:")
    with pytest.raises(StoreUnreachable, match="speaks no TLS") as raised:
        run(connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url=url)), tmp_path)
    assert "http://" in raised.value.fix


def test_a_certificate_that_is_not_trusted_is_told_and_not_tried_again() -> None:
    said = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    clock = Time()
    with pytest.raises(StoreUnreachable, match="certificate of http://q is not trusted") as raised:
        calls(clock, Patience()).write(failing(ResponseHandlingException(ConnectError(said))))
    assert "SSL_CERT_FILE" in raised.value.fix
    assert clock.slept == []


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
