"""What only the server store does: other collections on the server, and messages when it does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from httpx import ConnectError, Headers
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from retrieval.errors import FixableError, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore, connect
from tests.retrieval.stores.offered import DIMENSION, IDENTITY, a_post, fill, indexed, some_posts

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


class Stumbling:
    """A client whose calls fail a given number of times, and then reach the real one."""

    def __init__(self, client: QdrantClient, failures: list[Exception]) -> None:
        self._client, self.failures = client, failures

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if self.failures:
                raise self.failures.pop()
            return getattr(self._client, name)(*given, **named)

        return call


@pytest.fixture
def client() -> Iterator[QdrantClient]:
    made = QdrantClient(":memory:")
    yield made
    made.close()


def no_answer() -> Exception:
    return ResponseHandlingException(ConnectError("Connection refused"))


def answer(status: int) -> Exception:
    return UnexpectedResponse(status, "Reason", b'{"status": {"error": "said why"}}', Headers())


def store_on(client: Any, folder: Path) -> ServerStore:
    hasty = RetryPolicy(write_s=0.05, first_s=0.001)
    return ServerStore(client, "stipple", folder, url="http://q:6333", retry=hasty, poll_s=0)


def test_other_collections_of_the_server_are_let_alone(client: QdrantClient, tmp_path: Path) -> None:
    vectors = models.VectorParams(size=2, distance=models.Distance.DOT)
    others = ["photos", "stipple", "stipple-0001", "stipple-notes", "other-0001-x-s1", "stipple-0009-mine"]
    for name in others:
        client.create_collection(name, vectors)
    store = ServerStore(client, "posts", tmp_path, poll_s=0)
    first, second = fill(store, some_posts(1)), fill(store, some_posts(2))
    store.drop(first.name)
    assert store.generations() == [second]
    # Even under our own prefix: what is not marked as ours is not deleted.
    ours = store_on(client, tmp_path)
    assert ours.generations() == []
    ours.begin(IDENTITY).discard()
    assert {one.name for one in client.get_collections().collections} == {*others, f"posts-{second.name}"}


def test_two_prefixes_on_one_server_are_two_indexes(client: QdrantClient, tmp_path: Path) -> None:
    one, other = ServerStore(client, "s", tmp_path, poll_s=0), ServerStore(client, "s-t", tmp_path, poll_s=0)
    fill(one, some_posts(1))
    assert (other.current(), other.generations()) == (None, [])
    fill(other, some_posts(2))
    assert (len(list(one.stored_posts())), len(list(other.stored_posts()))) == (1, 2)


def test_the_alias_is_moved_in_one_request(client: QdrantClient, tmp_path: Path) -> None:
    requests: list[list[str]] = []

    class Noting(Stumbling):
        def update_collection_aliases(self, operations: list[Any]) -> Any:
            requests.append([type(operation).__name__ for operation in operations])
            return client.update_collection_aliases(operations)

    store = store_on(Noting(client, []), tmp_path)
    fill(store, some_posts(1))
    fill(store, some_posts(1))
    assert requests == [["CreateAliasOperation"], ["DeleteAliasOperation", "CreateAliasOperation"]]


def test_an_alias_that_names_something_else_is_told(client: QdrantClient, tmp_path: Path) -> None:
    client.create_collection("photos", models.VectorParams(size=2, distance=models.Distance.DOT))
    alias = models.CreateAlias(collection_name="photos", alias_name="stipple")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    with pytest.raises(FixableError, match="photos") as raised:
        store_on(client, tmp_path).current()
    assert "STIPPLE_QDRANT_PREFIX" in raised.value.fix


def test_many_points_and_long_posts_go_in_several_requests(client: QdrantClient, tmp_path: Path) -> None:
    sizes: list[int] = []

    class Noting(Stumbling):
        def upsert(self, collection: str, points: list[Any], **named: Any) -> Any:
            sizes.append(len(points))
            return client.upsert(collection, points, **named)

    store = store_on(Noting(client, []), tmp_path)
    fill(store, [indexed(a_post(f"{number}"), number) for number in range(600)])
    assert sizes == [256, 256, 88]
    sizes.clear()
    fill(store, [indexed(a_post(f"{number}", url="x" * 3_000_000), number) for number in range(5)])
    assert sizes == [2, 2, 1]
    assert {len(stored.post.url) for stored in store.stored_posts()} == {3_000_000}


def test_a_write_is_tried_again_when_the_server_does_not_answer(client: QdrantClient, tmp_path: Path) -> None:
    failures = [answer(503), no_answer(), no_answer()]

    class Restarting(Stumbling):
        def upsert(self, *given: Any, **named: Any) -> Any:
            if failures:
                raise failures.pop()
            return client.upsert(*given, **named)

    store = store_on(Restarting(client, []), tmp_path)
    info = fill(store, [indexed(a_post("x"), 1)])
    assert failures == []
    assert (info.posts, store.stored_hashes(["x"])) == (1, {"x": "hash of x"})


def test_a_write_that_the_server_refuses_is_not_tried_again(client: QdrantClient, tmp_path: Path) -> None:
    stumbling = Stumbling(client, [])
    writer = store_on(stumbling, tmp_path).begin(IDENTITY)
    stumbling.failures = [answer(403), answer(403)]
    with pytest.raises(StoreUnreachable):
        writer.discard()
    assert len(stumbling.failures) == 1


@pytest.mark.parametrize(
    ("failure", "told", "fix"),
    [
        (no_answer(), "http://q:6333 does not answer: .*refused", "STIPPLE_QDRANT_URL"),
        (answer(401), "refuses the key", "STIPPLE_QDRANT_API_KEY"),
        (answer(503), "answers 503 Reason: .*said why", "free disk space"),
        (answer(400), "answers 400", "1.16"),
    ],
)
def test_a_server_that_does_not_serve_is_told(
    failure: Exception, told: str, fix: str, client: QdrantClient, tmp_path: Path
) -> None:
    stumbling = Stumbling(client, [])
    store = store_on(stumbling, tmp_path)
    info = fill(store, some_posts(1))
    generation, writer = store.open(IDENTITY), store.begin(IDENTITY)
    for act in (
        store.current, store.generations, lambda: store.open(IDENTITY), lambda: store.stored_hashes(["x"]),
        lambda: list(store.stored_posts()), lambda: store.begin(IDENTITY), lambda: store.switch(info.name),
        lambda: store.drop("0099-x-s1"), lambda: generation.posts(["x"]), lambda: writer.upsert(some_posts(1)),
        writer.finish, writer.discard,
    ):  # fmt: skip
        stumbling.failures = [failure] * 99
        with pytest.raises(StoreUnreachable, match=told) as raised:
            act()
        assert fix in raised.value.fix


def test_a_server_that_keeps_no_metadata_is_refused_and_left_clean(client: QdrantClient, tmp_path: Path) -> None:
    class Old(Stumbling):
        def create_collection(self, *given: Any, metadata: Any, **named: Any) -> Any:
            return client.create_collection(*given, **named)

    with pytest.raises(FixableError, match="keeps no metadata"):
        store_on(Old(client, []), tmp_path).begin(IDENTITY)
    assert client.get_collections().collections == []


def test_opening_a_store_asks_nothing_of_the_server_and_using_it_tells_its_address(tmp_path: Path) -> None:
    store = open_store(Settings(data_dir=tmp_path, qdrant_url=NOWHERE))
    with pytest.raises(StoreUnreachable, match=NOWHERE):
        store.current()


@pytest.mark.parametrize("url", ["http://", "http://host:port", "http://a b:6333/x"])
def test_an_address_that_is_none_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(FixableError, match=r"STIPPLE_QDRANT_URL|does not answer"):
        connect(Settings(data_dir=tmp_path, qdrant_url=url)).current()


def test_key_and_requests_reach_the_server_over_http(tmp_path: Path) -> None:
    """On a small server that answers as Qdrant's documentation describes, for what QdrantClient's local mode lacks."""
    asked: list[tuple[str, str, str | None]] = []

    class Qdrant(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.headers["api-key"]))
            aliases = [{"alias_name": "stipple", "collection_name": "stipple-0003-m-s1"}]
            body = json.dumps({"result": {"aliases": aliases}, "status": "ok", "time": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Qdrant) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.warns(UserWarning, match="insecure connection"):
            store = open_store(Settings(data_dir=tmp_path, qdrant_url=url, qdrant_api_key="secret"))
        assert store.current() == "0003-m-s1"
        server.shutdown()
    assert asked == [("GET", "/aliases", "secret")]


def test_an_index_of_another_dimension_does_not_fit(client: QdrantClient, tmp_path: Path) -> None:
    store = store_on(client, tmp_path)
    writer = store.begin(IDENTITY)
    said = client.get_collection(f"stipple-{writer.name}").config.params.vectors
    assert isinstance(said, dict)
    assert said["dense"].size == DIMENSION
