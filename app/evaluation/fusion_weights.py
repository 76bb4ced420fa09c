"""Learns from judged folders how much the cosine should count with the configured embedder.

There is one weight for queries in a language that the embedder knows, and one for all others. A weight is used only if
it would have helped on queries that it was not chosen on.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import ir_measures
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.evaluation.index_quality import JudgedQuery
from app.evaluation.judged_folder import JudgedFolder
from app.evaluation.ranking_quality import DECIDES
from app.evaluation.trial_index import trial_searcher
from retrieval.disk import naming_folder_trouble, write_durably
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights, read_calibrations
from retrieval.search.fusion import Scale, dense_weight_known, dense_weight_unknown, fuse
from retrieval.search.search import Searcher
from retrieval.settings import Settings
from retrieval.text.language import detect_language, knows

LanguageClass = Literal["known", "unknown"]
GRID = tuple(round(step * 0.05, 2) for step in range(21))
FOLDS = 5
_RANKED = 10  # DECIDES considers no more
FEWEST_QUERIES = 50  # with fewer, chance decides


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned for one class of languages.

    Attributes:
        weight: The one to use from now on; `default` where no other helped.
        curve: Mean nDCG@10 by weight; each folder counts the same, however many queries it has.
        held_out: nDCG@10 of queries whose weight was chosen without them.
        with_default: nDCG@10 of the same queries with the default.
    """

    weight: float
    default: float
    curve: dict[float, float]
    held_out: float
    with_default: float
    n_queries: int


def calibrate(
    folders: Sequence[JudgedFolder], embedder: Embedder, settings: Settings, defaults: DenseWeights
) -> dict[LanguageClass, Learned]:
    """What the judged queries taught, by class of languages; a class with too few queries is left out."""
    gained: dict[LanguageClass, list[tuple[NDArray[np.float64], list[str]]]] = {"known": [], "unknown": []}
    for folder in folders:
        with trial_searcher(folder.posts, embedder, settings, defaults) as searcher:
            by_class: dict[LanguageClass, list[JudgedQuery]] = {"known": [], "unknown": []}
            for query in folder.judged:
                known = knows(embedder.languages, detect_language(query.text))
                by_class["known" if known else "unknown"].append(query)
            for kind, queries in by_class.items():
                if queries:
                    values = _by_weight(queries, searcher, kind, folder.name)
                    gained[kind].append((values, [f"{folder.name}/{query.id}" for query in queries]))
    defaulted: dict[LanguageClass, float] = {"known": defaults.known, "unknown": defaults.unknown}
    return {
        kind: choose([values for values, _ in sets], [ids for _, ids in sets], defaulted[kind])
        for kind, sets in gained.items()
        if sum(len(ids) for _, ids in sets) >= FEWEST_QUERIES
    }


def choose(values: Sequence[NDArray[np.float64]], ids: Sequence[Sequence[str]], default: float) -> Learned:
    """The weight that serves best, as far as the queries can tell.

    Of all weights within one standard error of the best, the nearest to the default is taken. It replaces the default
    only if weights chosen like this on four fifths of the queries did better on the last fifth, on average.

    Args:
        values: One array per folder, (queries, len(GRID)) nDCG@10.
        ids: The id of each row; it alone decides which fifth a query is in.

    Source: the one-standard-error rule, Breiman et al., "Classification and Regression Trees", 1984.
    """
    folds = [np.array([_fold(name) for name in names]) for names in ids]
    at_default = min(range(len(GRID)), key=lambda place: abs(GRID[place] - default))
    held_out, with_default = [], []
    for fold in range(FOLDS):
        place = _choice([own[fold_of != fold] for own, fold_of in zip(values, folds, strict=True)], at_default)
        for own, fold_of in zip(values, folds, strict=True):
            if (fold_of == fold).any():
                held_out.append(float(own[fold_of == fold, place].mean()))
                with_default.append(float(own[fold_of == fold, at_default].mean()))
    curve = np.mean([own.mean(axis=0) for own in values], axis=0)
    helps = fmean(held_out) > fmean(with_default)
    return Learned(
        GRID[_choice(values, at_default)] if helps else default,
        default,
        {weight: round(float(value), 4) for weight, value in zip(GRID, curve, strict=True)},
        round(fmean(held_out), 4),
        round(fmean(with_default), 4),
        sum(map(len, ids)),
    )


def _choice(values: Sequence[NDArray[np.float64]], at_default: int) -> int:
    sets = [own for own in values if len(own)]
    curve = np.mean([own.mean(axis=0) for own in sets], axis=0)
    best = int(curve.argmax())
    # Variance of the difference from the best, query by query: what queries have in common says nothing about weights.
    variances = [(own[:, [best]] - own).var(axis=0) / len(own) for own in sets]
    errors = np.sqrt(np.sum(variances, axis=0)) / len(sets)
    near = [place for place in range(len(GRID)) if curve[place] >= curve[best] - errors[place]]
    return min(near, key=lambda place: (abs(place - at_default), -curve[place]))


def _fold(name: str) -> int:
    return hashlib.blake2b(name.encode(), digest_size=4).digest()[0] % FOLDS


def _by_weight(
    queries: Sequence[JudgedQuery], searcher: Searcher, kind: LanguageClass, name: str
) -> NDArray[np.float64]:
    """(queries, len(GRID)) nDCG@10 with each weight."""
    runs: list[list[ir_measures.ScoredDoc]] = [[] for _ in GRID]
    desc = f"{name}, {kind} language"
    for query in tqdm(queries, desc=desc, unit="query", file=sys.stderr, leave=False, mininterval=1):
        candidates, elsewhere = searcher.candidates(query.text)
        language = detect_language(query.text)
        for run, weight in zip(runs, GRID, strict=True):
            known = kind == "known"
            share = dense_weight_known(weight, language) if known else dense_weight_unknown(weight, candidates)
            fused = fuse(candidates, Scale.of(candidates, share, elsewhere))
            run += [ir_measures.ScoredDoc(query.id, one.post_id, score) for score, one in fused[:_RANKED]]
    qrels = [ir_measures.Qrel(query.id, post, grade) for query in queries for post, grade in query.qrels.items()]
    columns = []
    for run in runs:
        found = {one.query_id: float(one.value) for one in ir_measures.iter_calc([DECIDES], qrels, run)}
        columns.append([found.get(query.id, 0.0) for query in queries])
    return np.array(columns, np.float64).T


def keep(path: Path, model: str, learned: Mapping[LanguageClass, Learned], folders: Sequence[JudgedFolder]) -> None:
    """Write what was learned for a model; what the file holds for other models, or for its other class, stays.

    Raises:
        FixableError: The file is damaged, or cannot be written.
    """
    models = read_calibrations(path)
    for kind, one in learned.items():
        models.setdefault(model, {})[kind] = {
            "weight": one.weight,
            "learned_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "from": [folder.name for folder in folders],
            "n_queries": one.n_queries,
            "held_out": one.held_out,
            "with_default": one.with_default,
        }
    with naming_folder_trouble(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, json.dumps({"models": models}, indent=2, ensure_ascii=False) + "\n")


def calibration_table(model: str, learned: Mapping[LanguageClass, Learned]) -> str:
    """The curves for people to read."""
    lines = [f"{model}: {DECIDES} by weight of the cosine"]
    for kind, one in learned.items():
        lines.append(
            f"languages that the embedder {'knows' if kind == 'known' else 'does not know'}: {one.n_queries:,} queries"
        )
        for weight, value in one.curve.items():
            notes = [
                word for word, own in (("default", one.default), ("chosen", one.weight)) if abs(own - weight) < 1e-9
            ]
            lines.append(f"  {weight:4.2f}  {value:.4f}  {', '.join(notes)}".rstrip())
        lines.append(f"  on queries it was not chosen on {one.held_out:.4f}; the default {one.with_default:.4f}")
    return "\n".join(lines)


def as_json(model: str, folders: Sequence[JudgedFolder], learned: Mapping[LanguageClass, Learned]) -> dict[str, Any]:
    return {
        "model": model,
        "datasets": [folder.name for folder in folders],
        **{
            kind: {
                "weight": one.weight,
                "default": one.default,
                "held_out": one.held_out,
                "with_default": one.with_default,
                "n_queries": one.n_queries,
                "curve": one.curve,
            }
            for kind, one in learned.items()
        },
    }
