"""How well dense, lexical and fused search rank a judged folder, and whether fusion helps significantly."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import mean
from typing import Any, Literal

import ir_measures
import numpy as np
from ir_measures import nDCG
from tqdm import tqdm

from app.evaluation.index_quality import MEASURES, JudgedQuery, Ranking
from app.evaluation.judged_folder import JudgedFolder
from app.evaluation.trial_index import trial_searcher
from retrieval.models.cross_encoder import Reranker
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights
from retrieval.settings import Settings

Side = Literal["dense", "lexical", "fused", "reranked"]
SIDES: tuple[Side, ...] = ("dense", "lexical", "fused", "reranked")
DECIDES = nDCG @ 10
_DRAWS = 10_000


def measured_each(queries: Sequence[JudgedQuery], rankings: dict[str, Ranking]) -> dict[str, list[float]]:
    """Each measure for each query, in the order of the queries; a query without a ranking counts 0.

    Args:
        queries: Each with qrels.
        rankings: Score by post id, by query id.
    """
    qrels = [ir_measures.Qrel(query.id, post, grade) for query in queries for post, grade in query.qrels.items()]
    run = [
        ir_measures.ScoredDoc(query, post, score)
        for query, ranking in rankings.items()
        for post, score in ranking.items()
    ]
    values: dict[str, dict[str, float]] = {str(measure): {} for measure in MEASURES}
    for one in ir_measures.iter_calc(MEASURES, qrels, run):
        values[str(one.measure)][one.query_id] = float(one.value)
    return {measure: [by_query.get(query.id, 0.0) for query in queries] for measure, by_query in values.items()}


def p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """How often chance alone would make two systems differ as much as they do on the same queries.

    A randomisation test: each query's two figures are swapped or not, 10,000 times, always with the same draws.

    Source: Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM 2007.

    >>> p_value([1.0] * 20, [0.0] * 20) < 0.001, p_value([1.0, 0.0], [1.0, 0.0])
    (True, 1.0)
    """
    differences = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    differences = differences[differences != 0]  # swapping a tie changes nothing
    if not len(differences):
        return 1.0
    random, extreme = np.random.default_rng(0), 1
    observed = abs(float(differences.sum())) - 1e-9
    for _ in range(_DRAWS):
        signs = random.integers(0, 2, len(differences)) * 2 - 1
        extreme += abs(float(signs @ differences)) >= observed
    return extreme / (_DRAWS + 1)


def evaluate_retrieval(
    folder: JudgedFolder,
    embedder: Embedder,
    settings: Settings,
    weights: DenseWeights,
    reranker: Reranker | None = None,
) -> dict[str, Any]:
    """The rankings of every judged query, measured; `p_value` is of fused against the better half in nDCG@10.

    With a reranker there is "reranked" beside them, and `rerank_p_value` of that against fused.
    """
    queries = folder.judged
    sides = SIDES if reranker is not None else SIDES[:-1]
    rankings: dict[Side, dict[str, Ranking]] = {side: {} for side in sides}
    with trial_searcher(folder.posts, embedder, settings, weights, reranker) as searcher:
        for query in tqdm(queries, desc="searching", unit="query", file=sys.stderr, leave=False, mininterval=1):
            found = searcher.rankings(query.text)
            for side in sides:
                rankings[side][query.id] = found[side]
    each = {side: measured_each(queries, rankings[side]) for side in sides}
    halves: tuple[Side, Side] = ("dense", "lexical")
    better = max(halves, key=lambda side: mean(each[side][str(DECIDES)]))
    fused = each["fused"][str(DECIDES)]
    reranked = each["reranked"][str(DECIDES)] if reranker is not None else None
    return {
        "dataset": folder.name,
        "n_queries": len(queries),
        **{side: {measure: round(mean(values), 4) for measure, values in each[side].items()} for side in sides},
        "better_half": better,
        "p_value": round(p_value(fused, each[better][str(DECIDES)]), 4),
        **({"rerank_p_value": round(p_value(reranked, fused), 4)} if reranked is not None else {}),
        "n_posts": len(folder.posts),
        "n_unjudged": len(folder.queries) - len(queries),
        "model": embedder.identity.model,
        "dense_weights": {"known": weights.known, "unknown": weights.unknown, "from": weights.source},
    }


def retrieval_table(result: dict[str, Any]) -> str:
    """The figures of `evaluate_retrieval` for people to read."""
    decisive = str(DECIDES)
    gain = result["fused"][decisive] - result[result["better_half"]][decisive]
    weights = result["dense_weights"]
    lines = [
        f"{result['dataset']}: {result['n_queries']:,} judged queries, {result['n_posts']:,} posts"
        f" ({result['n_unjudged']:,} queries are not judged, and not counted)",
        f"{result['model']}, dense weights {weights['known']:.2f} / {weights['unknown']:.2f} ({weights['from']})",
        f"{'':8} " + " ".join(f"{measure!s:>8}" for measure in MEASURES),
        *(
            f"{side:8} " + " ".join(f"{result[side][str(one)]:8.4f}" for one in MEASURES)
            for side in SIDES
            if side in result
        ),
        f"fused against {result['better_half']}: {gain:+.4f} {DECIDES}, p = {result['p_value']:.4f}",
    ]
    if "reranked" in result:
        moved = result["reranked"][decisive] - result["fused"][decisive]
        lines.append(f"reranked against fused: {moved:+.4f} {DECIDES}, p = {result['rerank_p_value']:.4f}")
    return "\n".join(lines)
