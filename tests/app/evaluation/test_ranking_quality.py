"""Measuring the three rankings of a judged folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.evaluation.judged_folder import read_folder
from app.evaluation.ranking_quality import evaluate_retrieval, measured_each, p_value, retrieval_table
from app.evaluation.trial_index import candidates_for
from retrieval.models.embedding import HashEmbedder
from retrieval.search.calibration import default_weights
from retrieval.settings import Settings
from retrieval.types import Vectors
from tests.app.evaluation.folders import POSTS, write_folder


class CountingEmbedder(HashEmbedder):
    """Counts the passages that it embeds."""

    passages = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages += len(texts)
        return super().embed_passages(texts)


def test_the_figures_of_all_three_rankings_come_with_how_many_queries_they_are_of(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    settings = Settings(data_dir=tmp_path / "data")
    result = evaluate_retrieval(folder, HashEmbedder(), settings, default_weights())
    assert (result["dataset"], result["n_queries"], result["n_unjudged"]) == ("set", 6, 1)
    for side in ("dense", "lexical", "fused"):
        assert set(result[side]) == {"nDCG@10", "RR@10", "R@100"}
    assert result["lexical"]["nDCG@10"] > 0.9
    assert result["fused"]["R@100"] > 0.9
    assert 0 < result["p_value"] <= 1
    assert "6 judged queries, 6 posts (1 queries are not judged" in retrieval_table(result)


def test_a_rerankers_ranking_stands_beside_the_others(tmp_path: Path) -> None:
    class Contrary:
        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            return [float(place) for place in range(len(passages))]

    more = {f"more-{n}": f"A flat white with oat milk, and a loop around the moat, number {n}." for n in range(3)}
    folder = read_folder(write_folder(tmp_path / "set", posts=POSTS | more))
    settings = Settings(data_dir=tmp_path / "data")
    result = evaluate_retrieval(folder, HashEmbedder(), settings, default_weights(), Contrary())
    assert result["reranked"]["nDCG@10"] < result["fused"]["nDCG@10"]
    assert result["reranked"]["R@100"] == result["fused"]["R@100"]
    assert 0 < result["rerank_p_value"] <= 1
    assert "reranked against fused: -" in retrieval_table(result)


def test_passages_are_embedded_once_for_all_measurements(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    settings = Settings(data_dir=tmp_path / "data")
    first, second = CountingEmbedder(), CountingEmbedder()
    results = [evaluate_retrieval(folder, one, settings, default_weights()) for one in (first, second)]
    # What remains are queries, which HashEmbedder embeds by the same door.
    assert first.passages - second.passages == 6
    assert results[0] == results[1]


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    settings = Settings(data_dir=tmp_path / "data")
    before = evaluate_retrieval(folder, HashEmbedder(), settings, default_weights())
    for path in (tmp_path / "data" / "evaluation").iterdir():
        path.write_bytes(b"broken")
    assert evaluate_retrieval(folder, HashEmbedder(), settings, default_weights()) == before


def test_a_query_without_a_ranking_counts_nothing(tmp_path: Path) -> None:
    queries = read_folder(write_folder(tmp_path)).judged
    each = measured_each(queries, {"q2": {"oats": 1.0}})
    assert each["nDCG@10"] == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_posts_of_many_passages_bring_more_candidates_up_to_a_limit() -> None:
    assert candidates_for(100, 10, 10) == 100
    assert candidates_for(100, 10, 25) == 250
    assert candidates_for(100, 1, 500) == 1000
    assert candidates_for(300, 10, 25) == 300


def test_chance_is_told_from_a_difference() -> None:
    assert p_value([0.5] * 30, [0.5] * 30) == 1.0
    assert p_value([0.6] * 30, [0.5] * 30) < 0.001
    assert p_value([0.6, 0.4] * 15, [0.5] * 30) > 0.5
