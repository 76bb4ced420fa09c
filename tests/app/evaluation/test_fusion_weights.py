"""Learning how much the cosine counts, keeping it, and using it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evaluation.fusion_weights import GRID, Learned, calibrate, calibration_table, choose, keep
from app.evaluation.judged_folder import read_folder
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.search.calibration import (
    DenseWeights,
    calibration_path,
    default_weights,
    dense_weights,
    read_calibrations,
)
from retrieval.settings import Settings
from tests.app.evaluation.folders import POSTS, write_folder

NAMES = [f"q{number}" for number in range(200)]


def _learned(weight: float) -> Learned:
    return Learned(weight, 0.8, dict.fromkeys(GRID, 0.5), 0.5, 0.4, 60)


def test_a_weight_that_plainly_helps_is_chosen() -> None:
    values = np.tile(1 - np.abs(np.array(GRID) - 0.3), (200, 1))
    learned = choose([values], [NAMES], 0.8)
    assert learned.weight == 0.3
    assert learned.held_out > learned.with_default


def test_noise_leaves_the_default() -> None:
    values = np.random.default_rng(0).random((200, len(GRID)))
    assert choose([values], [NAMES], 0.8).weight == 0.8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(GRID))
def test_whatever_the_queries_the_weight_is_one_of_the_grid_and_queries_alike_keep_the_default(
    seed: int, default: float
) -> None:
    values = np.random.default_rng(seed).random((60, len(GRID)))
    assert choose([values], [NAMES[:60]], default).weight in GRID
    assert choose([np.ones((60, len(GRID)))], [NAMES[:60]], default).weight == default


def test_both_classes_of_languages_are_learned_from_folders_that_hold_both(tmp_path: Path) -> None:
    queries = {f"{key}-{number}": text for key, text in POSTS.items() for number in range(20)}
    qrels = [(query, query.partition("-")[0], 1) for query in queries]
    folder = read_folder(write_folder(tmp_path / "set", queries=queries, qrels=qrels))
    embedder = HashEmbedder(languages=frozenset({"en"}))
    learned = calibrate([folder], embedder, Settings(data_dir=tmp_path / "data"), default_weights())
    assert set(learned) == {"known", "unknown"}
    assert learned["known"].n_queries == learned["unknown"].n_queries == 60
    table = calibration_table(embedder.identity.model, learned)
    assert "languages that the embedder does not know: 60 queries" in table


def test_a_class_of_few_queries_is_not_learned(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    assert calibrate([folder], HashEmbedder(), Settings(data_dir=tmp_path / "data"), default_weights()) == {}


def test_what_was_learned_is_used_for_that_model_alone_and_what_is_set_goes_before_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    keep(calibration_path(settings), "mini@1", {"known": _learned(0.65)}, [])
    keep(calibration_path(settings), "mini@1", {"unknown": _learned(0.2)}, [])
    keep(calibration_path(settings), "other@2", {"known": _learned(0.1)}, [])
    assert dense_weights(settings, "mini@1") == DenseWeights(0.65, 0.2, "calibrated")
    assert dense_weights(settings, "third@3") == default_weights()
    chosen = Settings(data_dir=tmp_path, dense_weight_known=0.9)
    assert dense_weights(chosen, "mini@1") == DenseWeights(0.9, 0.2, "set, calibrated")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"models": {"m": {"known": {"weight": 7}}}}', '{"models": {"m": {"known": {}}}}', "\x00"]
)
def test_a_damaged_file_is_refused_with_its_mend(tmp_path: Path, text: str) -> None:
    (tmp_path / "calibration.json").write_text(text, "utf-8")
    with pytest.raises(FixableError, match=r"delete .*calibration\.json"):
        dense_weights(Settings(data_dir=tmp_path), "m")


def test_the_file_says_what_it_was_learned_from(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    path = tmp_path / "data" / "calibration.json"
    keep(path, "m", {"known": _learned(0.65)}, [folder])
    assert read_calibrations(path)["m"]["known"]["from"] == ["set"]
    assert json.loads(path.read_text("utf-8"))["models"]["m"]["known"]["n_queries"] == 60
