"""Everyday questions are asked of the index as people ask it, and graded; so are follow-up questions."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.evaluation.answer_quality import own_finder
from app.evaluation.everyday.asking import ask_all
from app.evaluation.everyday.question_file import EverydayQuestion
from app.model_bundle import make_answerer
from retrieval.models.embedding import HashEmbedder
from retrieval.search.calibration import default_weights
from retrieval.settings import Settings
from retrieval.text.terms import TermWeigher
from stipple.cli import main
from tests.small_index import POSTS, indexed, ready

PRICE = {
    "id": "price", "language": "en", "kind": "price", "question": "How much is a flat white at Blue Door?",
    "answerable": True, "must": [["28 yuan"]], "must_not": ["free"], "posts": ["dali"],
}  # fmt: skip
DIALOGUE = {
    "id": "then", "language": "en", "kind": "fragment", "asked": "and with oat milk?",
    "before": [{"question": "How much is a flat white at Blue Door?", "posts": ["dali"]}],
    "has": [["oat milk"], ["Blue Door"]],
}  # fmt: skip


def test_each_question_is_answered_and_graded_in_its_order(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None, answer_gate=0.0)
    embedder = HashEmbedder(256)
    posts = [ready(post, embedder) for post in POSTS if post.id != "evil"]
    finder = own_finder(posts, embedder, TermWeigher(), settings, default_weights())
    price = EverydayQuestion(
        "price", "en", "price", "How much is a flat white at Blue Door?", True, (("28",),), posts=("dali",)
    )
    loop = EverydayQuestion(
        "loop", "en", "hours", "Until when is the moat loop lit?", True, (("noon",),), posts=("run",)
    )
    with ThreadPoolExecutor(1) as executor:
        answerer = make_answerer(settings, finder, embedder, None, executor)
        answers = asyncio.run(ask_all([price, loop], answerer))
    assert [(one.question.id, one.right) for one in answers] == [("price", True), ("loop", False)]
    assert answers[1].why() == "unsaid: noon"


@pytest.mark.model
@pytest.mark.parametrize("command", [("questions",), ("questions", "--write"), ("queries", "--write")])
def test_the_command_prints_the_models_a_table_and_json_and_writes_all_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    small_index(tmp_path, monkeypatch)
    (tmp_path / "questions.jsonl").write_text(json.dumps(PRICE))
    kind, *write = command
    given = ("eval", kind, str(tmp_path / "questions.jsonl"), *write, "--answers", str(tmp_path / "answers.md"))
    assert main(given) == 0
    models, *table, last = capsys.readouterr().out.splitlines()
    assert models.startswith("written by nobody: quotes; 5 posts embedded by all-MiniLM-L6-v2")
    assert table[1].split()[:3] == ["all", "1", "1.00"]
    assert json.loads(last)["right"] == 1.0
    assert "28 yuan" in (tmp_path / "answers.md").read_text("utf-8")


@pytest.mark.model
def test_follow_ups_are_completed_from_the_posts_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_index(tmp_path, monkeypatch)
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(DIALOGUE))
    assert main(("eval", "followups", str(tmp_path / "dialogues.jsonl"))) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["understood"] == 1.0
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(DIALOGUE).replace('"dali"', '"nowhere"'))
    assert main(("eval", "followups", str(tmp_path / "dialogues.jsonl"))) == 1
    assert "such as nowhere" in capsys.readouterr().err


def small_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small index by MiniLM, and settings that name it and no writer."""
    from retrieval.models.factory import load_embedder

    monkeypatch.setenv("STIPPLE_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    monkeypatch.setenv("STIPPLE_LLM", "none")
    settings = Settings(_env_file=None)
    indexed(settings.data_dir, POSTS, load_embedder(settings))
