"""`stipple readers` and `stipple keys`: passwords come from standard input, and each change leaves a line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from app.main import create_app
from app.readers import EVERYBODY, Readers
from app.running_server import announced
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from stipple.cli import main
from tests.app.web.served_app import served
from tests.small_index import POSTS, indexed


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path))
    return tmp_path


def typing(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(words))


def test_accounts_are_added_listed_and_removed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(monkeypatch, "correct horse\n")
    assert main(("readers", "add", "小鹿", "--admin")) == 0
    typing(monkeypatch, "battery staple")
    assert main(("readers", "password")) == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert [(line["event"], line["did"], line["reader"]) for line in lines] == [
        ("audit", "reader added", "小鹿"), ("audit", "password set", EVERYBODY),
    ]  # fmt: skip
    assert "horse" not in said.err + said.out
    readers = Readers(data / "readers.sqlite")
    assert readers.sign_in("小鹿", "correct horse")
    assert readers.sign_in(EVERYBODY, "battery staple")
    assert main(("readers", "list", "--json")) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["role"]) for one in listed] == [(EVERYBODY, "read"), ("小鹿", "admin")]
    assert main(("readers", "remove", "小鹿")) == 0
    assert main(("readers", "remove")) == 0
    assert readers.all() == []


@pytest.mark.parametrize(
    ("arguments", "typed", "says"),
    [
        (("add", "ann"), "", "standard input has no password"),
        (("add", "ann"), "short\n", "5 characters"),
        (("password", "ann"), "correct horse\n", "no account is named 'ann'"),
        (("remove", "ann"), "", "no account is named 'ann'"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    typed: str,
    says: str,
) -> None:
    typing(monkeypatch, typed)
    assert main(("readers", *arguments)) == 1
    assert says in capsys.readouterr().err
    assert Readers(data / "readers.sqlite").all() == []


def test_a_password_is_no_argument(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(("readers", "add", "ann", "correct horse"))
    assert "unrecognized arguments" in capsys.readouterr().err


def test_a_key_has_one_of_three_roles_and_its_making_leaves_a_line(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("keys", "add", "--admin", "ops")) == 0
    said = capsys.readouterr()
    secret = said.out.strip()
    assert secret.startswith("stipple.ops.")
    assert json.loads(said.err.splitlines()[0])["did"] == "key added"
    assert secret not in said.err
    assert main(("keys", "list")) == 0
    assert "admin" in capsys.readouterr().out


def test_search_reads_through_a_server_that_lets_only_readers_in(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    indexed(data, POSTS, HashEmbedder(256))
    Readers(data / "readers.sqlite").add("ann", "correct horse")
    settings = Settings(data_dir=data, llm="none", readers="accounts", _env_file=None)
    app = create_app(settings, Services(settings, open_store(settings), HashEmbedder(256), None))
    with served(app) as port, announced(data, "127.0.0.1", port) as app.state.server_token:
        assert main(("search", "flat white")) == 0
        assert "Blue Door" in capsys.readouterr().out
        # Of a folder that names the server, but does not hold its secret.
        other = tmp_path_factory.mktemp("other")
        (other / "server.json").write_bytes((data / "server.json").read_bytes())
        monkeypatch.setenv("STIPPLE_DATA_DIR", str(other))
        assert main(("search", "flat white")) == 1
        said = capsys.readouterr()
        assert "does not let this command read" in said.err
        assert "Blue Door" not in said.out
