"""Measuring how well the checker tells supported claims from others: reading, figures, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.checking.citations import SupportChecker
from app.evaluation.support_accuracy import (
    JudgedClaim,
    evaluate_support,
    read_claims,
    support_of,
    support_table,
    told_apart,
)
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from stipple.cli import main

CAFE = "The Blue Door opens at nine. A flat white costs 28 yuan. Dogs may sit outside."
CAMP = "营地在苍山脚下。停车费一晚30元。洗手间很干净。"
CLAIMS: tuple[dict[str, Any], ...] = (
    {"claim": "A flat white costs 28 yuan.", "posts": [CAFE], "supported": True, "source": "cafe"},
    {"claim": "A flat white costs 82 yuan.", "posts": [CAFE], "supported": False, "source": "cafe"},
    {"claim": "停车费一晚30元。[2]", "posts": [CAFE, CAMP], "supported": True, "question": "停车费多少钱"},
    {"claim": "停车费一晚50元。[2]", "posts": [CAFE, CAMP], "supported": False},
)


def write_claims(folder: Path, *claims: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [claim if isinstance(claim, str) else json.dumps(claim, ensure_ascii=False) for claim in claims]
    (folder / "claims.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def test_claims_are_read_with_what_they_answer_and_where_they_come_from(tmp_path: Path) -> None:
    claims = read_claims(write_claims(tmp_path, *CLAIMS))
    assert claims[0] == JudgedClaim("A flat white costs 28 yuan.", (CAFE,), True, source="cafe")
    assert claims[2].question == "停车费多少钱"


def test_supported_claims_score_above_changed_ones_in_both_languages(tmp_path: Path) -> None:
    claims = read_claims(write_claims(tmp_path, *CLAIMS))
    checker = SupportChecker(HashEmbedder(256))
    supports = [support_of(claim, checker) for claim in claims]
    assert supports[0] > supports[1]
    assert supports[2] > supports[3]
    result = evaluate_support(claims, checker, 0.5)
    assert (result["n"], result["auc"], result["threshold"]) == (4, 1.0, 0.5)
    assert list(result["sources"]) == ["cafe"]
    assert result["sources"]["cafe"]["n"] == 2


def test_a_post_that_holds_no_sentence_supports_nothing() -> None:
    assert support_of(JudgedClaim("A flat white costs 28 yuan.", ("", "…"), False), SupportChecker(HashEmbedder())) == 0


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.booleans()), max_size=12))
def test_figures_are_shares_and_unknown_where_there_is_one_kind_alone(judged: list[tuple[float, bool]]) -> None:
    supports = np.array([support for support, _ in judged])
    truths = np.array([truth for _, truth in judged], bool)
    figures = told_apart(supports, truths, 0.5)
    if len(set(truths.tolist())) < 2:
        assert figures["balanced_accuracy"] is figures["auc"] is None
    else:
        mirrored = told_apart(1 - supports, truths, 0.5)
        assert figures["auc"] == pytest.approx(1 - mirrored["auc"], abs=2e-4)
        assert 0 <= figures["balanced_accuracy"] <= 1


def test_the_table_has_a_row_for_each_source_and_for_all() -> None:
    row = {"n": 2, "balanced_accuracy": 0.5, "auc": None}
    lines = support_table({**row, "threshold": 0.5, "sources": {"cafe": row}}).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["cafe", "all"]
    assert lines[-1].split()[1:] == ["2", "0.5000", "-"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "claims.jsonl:2: not a judged claim"),
        ("[]", "not a JSON object"),
        ({"posts": ["x"], "supported": True}, "field 'claim' is missing"),
        ({"claim": "x", "supported": True}, "field 'posts' is missing"),
        ({"claim": "x", "posts": ["x"]}, "field 'supported' is missing"),
        ({"claim": " ", "posts": ["x"], "supported": True}, "'claim' must be a string that is not blank"),
        ({"claim": "x", "posts": [], "supported": True}, "'posts' must be a list of at least one text"),
        ({"claim": "x", "posts": "x", "supported": True}, "'posts' must be a list"),
        ({"claim": "x", "posts": [{"text": "x"}], "supported": True}, "'posts' must be a list"),
        ({"claim": "x", "posts": ["x"], "supported": "yes"}, "'supported' is 'yes', which is neither"),
        ({"claim": "x", "posts": ["x"], "supported": True, "source": 3}, "'question' and 'source' must be strings"),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, line: object, says: str) -> None:
    folder = write_claims(tmp_path, CLAIMS[0], line)
    with pytest.raises(FixableError, match=says) as error:
        read_claims(folder)
    assert "claims.jsonl:2" in error.value.problem
    assert "supported" in error.value.fix


def test_a_set_that_is_missing_empty_or_of_one_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="is not a folder"):
        read_claims(tmp_path / "none")
    with pytest.raises(FixableError, match=r"claims\.jsonl cannot be read"):
        read_claims(tmp_path)
    with pytest.raises(FixableError, match="holds no claim"):
        read_claims(write_claims(tmp_path / "empty", ""))
    with pytest.raises(FixableError, match="is judged supported"):
        read_claims(write_claims(tmp_path / "one", CLAIMS[0], CLAIMS[2]))


@pytest.mark.model
def test_the_command_prints_a_table_and_one_json_line_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STIPPLE_EMBEDDING_MODEL", "all-MiniLM-L6-v2")
    assert main(("eval", "support", str(write_claims(tmp_path / "few", *CLAIMS)))) == 0
    *table, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    assert (result["dataset"], result["n"]) == ("few", 4)
    assert 0 <= result["balanced_accuracy"] <= 1
    assert table[-1].split()[:2] == ["all", "4"]


def test_the_command_names_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("eval", "support", str(tmp_path / "none"))) == 1
    assert "is not a folder" in capsys.readouterr().err
