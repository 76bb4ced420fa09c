"""The commands that ask: what they print, and what they say when something is missing."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from app.commands.doctor import examine
from app.listen_socket import bind
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from stipple.cli import main
from tests.small_index import POSTS, indexed


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    monkeypatch.setenv("STIPPLE_LLM", "smollm2")
    return tmp_path / "data"


def test_a_port_in_use_is_said_with_its_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FixableError) as error:
        bind("127.0.0.1", taken.getsockname()[1])
    assert "Address already in use" in error.value.problem
    assert "--port" in error.value.fix


def test_a_free_port_is_found_on_request() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.model
@pytest.mark.parametrize("arguments", [("search", "tea"), ("ask", "tea")])
def test_without_an_index_the_mend_is_a_reindex(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(arguments) == 1
    assert "stipple reindex" in capsys.readouterr().err


@pytest.mark.model
def test_an_index_of_another_model_is_refused_with_the_mend(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    indexed(data, POSTS, HashEmbedder(256))
    assert main(("search", "tea")) == 1
    said = capsys.readouterr().err
    assert "hash-256" in said
    assert "STIPPLE_EMBEDDING_MODEL" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("STIPPLE_LLM", "/nowhere/model.gguf"), ("STIPPLE_LLM", __file__), ("STIPPLE_EMBEDDING_MODEL", "/nowhere/at/all")],
)
def test_a_model_that_is_not_there_is_one_line_and_its_mend(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(("ask", "tea")) == 1
    said = capsys.readouterr().err
    assert "to fix: " in said
    assert "Traceback" not in said
    assert value in said


@pytest.mark.parametrize("query", ["", "  ", "\u200b"])
@pytest.mark.model
def test_a_blank_query_is_refused(data: Path, capsys: pytest.CaptureFixture[str], query: str) -> None:
    assert main(("search", query)) == 1
    assert "blank" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("--since", "2024-13-02"), ("--until", "soon"), ("--min-likes", "-3"), ("--limit", "99")]
)
def test_an_option_that_cannot_be_is_refused_by_name(
    data: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    try:
        code = main(("search", "tea", option, value))
    except SystemExit as usage:
        code = int(str(usage.code))
    assert code in {1, 2}
    assert option in capsys.readouterr().err


@pytest.mark.model
def test_doctor_finds_everything_in_order_where_it_is(data: Path) -> None:
    settings = Settings(port=0, _env_file=None)
    findings = {finding.part: finding for finding in examine(settings)}
    assert {finding.mark for finding in findings.values()} <= {"ok  ", "note"}
    assert "stipple reindex" in findings["index"].fix
    assert "English: answers are written; Chinese: answers are quotes" in findings["answering model"].says
    assert "English: found by meaning and by words; Chinese: found by words" in findings["embedding model"].says
    assert "fused order" in findings["reranking model"].says


@pytest.mark.model
def test_doctor_says_what_the_default_models_do_in_each_language(tmp_path: Path) -> None:
    findings = {finding.part: finding for finding in examine(Settings(data_dir=tmp_path, port=0, _env_file=None))}
    says = findings["embedding model"].says
    assert "multilingual-e5-small@" in says
    assert " (en, zh) + all-MiniLM-L6-v2@53aa5117+pinyin (en), 769 dimensions" in says
    assert "Chinese and English: found by meaning and by words" in says
    assert "answers are quotes" in findings["answering model"].says
    assert "stipple models pull qwen2.5-coder-1.5b" in findings["answering model"].fix


def test_a_quote_is_printed_with_what_names_its_post(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hit(rank: int, title: str) -> dict[str, Any]:
        post = {"id": f"p{rank}", "title": title, "author": "mei", "created_at": "2026-05-01T08:00:00Z", "url": ""}
        return {"rank": rank, "post": post, "passage": {"text": "It is 28 yuan."}}

    def sentence(mark: int, part: str, *, quoted: bool = True) -> dict[str, Any]:
        return {"text": "It is 28 yuan.", "quoted": quoted, "citations": [{"mark": mark, "part": part}]}

    said = [sentence(1, "text"), sentence(1, "title"), sentence(2, "text"), sentence(2, "text", quoted=False)]
    answer = {"sentences": said, "hits": [hit(1, "Blue Door"), hit(2, "")], "note": "", "notes": [], "kind": "quoted"}
    monkeypatch.setattr("app.commands.cli._asked", lambda *_: answer)
    assert main(("ask", "How much is it?")) == 0
    assert capsys.readouterr().out.splitlines()[:4] == [
        "Blue Door: “It is 28 yuan.” [1]",
        "@mei 2026-05-01: “It is 28 yuan.” [1]",
        "@mei 2026-05-01: “It is 28 yuan.” [2]",
        "It is 28 yuan. [2]",
    ]


def test_doctor_names_each_fault_with_its_mend_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "file").write_text("not a folder")
    settings = Settings(
        data_dir=tmp_path / "file",
        llm="/nowhere.gguf",
        embedding_model="/nowhere",
        rerank_model="/nowhere",
        nli_model="/nowhere",
        port=0,
        _env_file=None,
    )
    findings = list(examine(settings))
    assert [finding.mark for finding in findings] == ["bad "] * 6 + ["ok  ", "ok  "]
    assert all(finding.fix for finding in findings if finding.mark == "bad ")


def test_doctor_says_whose_index_it_is_that_lacks_its_model(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(256))
    settings = Settings(data_dir=tmp_path, llm="none", embedding_model=str(tmp_path / "gone"), port=0, _env_file=None)
    [found] = [finding for finding in examine(settings) if finding.part == "index"]
    assert found.mark == "bad "
    assert f"{len(POSTS)} posts, which nobody can search without hash-256" in found.says
    assert "gone is not there" in found.says
    assert "bring the folder back" in found.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; tests/retrieval/stores tests the error")
def test_doctor_says_that_a_folder_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    finding = next(iter(examine(Settings(data_dir=tmp_path, _env_file=None))))
    assert finding.mark == "bad "
