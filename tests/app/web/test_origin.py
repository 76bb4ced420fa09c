"""Under which names a server answers, and from which pages it lets itself be changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origin")
    indexed(folder, POSTS, HashEmbedder(256))
    return folder


def a_client(folder: Path, arrives_at: str = "http://192.0.2.7:8000", **given: object) -> TestClient:
    """A client whose connection comes to an address."""
    settings = Settings(data_dir=folder, llm="none", _env_file=None, **given)  # type: ignore[arg-type]  # a test's own fields
    app = create_app(settings, Services(settings, open_store(settings), HashEmbedder(256), None))
    return TestClient(app, base_url=arrives_at, follow_redirects=False)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("LOCALHOST", True),
        ("192.0.2.7:8000", True),  # where the connection came to
        ("search.example.org", True),
        ("Search.Example.org:443", True),
        ("a.example.net", True),
        ("a.b.example.net", True),
        ("example.net", False),
        ("evilexample.net", False),
        ("evil.example", False),
        ("search.example.org.evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example@localhost", False),
        ("localhost/evil.example", False),
        ("localhost:evil", False),
        ("192.0.2.8", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_name_that_is_not_ours_gets_nothing(folder: Path, host: str, is_ours: bool) -> None:
    with a_client(folder, allowed_hosts="search.example.org, *.example.net") as client:
        for path in ("/", "/api/search?q=flat+white", "/healthz", "/static/stipple.css"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == (200 if is_ours else 400)
            assert is_ours or "Blue Door" not in answer.text


def test_of_two_names_in_one_request_none_counts(folder: Path) -> None:
    with a_client(folder) as client:
        assert client.get("/healthz", headers=[("Host", "localhost"), ("Host", "evil.example")]).status_code == 400


def test_the_host_that_is_served_is_ours_and_a_star_allows_any(folder: Path) -> None:
    with a_client(folder, host="box.local", readers="open") as client:
        assert client.get("/healthz", headers={"Host": "box.local:8000"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "other.local"}).status_code == 400
    with a_client(folder, allowed_hosts="*") as client:
        assert client.get("/healthz", headers={"Host": "other.local"}).status_code == 200


def test_a_name_that_is_not_ours_is_refused_in_the_readers_words(folder: Path) -> None:
    with a_client(folder) as client:
        shown = client.get("/", headers={"Host": "evil.example", "Accept": "text/html", "Accept-Language": "zh"})
        assert "本站不使用这个网址" in shown.text
        assert "evil.example" not in shown.text
        assert client.get("/api/search", headers={"Host": "evil.example"}).json()["error"] == "unknown_host"


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ({}, False),  # a program
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),  # another host of the same domain
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://192.0.2.7:8000"}, True),
        ({"Origin": "http://192.0.2.7:8000"}, False),
        ({"Origin": "http://192.0.2.7:9000"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://["}, True),
        ({"Origin": ""}, True),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/feedback"),
        ("POST", "/conversations/delete"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("POST", "/api/feedback"),
        ("POST", "/api/answer"),
        ("DELETE", "/api/conversations/abc"),
        ("PUT", "/api/posts"),
    ],
)
def test_what_another_sites_page_sends_changes_nothing(
    folder: Path, said: dict[str, str], is_refused: bool, method: str, path: str
) -> None:
    with a_client(folder) as client:
        answer = client.request(method, path, headers=said | {"Accept": "application/json"})
        assert ("other_site" in answer.text) == is_refused
        assert not is_refused or answer.status_code == 403


def test_a_link_from_another_site_is_followed(folder: Path) -> None:
    with a_client(folder) as client:
        assert client.get("/search?q=flat", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
