"""Answers measured on questions that have posts of their own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation import Generator, ScriptedGenerator
from app.answering.types import Answer, AnswerSentence, Citation, Question
from app.evaluation.answer_quality import Judged, answer_questions, answers_table, measured_answers, shows
from app.evaluation.judged_questions import GoldEvidence, JudgedQuestion, read_questions
from app.evaluation.operating_curve import auc, declined_at, threshold_at
from retrieval.models.embedding import HashEmbedder
from retrieval.search.calibration import default_weights
from retrieval.settings import Settings
from retrieval.types import Hit, Passage, Post
from stipple.cli import main
from tests.app.evaluation.questions import write_questions


def judged(tmp_path: Path, generator: Generator | None = None, **settings: Any) -> list[Judged]:
    chosen = Settings(data_dir=tmp_path / "data", _env_file=None, **settings)
    questions = read_questions(write_questions(tmp_path / "set"))
    embedder = HashEmbedder(256, languages=frozenset({"en"}))
    return asyncio.run(answer_questions(questions, embedder, generator, chosen, default_weights()))


def test_each_question_is_answered_from_its_own_posts_alone(tmp_path: Path) -> None:
    price, unanswerable, tent = judged(tmp_path, answer_gate=0.0)
    assert "28 yuan" in price.answer.sentences[0].text
    assert {hit.post.id for hit in unanswerable.answer.hits} == {"loop"}
    assert "80元" in tent.answer.sentences[0].text


def test_the_figures_are_of_what_was_shown(tmp_path: Path) -> None:
    result = measured_answers("set", judged(tmp_path, answer_gate=0.0, answer_sentences=1))
    assert (result["dataset"], result["n"]) == ("set", 3)
    assert (result["answered_when_answerable"], result["declined_when_unanswerable"]) == (1.0, 0.0)
    assert (result["gold_in_answer"], result["evidence_recall"], result["citation_precision"]) == (1.0, 1.0, 1.0)
    assert (result["quotes_verbatim"], result["marks_resolved"], result["sentences_shown_mean"]) == (1.0, 1.0, 1.0)
    assert result["auc"] == 1.0
    assert "gold in answer" in answers_table(result, 0.0, "nobody", "hash")


def test_a_gate_that_lets_nothing_through_declines_all_and_leaves_shares_of_nothing_open(tmp_path: Path) -> None:
    result = measured_answers("set", judged(tmp_path, answer_gate=1.0))
    assert (result["answered_when_answerable"], result["declined_when_unanswerable"]) == (0.0, 1.0)
    assert (result["gold_in_answer"], result["evidence_recall"], result["evidence_recall_of_all"]) == (0.0, 0.0, 0.0)
    assert (result["citation_precision"], result["sentences_shown_mean"]) == (None, None)


def test_what_a_model_writes_is_measured_as_it_is_shown(tmp_path: Path) -> None:
    written = ScriptedGenerator(["A flat white at Blue Door is 28 yuan. [1]"])
    price = judged(tmp_path, written, answer_gate=0.0)[0]
    assert price.answer.kind == "written"
    assert measured_answers("set", [price])["gold_in_answer"] == 1.0


POST = Post("p", "", "He came early. The ferry\ncosts 15 yuan and leaves at noon. He left late.")
GOLD = GoldEvidence("p", "The ferry\ncosts 15 yuan and leaves at noon.")


def showing(start: int, end: int, text: str = "") -> Judged:
    question = JudgedQuestion("q", "?", "en", (POST,), answerable=True, evidence=(GOLD,))
    quote = POST.text[start:end]
    citation = Citation(1, "p", "text", None, start, end, quote, 1.0)
    sentence = AnswerSentence(text or quote, (citation,), quoted=not text)
    hit = Hit(1, 1.0, 1.0, 1.0, POST, Passage("p", 0, "text", None, 0, len(POST.text), POST.text))
    answer = Answer(Question("?"), "quoted", "en", (sentence,), (hit,), 0, "", "", "", "", {"total": 1.0})
    return Judged(question, answer)


def test_a_gold_quote_counts_once_most_of_it_is_shown() -> None:
    at = POST.text.index(GOLD.quote)
    assert shows(GOLD, showing(0, len(POST.text)))
    assert shows(GOLD, showing(at, at + 30))
    assert not shows(GOLD, showing(at, at + 12))
    assert not shows(GOLD, showing(0, at))


def test_a_sentence_that_says_it_in_other_white_space_and_case_shows_it() -> None:
    assert shows(GOLD, showing(0, 5, "THE ferry costs 15 yuan  and leaves at noon."))
    assert not shows(GOLD, showing(0, 5, "The ferry costs 16 yuan and leaves at noon."))


def test_citing_a_post_without_gold_costs_precision() -> None:
    one = showing(0, 5)
    other = replace(one.question, evidence=(), gold=(("aeroplane",),))
    assert measured_answers("set", [one])["citation_precision"] == 1.0
    assert measured_answers("set", [Judged(other, one.answer)])["citation_precision"] == 0.0
    assert measured_answers("set", [Judged(replace(other, gold=()), one.answer)])["citation_precision"] is None


confidences = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(confidences, confidences, st.floats(0.01, 1))
def test_the_gate_found_answers_the_share_asked_for_and_none_higher_does(
    can: list[float], cannot: list[float], answered: float
) -> None:
    gate = threshold_at(answered, can)
    assert sum(one >= gate for one in can) >= answered * len(can) - 1e-6
    assert sum(one > gate for one in can) < answered * len(can) + 1e-6
    assert declined_at(answered, can, cannot) == round(sum(one < gate for one in cannot) / len(cannot), 4)


@given(confidences, confidences)
def test_the_area_is_symmetric(can: list[float], cannot: list[float]) -> None:
    one, other = auc(can, cannot), auc(cannot, can)
    assert one is not None
    assert other is not None
    assert one + other == pytest.approx(1, abs=2e-4)
    assert auc(can, []) is None


@pytest.mark.model
def test_the_command_prints_a_table_and_one_json_line_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    folder = str(write_questions(tmp_path / "few"))
    assert main(("eval", "answers", folder, "--llm", "none", "--limit", "2", "--sentences", "1")) == 0
    *table, last = capsys.readouterr().out.splitlines()
    assert table[0].startswith("few: 2 questions; written by nobody")
    result = json.loads(last)
    assert (result["n"], result["gold_in_answer"], result["quotes_verbatim"]) == (2, 1.0, 1.0)


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--sentences", "x")])
def test_wrong_usage_is_told(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(("eval", "answers", "x", *arguments))
    assert left.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("--gate", "2"), "answer_gate is 2.0"), (("--sentences", "99"), "answer_sentences is 99")],
)
def test_an_option_out_of_bounds_is_told_with_its_name(
    tmp_path: Path, arguments: tuple[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("eval", "answers", str(write_questions(tmp_path)), *arguments)) == 1
    assert says in capsys.readouterr().err
