"""`stipple feedback export`: what people said, in the format that measuring reads."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.conversations.storage.feedback import FeedbackFile, feedback_on
from app.evaluation.judged_questions import read_questions
from stipple.cli import main
from tests.app.conversations.kept import POSTS, a_turn


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say_something(folder: Path) -> None:
    now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    file = FeedbackFile(folder / "feedback.sqlite")
    file.give(feedback_on(a_turn(), POSTS, "up", "", "", now))
    file.give(feedback_on(a_turn("多少钱"), POSTS, "down", "not_in_posts", "帖子没说", now))


def test_what_is_exported_can_be_measured_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say_something(folder)
    assert main(["feedback", "export", "questions.jsonl"]) == 0
    assert "wrote 2 questions: 1 helpful, 1 not" in capsys.readouterr().err
    questions = read_questions(folder)
    assert sorted(question.answerable for question in questions) == [False, True]
    assert all([post.id for post in question.posts] == ["blue", "red"] for question in questions)
    assert stat.S_IMODE((folder / "questions.jsonl").stat().st_mode) == 0o600


def test_without_a_file_it_goes_to_standard_output_since_a_day(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say_something(folder)
    assert main(["feedback", "export", "--since", "2026-05-01"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(line["verdict"], line["reason"]) for line in lines} == {("up", ""), ("down", "not_in_posts")}
    assert main(["feedback", "export", "--since", "2026-05-02"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "yesterday"], "not a date"),
        (["there.jsonl"], "exists already"),
        (["nowhere/at/all.jsonl"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_with_its_mend(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (folder / "there.jsonl").write_text("precious")
    assert main(["feedback", "export", *arguments]) == 1
    told = capsys.readouterr().err
    assert says in told
    assert "to fix:" in told
    assert (folder / "there.jsonl").read_text() == "precious"


def test_a_damaged_file_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "feedback.sqlite").write_bytes(b"no database" * 100)
    assert main(["feedback", "export"]) == 1
    assert "cannot be read" in capsys.readouterr().err
