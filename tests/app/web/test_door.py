"""What every request passes before a route sees it: sizes, rates, the queue, and headers of all responses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.answering.generation.protocol import EngineFigures
from app.answering.writing.model_queue import WritingFigures
from app.main import create_app
from app.services import Services
from app.web.rate_limits import AskingQueue, Busy
from retrieval.errors import FixableError, IndexMissing
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

STRANGER = {"X-Forwarded-For": "198.51.100.1"}


def a_client(folder: Path, **given: object) -> TestClient:
    settings = Settings(data_dir=folder, trusted_proxies="192.0.2.1", _env_file=None, **given)  # type: ignore[arg-type]  # a test's own fields
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    app = create_app(settings, services)
    return TestClient(app, raise_server_exceptions=False, client=("192.0.2.1", 4711))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("door")
    indexed(folder, POSTS, HashEmbedder(256))
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with a_client(folder, limit_search="2/minute", limit_answer="1/minute", limit_feedback="1/minute") as client:
        yield client


def test_a_client_that_searches_too_often_gets_429_and_when_to_come_back_and_others_go_on(client: TestClient) -> None:
    statuses = [client.get("/api/search?q=coffee", headers=STRANGER).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.get("/api/search?q=coffee", headers=STRANGER)
    assert refused.json()["error"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.get("/api/search?q=coffee", headers={"X-Forwarded-For": "198.51.100.2"}).status_code == 200


def test_an_invented_address_before_its_own_is_no_way_around(client: TestClient) -> None:
    statuses = [
        client.get("/api/search?q=a", headers={"X-Forwarded-For": f"10.0.0.{one}, 198.51.100.9"}).status_code
        for one in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_the_page_says_it_in_the_readers_language(client: TestClient) -> None:
    browser = STRANGER | {"Accept": "text/html", "Accept-Language": "zh-CN"}
    pages = [client.get("/search?q=coffee", headers=browser) for _ in range(3)]
    assert pages[-1].status_code == 429
    assert "请稍等" in pages[-1].text
    client.get("/answer/stream?q=coffee", headers=STRANGER)
    stream = client.get("/answer/stream?q=coffee", headers=STRANGER)
    assert "Wait a moment" in stream.text  # a browser shows nothing of a stream with another status
    assert stream.text.rstrip().endswith("data:")


def test_who_sits_at_this_machine_is_not_limited(folder: Path) -> None:
    settings = Settings(data_dir=folder, limit_search="1/minute", _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services), client=("127.0.0.1", 4711)) as client:
        assert {client.get("/api/search?q=coffee").status_code for _ in range(5)} == {200}


@pytest.mark.parametrize("setting", ["limit_search", "limit_storage", "trusted_proxies", "metrics_from"])
def test_a_setting_that_says_nothing_stops_the_start(folder: Path, setting: str) -> None:
    with pytest.raises(FixableError, match=setting.upper()):
        create_app(Settings(data_dir=folder, _env_file=None, **{setting: "often"}))  # type: ignore[arg-type]  # a test's own field


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/answer", "/api/feedback", "/feedback", "/conversations/delete", "/api/search"])
def test_a_body_is_not_read_beyond_64_kb(client: TestClient, path: str, chunked: bool) -> None:
    body = b'{"question": "' + b"a" * 70_000 + b'"}'
    content = iter([body[:1000], body[1000:]]) if chunked else body
    address = {"X-Forwarded-For": f"198.51.100.{50 + len(path)}{int(chunked)}"[:15]}
    headers = {"Content-Type": "application/json"} | address
    response = client.post(path, content=content, headers=headers)
    # A route that takes no body does not read one.
    assert response.status_code == (405 if path == "/api/search" and chunked else 413)


def test_a_head_with_too_many_headers_or_too_long_ones_is_refused(client: TestClient) -> None:
    assert client.get("/healthz", headers={f"x-{one}": "a" for one in range(200)}).status_code == 431
    assert client.get("/healthz", headers={"x-long": "a" * 20_000}).status_code == 431
    assert client.get("/api/suggest?q=" + "a" * 40_000).status_code == 431


@pytest.mark.parametrize(
    "path",
    ["/", "/search?q=coffee", "/api/search?q=coffee", "/healthz", "/readyz", "/docs", "/openapi.json", "/nothing"],
)
def test_head_answers_as_get_without_the_body_and_every_response_is_safe_to_show(folder: Path, path: str) -> None:
    with a_client(folder) as client:
        got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    for response in (got, head):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_the_metrics_count_requests_by_route_and_are_for_declared_addresses_alone(folder: Path) -> None:
    with a_client(folder, metrics_from="192.0.2.0/24,198.51.100.7") as client:
        client.get("/api/search?q=secret+words", headers=STRANGER)
        shown = client.get("/metrics", headers={"X-Forwarded-For": "198.51.100.7"})
        hidden = client.get("/metrics", headers=STRANGER)
    assert 'stipple_request_seconds_count{method="GET",route="/api/search",status="200"} 1.0' in shown.text
    assert "stipple_index_readable 1.0" in shown.text
    assert 'stipple_index_generation{generation="0001-' in shown.text
    assert "secret" not in shown.text
    assert hidden.status_code == 404


class Writing(Services):
    """Services whose model writes in a process: three wait in line, and one inside it."""

    def writing(self) -> WritingFigures:
        engine = EngineFigures("ready", pid=4711, memory_bytes=5, read_tokens=620, waiting=1)
        return WritingFigures("small.gguf", 4, 3, 16, 9, 1.5, 0, 7, 14.0, 2, engine)


def test_the_metrics_show_the_line_before_the_model_and_its_process_apart(folder: Path) -> None:
    settings = Settings(data_dir=folder, _env_file=None)
    services = Writing(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services), client=("127.0.0.1", 4711)) as client:
        shown = client.get("/metrics").text
    writing = {f'stipple_writing{{what="{what}"}} {count}' for what, count in (("waiting", 3.0), ("withheld", 2.0))}
    engine = {
        f'stipple_engine{{what="{what}"}} {count}'
        for what, count in (("ready", 1.0), ("waiting", 1.0), ("read_tokens", 620.0), ("memory_bytes", 5.0))
    }
    assert writing | engine <= set(shown.splitlines())
    assert '"pid"' not in shown


def test_without_a_model_the_metrics_say_nothing_of_one(client: TestClient) -> None:
    shown = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).text
    assert "stipple_writing{" not in shown
    assert "stipple_engine{" not in shown


class Unreadable(Services):
    """Services whose index has this problem."""

    problem: FixableError

    @property
    def index_problem(self) -> FixableError | None:
        return self.problem


@pytest.mark.parametrize(
    ("problem", "status"), [(IndexMissing("none yet", "index"), 200), (FixableError("damaged", "reindex"), 503)]
)
def test_healthz_is_red_when_an_index_cannot_be_read_and_not_before_there_is_one(
    tmp_path: Path, problem: FixableError, status: int
) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None)
    services = Unreadable(settings, open_store(settings), HashEmbedder(256), None)
    services.problem = problem
    with TestClient(create_app(settings, services)) as client:
        assert client.get("/healthz").status_code == status


def test_beyond_the_queue_nobody_waits_and_a_turn_comes_in_order() -> None:
    async def ask() -> None:
        queue, order = AskingQueue(1, 1, 5.0), []

        async def one(name: str, done: asyncio.Event) -> None:
            async with queue.turn():
                order.append(name)
                await done.wait()

        first, second = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(one("first", first))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(one("second", second))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            async with queue.turn():
                pass
        assert (queue.asking, queue.waiting) == (1, 1)
        first.set()
        second.set()
        await asyncio.gather(running, waiting)
        assert order == ["first", "second"]
        assert (queue.asking, queue.waiting) == (0, 0)

    asyncio.run(ask())


def test_who_waits_too_long_is_told_to_come_back() -> None:
    async def ask() -> None:
        queue = AskingQueue(1, 5, 0.01)
        async with queue.turn():
            with pytest.raises(Busy):
                async with queue.turn():
                    pass
        async with queue.turn():  # and the turn is free again
            pass

    asyncio.run(ask())
