"""Several nodes named in STIPPLE_QDRANT_URL: those that are down are passed over, and come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient

from retrieval.errors import FixableError, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.server.nodes import AWAY_S, Nodes, limit_time, within
from retrieval.stores.server.store import ServerStore, connect
from tests.retrieval.stores.offered import IDENTITY, fill, some_posts
from tests.retrieval.stores.server.http_qdrant import Trouble, http_qdrant

URLS = ["http://a:6333", "http://b:6333", "http://c:6333"]


class Cluster(httpx.BaseTransport):
    """What each node does with a request; by default it answers 200 with its name."""

    def __init__(self) -> None:
        self.now = 0.0
        self.does: dict[str, Callable[[], httpx.Response]] = {}
        self.asked: list[tuple[str, str]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["host"] == f"{request.url.host}:6333"
        if request.url.path == "/readyz":
            assert "content-length" not in request.headers  # there is no body to wait for
            assert request.headers["api-key"] == "secret"
        self.asked.append((request.url.host, request.url.path))
        does = self.does.get(request.url.host)
        return httpx.Response(200, text=request.url.host) if does is None else does()

    def client(self) -> httpx.Client:
        return httpx.Client(transport=Nodes(URLS, self, clock=lambda: self.now, shuffled=False))


def refuses() -> httpx.Response:
    raise httpx.ConnectError("refused")


def hangs_up() -> httpx.Response:
    raise httpx.RemoteProtocolError("disconnected")


def ask(client: httpx.Client) -> str:
    return client.post("http://a:6333/collections/x/points", json={}, headers={"api-key": "secret"}).text


def answers(status: int) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status)


@pytest.mark.parametrize("does", [refuses, hangs_up, answers(502), answers(503), answers(504)])
def test_a_node_that_goes_away_costs_no_request_and_comes_back_when_it_is_ready(
    does: Callable[[], httpx.Response],
) -> None:
    cluster = Cluster()
    client = cluster.client()
    assert [ask(client) for _ in range(3)] == ["a", "a", "a"]
    cluster.does["a"] = does
    assert [ask(client) for _ in range(3)] == ["b", "b", "b"]
    assert [host for host, _ in cluster.asked] == ["a"] * 4 + ["b"] * 3  # asked once, then passed over
    cluster.now += AWAY_S
    assert [ask(client), ask(client)] == ["b", "b"]
    assert cluster.asked[-3:] == [("a", "/readyz"), ("b", "/collections/x/points"), ("b", "/collections/x/points")]
    del cluster.does["a"]
    assert ask(client) == "b"
    cluster.now += AWAY_S
    assert ask(client) == "a"


def test_while_all_are_down_each_is_tried_and_the_last_answer_is_told() -> None:
    cluster = Cluster()
    client = cluster.client()
    cluster.does = {"a": refuses, "b": hangs_up, "c": lambda: httpx.Response(503, text="not yet")}
    for _ in range(2):
        assert ask(client) == "not yet"
    assert [host for host, _ in cluster.asked] == ["a", "b", "c"] * 2
    cluster.does = {"a": refuses, "b": refuses}
    assert ask(client) == "c"


def test_a_node_that_is_silent_ends_that_request_and_no_other() -> None:
    cluster = Cluster()
    client = cluster.client()

    def is_silent() -> httpx.Response:
        raise httpx.ReadTimeout("timed out")

    cluster.does["a"] = is_silent
    with pytest.raises(httpx.ReadTimeout):
        ask(client)
    assert ask(client) == "b"


def test_the_tries_of_one_request_share_its_time() -> None:
    request = httpx.Request("GET", "http://a", extensions={"timeout": {"connect": 5, "read": 5, "write": 5, "pool": 5}})
    limit_time(request)
    assert request.extensions["timeout"]["read"] == 5
    with within(2):
        limit_time(request)
    assert all(0 < limit <= 2 for limit in request.extensions["timeout"].values())


def test_searches_go_on_while_any_node_answers(tmp_path: Path) -> None:
    with http_qdrant() as one, http_qdrant() as other:
        other.client.close()
        other.client = one.client  # both show the same
        urls = f"{one.url}, {other.url}"
        fill(
            ServerStore(QdrantClient(url=one.url, check_compatibility=False), "stipple", tmp_path, poll_s=0),
            some_posts(3),
        )
        store = connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url=urls))
        generation = store.open(IDENTITY)
        for down in (one, other):
            down.stop()
            for _ in range(3):
                assert set(generation.posts(["post-1"])) == {"post-1"}
            down.start()
        one.stop()
        other.stop()
        started = time.monotonic()
        with pytest.raises(StoreUnreachable, match="does not answer"):
            generation.posts(["post-1"])
        assert time.monotonic() - started < 5


def test_a_search_is_answered_though_a_balancer_says_once_that_its_node_went_away(tmp_path: Path) -> None:
    with http_qdrant() as server:
        fill(
            ServerStore(QdrantClient(url=server.url, check_compatibility=False), "stipple", tmp_path, poll_s=0),
            some_posts(3),
        )
        generation = connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url=server.url)).open(IDENTITY)
        for trouble in (Trouble(502, body="<html>Bad Gateway</html>"), Trouble(503), Trouble(504), Trouble(0)):
            server.trouble = [trouble]
            assert set(generation.posts(["post-1"])) == {"post-1"}
            assert server.trouble == []


def test_addresses_with_different_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="different paths"):
        connect(Settings(data_dir=tmp_path, _env_file=None, qdrant_url="http://a:6333,http://b:6333/x"))
