"""Who may read: what each mode opens, to whom, and that no route is left open by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.api_keys import Keys, Right
from app.main import create_app
from app.readers import EVERYBODY, Readers
from app.services import Services
from app.web.auth import own_address, sign_in_address
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from tests.small_index import POSTS, indexed

PROXY, STRANGER = "192.0.2.1", "198.51.100.1"
MODES = ("keys", "password", "accounts", "proxy")
PASSWORD = "blue door flat white"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
# All that a stranger may ask for. What is added here tells strangers something: think twice.
OPEN = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/static/{path}"),
}  # fmt: skip
TOLD = ("Blue Door", "28 yuan", "帐篷", "stipple_request_seconds", "coffee", "paths")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    indexed(folder, POSTS, HashEmbedder(256))
    readers = Readers(folder / "readers.sqlite")
    readers.set_password(EVERYBODY, PASSWORD)
    readers.add("Ann", PASSWORD)
    readers.add("小鹿", PASSWORD, "admin")
    return folder


def an_app(folder: Path, **given: object) -> FastAPI:
    settings = Settings(data_dir=folder, trusted_proxies=PROXY, llm="none", _env_file=None, **given)  # type: ignore[arg-type]  # a test's own fields
    return create_app(settings, Services(settings, open_store(settings), HashEmbedder(256), None))


@contextmanager
def a_client(folder: Path, readers: str, peer: str = STRANGER, **given: object) -> Iterator[TestClient]:
    app = an_app(folder, readers=readers, limit_sign_in="", **given)
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False, client=(peer, 4711))
    with client:
        yield client


def sign_in(client: TestClient, name: str = "", password: str = PASSWORD, **more: str) -> int:
    return client.post("/sign-in", data={"name": name, "password": password, **more}).status_code


def routes(routing: Any) -> list[tuple[str, str]]:
    """Every method and path that an application or a router answers."""
    found = []
    for route in routing.routes:
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/{{path}}"))
        elif isinstance(route, Route):
            found += [(method, route.path) for method in sorted(route.methods or ()) if method != "HEAD"]
        else:  # newer releases of FastAPI keep included routers whole; of anything else this fails
            found += routes(route.original_router)
    return found


def written_out(path: str) -> str:
    """The path with something in its places: a post that exists."""
    for place, value in (("{post_id:path}", "dali"), ("{conversation}", "a" * 22), ("{path}", "stipple.css")):
        path = path.replace(place, value)
    return path + ("?q=flat+white" if "search" in path or "stream" in path or "suggest" in path else "")


@pytest.mark.parametrize("mode", MODES)
def test_strangers_are_told_nothing_by_any_route_but_those_that_are_named_open(folder: Path, mode: str) -> None:
    with a_client(folder, mode) as client:
        table = routes(client.app)
        assert {("GET", "/"), ("GET", "/api/search"), ("GET", "/answer/stream"), ("PUT", "/api/posts")} <= set(table)
        assert set(table) >= OPEN
        for method, path in [*table, ("GET", "/nowhere"), ("GET", "/api/nowhere")]:
            if (method, path) in OPEN:
                continue
            for headers in ({}, BROWSER, {"HX-Request": "true"}):
                response = client.request(method, written_out(path), headers=headers)
                place = f"{method} {path} {headers}: {response.status_code} {response.text[:200]}"
                if path == "/answer/stream":  # a browser shows nothing of a stream with another status
                    assert response.text.count("event:") == 2, place
                else:
                    assert response.status_code in (401, 303), place
                assert not any(told in response.text for told in TOLD), place
                if method == "GET" and path != "/answer/stream":
                    assert client.head(written_out(path), headers=headers).status_code == response.status_code
                if path.startswith("/api/"):
                    assert (response.status_code, response.json()["error"]) == (401, "key_needed"), place
                    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("mode", MODES)
def test_what_is_open_to_strangers_says_nothing_that_anybody_wrote(folder: Path, mode: str) -> None:
    with a_client(folder, mode) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"ready": True}
        assert client.get("/static/stipple.css").status_code == 200
        assert client.get("/static/../api/search?q=flat").status_code != 200
        shown = client.get("/sign-in")
        assert shown.status_code == (200 if mode in ("password", "accounts") else 404)
        assert not any(told in shown.text for told in TOLD)


@pytest.mark.parametrize("mode", ["open", *MODES])
@pytest.mark.parametrize("right", ["read", "write", "admin"])
def test_a_key_opens_reading_in_every_mode_and_a_wrong_one_in_none(
    folder: Path, tmp_path: Path, mode: str, right: Right
) -> None:
    keys = Keys(folder / "keys.sqlite")
    name = f"{mode}-{right}"
    key = {"Authorization": f"Bearer {keys.add(name, right)}"}
    with a_client(folder, mode) as client:
        for path in ("/api/search?q=flat+white", "/api/posts/dali", "/", "/api/suggest?q=blue", "/openapi.json"):
            assert client.get(path, headers=key).status_code == 200
            wrong = client.get(path, headers={"X-API-Key": f"stipple.{name}.wrong"} | BROWSER)
            assert wrong.status_code == (200 if mode == "open" else 401)
        assert client.get("/metrics", headers=key).status_code == 404  # it is for some addresses, with a key as well
        assert ("problems" in client.get("/readyz", headers=key).json()) == (right == "admin")
        keys.revoke(name)
        assert client.get("/api/posts/dali", headers=key).status_code == (200 if mode == "open" else 401)


def test_at_this_machine_too_one_has_to_say_who_one_is_where_reading_is_not_open(folder: Path) -> None:
    keys = Keys(folder / "keys.sqlite")
    key = {"X-API-Key": keys.add("prometheus", "read")}
    with a_client(folder, "accounts", peer="127.0.0.1") as client:
        for path in ("/metrics", "/api/posts/dali", "/docs"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers=key).status_code == 200
        assert client.get("/readyz").json() == {"ready": True}
    with a_client(folder, "open", peer="127.0.0.1") as client:
        assert client.get("/metrics").status_code == 200
        assert "problems" in client.get("/readyz").json()
        passed_on = {"X-Forwarded-For": STRANGER}
        assert client.get("/readyz", headers=passed_on).json() == {"ready": True}
    keys.revoke("prometheus")


def test_the_communitys_password_opens_page_api_and_streams_until_one_signs_out(folder: Path) -> None:
    with a_client(folder, "password") as client:
        way = client.get("/search?q=flat+white&ui=zh", headers=BROWSER)
        assert (way.status_code, urlsplit(way.headers["location"]).path) == (303, "/sign-in")
        form = client.get(way.headers["location"])
        assert "登录" in form.text
        assert 'name="name"' not in form.text
        wrong = client.post("/sign-in", data={"password": "guess guess", "ui": "zh"})
        assert (wrong.status_code, "不正确" in wrong.text) == (403, True)
        assert "set-cookie" not in wrong.headers
        right = client.post("/sign-in", data={"password": PASSWORD, "next": "/search?q=flat+white"})
        assert (right.status_code, right.headers["location"]) == (303, "/search?q=flat+white")
        cookie = right.headers["set-cookie"]
        assert all(one in cookie for one in ("HttpOnly", "SameSite=lax", "Max-Age=2592000", "Path=/"))
        page = client.get("/search?q=flat+white", headers=BROWSER)
        assert "28 yuan" in page.text
        assert 'action="/sign-out"' in page.text
        assert page.headers["cache-control"] == "no-store"
        assert client.get("/api/search?q=flat+white").status_code == 200
        assert "event: sentence" in client.get("/answer/stream?q=How+much+is+a+flat+white+at+Blue+Door?").text
        copied = dict(client.cookies)
        out = client.post("/sign-out", data={"ui": "zh"})
        assert "已退出登录" in client.get(out.headers["location"]).text
        assert client.get("/api/search?q=flat+white").status_code == 401
        client.cookies.update(copied)
        assert client.get("/api/search?q=flat+white").status_code == 401  # a copy of the session has ended, too


def test_accounts_sign_in_by_name_and_are_told_apart_from_the_communitys_password(folder: Path) -> None:
    with a_client(folder, "accounts") as client:
        assert 'name="name"' in client.get("/sign-in").text
        for name, password in (
            ("ann", "wrong wrong"),
            ("nobody", PASSWORD),
            ("", PASSWORD),
            (EVERYBODY, PASSWORD),
            ("＊", PASSWORD),
        ):
            assert sign_in(client, name, password) == 403
        assert sign_in(client, " ANN ") == 303
        assert client.get("/api/posts/dali").status_code == 200
        assert client.get("/readyz").json() == {"ready": True}
        client.cookies.clear()
        assert sign_in(client, "小鹿") == 303
        assert "problems" in client.get("/readyz").json()
        cookies = dict(client.cookies)
    with a_client(folder, "password") as client:  # a session of an account is none of the password's
        client.cookies.update(cookies)
        assert client.get("/api/posts/dali").status_code == 401


def test_a_session_ends_with_the_password_it_was_begun_with_and_with_its_account(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    readers = Readers(tmp_path / "readers.sqlite")
    readers.add("mo", PASSWORD)
    with a_client(tmp_path, "accounts") as client:
        sign_in(client, "mo")
        assert client.get("/api/posts/dali").status_code == 200
        readers.set_password("mo", "another password")
        assert client.get("/api/posts/dali").status_code == 401
        sign_in(client, "mo", "another password")
        assert client.get("/api/posts/dali").status_code == 200
        readers.remove("mo")
        assert client.get("/api/posts/dali").status_code == 401
        readers.add("mo", "another password")  # another account of this name
        assert client.get("/api/posts/dali").status_code == 401


@pytest.mark.parametrize(
    "session", ["", "x", "W10.x.y", "WyIqIiwiYSIsImIiXQ.Z0000A.c2lnbmF0dXJl", "é" * 50, "a" * 3000]
)
def test_a_cookie_that_was_made_up_opens_nothing(folder: Path, session: str) -> None:
    with a_client(folder, "password") as client:
        answer = client.get("/api/posts/dali", headers={b"Cookie": f"stipple={session}".encode()})
        assert answer.status_code == 401


def test_where_no_password_is_set_nobody_signs_in(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    for mode in ("password", "accounts"):
        with a_client(tmp_path, mode) as client:
            assert [sign_in(client, "", password) for password in ("", "admin", PASSWORD)] == [403, 403, 403]
            assert client.get("/api/posts/dali").status_code == 401


def test_a_file_of_readers_that_cannot_be_read_opens_nothing(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    Readers(tmp_path / "readers.sqlite").set_password(EVERYBODY, PASSWORD)
    with a_client(tmp_path, "password") as client:
        sign_in(client)
        assert client.get("/api/posts/dali").status_code == 200
        (tmp_path / "readers.sqlite").write_bytes(b"this is no database at all" * 100)
        for path in ("/api/posts/dali", "/", "/search?q=flat", "/answer/stream?q=flat"):
            answer = client.get(path)
            assert answer.status_code == (200 if "stream" in path else 503)
            assert "Blue Door" not in answer.text
            assert str(tmp_path) not in answer.text
        assert client.get("/healthz").status_code == 200


def test_a_proxy_names_the_reader_and_nobody_else_can(folder: Path) -> None:
    named = {"Remote-User": "ann@example.org"}
    with a_client(folder, "proxy") as client:  # from an address that is no proxy's
        assert client.get("/api/posts/dali", headers=named).status_code == 401
        assert client.get("/api/posts/dali", headers=named | {"X-Forwarded-For": PROXY}).status_code == 401
    with a_client(folder, "proxy", peer=PROXY) as client:
        for headers, status in [
            ([("Remote-User", "ann")], 200),
            ([("Remote-User", "ann"), ("X-Forwarded-For", STRANGER)], 200),
            ([("Remote-User", "小鹿".encode())], 200),
            ([("Remote-User", " ")], 401),
            ([("Remote-User", "")], 401),
            ([("Remote-User", "ann"), ("Remote-User", "mo")], 401),
            ([("X-Remote-User", "ann")], 401),
            ([("Remote-User", "a" * 500)], 401),
            ([], 401),
        ]:
            assert client.get("/api/posts/dali", headers=headers).status_code == status, headers  # type: ignore[arg-type]  # bytes
        assert client.get("/", headers=BROWSER).status_code == 401
        assert "members" in client.get("/", headers=BROWSER).text
        assert 'action="/sign-out"' not in client.get("/", headers=BROWSER | named).text
    with a_client(folder, "proxy", peer=PROXY, reader_header="X-Auth-User") as client:
        assert client.get("/api/posts/dali", headers={"X-Auth-User": "ann"}).status_code == 200
        assert client.get("/api/posts/dali", headers=named).status_code == 401


@pytest.mark.parametrize("mode", ["open", "password"])
def test_a_readers_name_from_a_proxy_means_nothing_in_other_modes(folder: Path, mode: str) -> None:
    with a_client(folder, mode, peer=PROXY) as client:
        status = client.get("/api/posts/dali", headers={"Remote-User": "ann"}).status_code
        assert status == (200 if mode == "open" else 401)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"readers": "proxy", "trusted_proxies": ""}, "no proxy is declared"),
        ({"readers": "proxy", "trusted_proxies": "often"}, "TRUSTED_PROXIES"),
        ({"readers": "proxy", "trusted_proxies": PROXY, "reader_header": "no header"}, "READER_HEADER"),
        ({"host": "0.0.0.0"}, "does not say who may read"),
        ({"host": "192.0.2.7"}, "does not say who may read"),
        ({"allowed_hosts": "https://search.example.org"}, "ALLOWED_HOSTS"),
        ({"limit_sign_in": "often"}, "LIMIT_SIGN_IN"),
    ],
)
def test_settings_that_leave_open_who_may_read_stop_the_start(tmp_path: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(FixableError, match=says):
        create_app(Settings(data_dir=tmp_path, _env_file=None, **given))  # type: ignore[arg-type]  # a test's own fields


@pytest.mark.parametrize(
    "given", [{"host": "127.0.0.1"}, {"host": "::1"}, {"host": "localhost"}, {"host": "0.0.0.0", "readers": "open"}]
)
def test_on_loopback_or_where_it_is_said_everybody_may_read(tmp_path: Path, given: dict[str, str]) -> None:
    assert create_app(Settings(data_dir=tmp_path, _env_file=None, **given)).state.access.mode == "open"  # type: ignore[arg-type]  # a test's own fields


def test_behind_https_the_cookie_is_for_https_and_this_host_alone(folder: Path) -> None:
    with a_client(folder, "password", peer=PROXY) as client:
        headers = {"X-Forwarded-For": STRANGER, "X-Forwarded-Proto": "https"}
        cookie = client.post("/sign-in", data={"password": PASSWORD}, headers=headers).headers["set-cookie"]
        assert cookie.startswith("__Host-stipple=")
        assert "; Secure" in cookie
        session = cookie.partition(";")[0]
        assert client.get("/api/posts/dali", headers=headers | {"Cookie": session}).status_code == 200
        planted = session.removeprefix("__Host-")  # a cookie that another site of the domain, or plain HTTP, may set
        assert client.get("/api/posts/dali", headers=headers | {"Cookie": planted}).status_code == 401
    with a_client(folder, "password") as client:  # nobody's word but a proxy's
        headers = {"X-Forwarded-Proto": "https"}
        cookie = client.post("/sign-in", data={"password": PASSWORD}, headers=headers).headers["set-cookie"]
        assert cookie.startswith("stipple=")
        assert "Secure" not in cookie


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1"])
def test_passwords_are_guessed_slowly_also_from_this_machine(folder: Path, peer: str) -> None:
    app = an_app(folder, readers="password", limit_sign_in="3/minute")
    with TestClient(app, client=(peer, 4711), follow_redirects=False) as client:
        told = [client.post("/sign-in", data={"password": f"guess number {one}"}, headers=BROWSER) for one in range(4)]
        assert [one.status_code for one in told] == [403, 403, 403, 429]
        assert 1 <= int(told[-1].headers["retry-after"]) <= 60
        assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 429
        assert client.get("/sign-in").status_code == 200


def test_readers_are_limited_each_and_not_by_the_address_that_they_share(folder: Path) -> None:
    with a_client(folder, "accounts", limit_search="2/minute") as client:
        sign_in(client, "ann")
        assert [client.get("/api/search?q=a").status_code for _ in range(3)] == [200, 200, 429]
        client.cookies.clear()
        sign_in(client, "小鹿")
        assert client.get("/api/search?q=a").status_code == 200


def test_a_piece_of_a_page_sends_the_whole_page_to_sign_in_and_back(folder: Path) -> None:
    with a_client(folder, "password") as client:
        headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/search?q=flat+white"}
        answer = client.post("/feedback", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "/sign-in?next=%2Fsearch%3Fq%3Dflat%2Bwhite"
        headers["HX-Current-URL"] = "https://evil.example//evil.example/"
        assert client.post("/feedback", headers=headers).headers["hx-redirect"] == "/sign-in"


@given(st.one_of(st.text(), st.from_regex(r"(https?:)?[/\\]{0,3}(search)?[/\\?#a-z.@\t\n ]*", fullmatch=True)))
def test_no_way_back_leads_to_another_host(written: str) -> None:
    way = own_address(written)
    for base in ("https://here.example/sign-in", "http://here.example/sign-in?next=x"):
        assert urlsplit(urljoin(base, way)).netloc == "here.example"
    assert urlsplit(way).path in ("/", "/search", "/docs")
    assert own_address(way) == way
    assert urlsplit(sign_in_address(written)).path == "/sign-in"


@pytest.mark.parametrize(
    "next_page",
    ["https://evil.example/", "//evil.example/search", "/\\evil.example", "/search/../..//evil.example", ""],
)
def test_whoever_signed_in_is_sent_to_no_foreign_host(folder: Path, next_page: str) -> None:
    with a_client(folder, "password") as client:
        answer = client.post("/sign-in", data={"password": PASSWORD, "next": next_page})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        again = client.get("/sign-in", params={"next": next_page})  # signed in already
        assert (again.status_code, again.headers["location"]) == (303, "/")


def test_no_address_is_mended_by_a_redirect_to_the_host_that_was_named(folder: Path) -> None:
    with a_client(folder, "open", allowed_hosts="*") as client:
        assert client.get("/search/?q=x", headers={"Host": "evil.example"}).status_code == 404


def test_a_command_with_the_data_folder_is_let_in_and_one_with_another_folders_is_not(
    folder: Path, tmp_path: Path
) -> None:
    with a_client(folder, "accounts") as client:
        client.app.state.server_token = "0a1b"  # type: ignore[attr-defined]  # as `stipple serve` sets it
        readers, others = Readers(folder / "readers.sqlite"), Readers(tmp_path / "readers.sqlite")
        for credential, status in [
            (readers.local_credential("0a1b"), 200),
            (readers.local_credential("another server's"), 401),
            (others.local_credential("0a1b"), 401),
            (readers.sign_in("ann", PASSWORD), 401),  # a session is no command's credential
            ("0a1b", 401),
        ]:
            headers = {"Authorization": f"Bearer {credential}"}
            assert client.get("/api/posts/dali", headers=headers).status_code == status


class Broken(Services):
    """Services that cannot search, for a reason that names a path."""

    async def search(self, *_: object, **__: object) -> object:  # type: ignore[override]  # always fails
        raise FixableError("the index at /srv/secret/place is damaged", "restore /srv/secret/place")


@pytest.mark.parametrize(
    "path", ["/api/search?q=flat", "/search?q=flat", "/search?q=flat&js=off", "/answer/stream?q=x"]
)
def test_only_admins_are_told_why_something_failed(folder: Path, path: str) -> None:
    settings = Settings(data_dir=folder, readers="accounts", limit_sign_in="", _env_file=None)
    app = create_app(settings, Broken(settings, open_store(settings), HashEmbedder(256), None))
    with TestClient(app, client=(STRANGER, 4711), follow_redirects=False) as client:
        sign_in(client, "ann")
        with capture_logs() as logs:
            reader = client.get(path)
        client.cookies.clear()
        sign_in(client, "小鹿")
        admin = client.get(path)
    assert reader.status_code == admin.status_code
    assert "/srv/secret/place is damaged" in admin.text
    assert "/srv/secret" not in reader.text
    assert "log" in reader.text
    assert {one["fix"] for one in logs if "problem" in one} == {"restore /srv/secret/place"}


def test_what_changes_something_leaves_a_line_of_who_and_what_and_no_secret(folder: Path) -> None:
    ops = {"Authorization": f"Bearer {Keys(folder / 'keys.sqlite').add('ops', 'read')}"}
    with a_client(folder, "accounts") as client, capture_logs() as logs:
        client.post("/sign-in", data={"name": "ann", "password": "a wrong guess"})
        sign_in(client, "ann")
        client.request("DELETE", f"/api/conversations/{'c' * 22}")
        client.post("/conversations/delete", data={"c": "d" * 22})
        client.put("/api/posts", json=[], headers=ops)
        client.post("/api/answer", json={"question": "How much is a flat white?"})
        client.get("/api/search?q=flat+white")
        client.post("/sign-out")
        client.delete("/api/posts/dali")
    lines = [
        (one["who"], one["did"], one["status"], one.get("signed_in"))
        for one in logs
        if one["event"] == "audit"
    ]  # fmt: skip
    stranger, ann = STRANGER, "reader Ann"
    assert lines == [
        (stranger, "POST /sign-in", 403, False),
        (stranger, "POST /sign-in", 303, True),
        (ann, "DELETE /api/conversations/{conversation}", 404, None),
        (ann, "POST /conversations/delete", 303, None),
        ("key ops", "PUT /api/posts", 403, None),
        (ann, "POST /sign-out", 303, None),
    ]
    audited = str([one for one in logs if one["event"] == "audit"])
    assert not any(secret in audited for secret in (PASSWORD, "a wrong guess", "c" * 22, "d" * 22))
