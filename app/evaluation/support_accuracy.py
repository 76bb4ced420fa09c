"""How well the support checker tells supported claims from unsupported ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from app.answering.checking.citations import SupportChecker
from app.answering.evidence.sentence_units import sentences_of
from app.answering.marks import split_marks
from app.evaluation.judged_folder import numbered_lines
from retrieval.errors import FixableError
from retrieval.text.language import detect_language
from retrieval.types import Post

_SHAPE = 'write each line of claims.jsonl as {"claim": "…", "posts": ["…"], "supported": true or false}'


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A sentence somebody wrote from posts, and whether people found that the posts support it.

    Attributes:
        question: What the sentence answers; "" where the set does not say.
        source: Which collection it comes from; "" where the set does not say.
    """

    claim: str
    posts: tuple[str, ...]
    supported: bool
    question: str = ""
    source: str = ""


def read_claims(folder: Path) -> list[JudgedClaim]:
    """The claims of folder/claims.jsonl, in its order.

    Raises:
        FixableError: It cannot be read, a line is broken (file:line), or all claims have the same verdict.
    """
    path = folder / "claims.jsonl"
    if not folder.is_dir():
        raise FixableError(f"{folder} is not a folder", "name a folder with claims.jsonl")
    claims = [_claim(line, where) for where, line in numbered_lines(path, _SHAPE)]
    if not claims:
        raise FixableError(f"{path} holds no claim", _SHAPE)
    if len({claim.supported for claim in claims}) == 1:
        raise FixableError(
            f"every claim of {path} is judged {'supported' if claims[0].supported else 'not supported'}",
            "give claims of both kinds: telling them apart cannot be measured on one kind",
        )
    return claims


def _claim(line: str, where: str) -> JudgedClaim:
    def wrong(says: str) -> FixableError:
        return FixableError(f"{where}: not a judged claim: {says}", _SHAPE)

    try:
        raw = json.loads(line)
    except ValueError as error:
        raise wrong(str(error)) from None
    if not isinstance(raw, dict):
        raise wrong("not a JSON object")
    for name in ("claim", "posts", "supported"):
        if name not in raw:
            raise wrong(f"field {name!r} is missing")
    claim, posts, supported = raw["claim"], raw["posts"], raw["supported"]
    question, source = raw.get("question") or "", raw.get("source") or ""
    if not isinstance(claim, str) or not claim.strip():
        raise wrong("'claim' must be a string that is not blank")
    if not isinstance(posts, list) or not posts or not all(isinstance(post, str) for post in posts):
        raise wrong("'posts' must be a list of at least one text")
    if not isinstance(supported, bool):
        raise wrong(f"'supported' is {supported!r}, which is neither true nor false")
    if not isinstance(question, str) or not isinstance(source, str):
        raise wrong("'question' and 'source' must be strings")
    return JudgedClaim(claim, tuple(posts), supported, question, source)


def support_of(claim: JudgedClaim, checker: SupportChecker) -> float:
    """How far the claim's posts support it, 0 to 1, by the checker that answers go through."""
    evidence = [
        one
        for mark, text in enumerate(claim.posts, start=1)
        for one in sentences_of(Post(f"post {mark}", "", text, language=detect_language(text)), mark)
    ]
    sentence, _ = split_marks(claim.claim)
    return checker.support(sentence, evidence)


def evaluate_support(claims: Sequence[JudgedClaim], checker: SupportChecker, threshold: float) -> dict[str, Any]:
    """The figures of all claims, and by `source` where the claims have one."""
    bar = tqdm(claims, desc="checking", unit="claim", file=sys.stderr, leave=False, mininterval=1)
    supports = np.array([support_of(claim, checker) for claim in bar])
    truths = np.array([claim.supported for claim in claims])
    sources = np.array([claim.source for claim in claims])
    return {
        **told_apart(supports, truths, threshold),
        "threshold": threshold,
        "sources": {
            source: told_apart(supports[sources == source], truths[sources == source], threshold)
            for source in sorted(set(sources.tolist()) - {""})
        },
    }


def told_apart(supports: np.ndarray[Any, Any], truths: np.ndarray[Any, Any], threshold: float) -> dict[str, Any]:
    """How well scores separate true claims from untrue ones: at a threshold, and over all thresholds.

    Args:
        supports: (n,) float.
        truths: (n,) bool.
        threshold: Least support that counts as true.

    Returns:
        "n"; "balanced_accuracy": mean of the shares of true and untrue ones recognised; "auc": how often a true one
        scores above an untrue one, ties counting half. The last two are None if there is only one kind.

    >>> told_apart(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]), 0.5)
    {'n': 4, 'balanced_accuracy': 0.75, 'auc': 0.875}
    """
    true, untrue = supports[truths], supports[~truths]
    if not len(true) or not len(untrue):
        return {"n": len(supports), "balanced_accuracy": None, "auc": None}
    balanced = (np.mean(true >= threshold) + np.mean(untrue < threshold)) / 2
    above = (true[:, None] > untrue).mean() + (true[:, None] == untrue).mean() / 2
    return {"n": len(supports), "balanced_accuracy": round(float(balanced), 4), "auc": round(float(above), 4)}


def support_table(result: dict[str, Any]) -> str:
    """The figures of `evaluate_support` for people to read."""
    rows = {**result["sources"], "all": result}
    width = max(len(name) for name in rows)
    return "\n".join(
        [
            f"supported from {result['threshold']} on (STIPPLE_ANSWER_SUPPORT)",
            f"{'':{width}} {'claims':>7} {'balanced accuracy':>18} {'auc':>7}",
            *(
                f"{name:{width}} {row['n']:7,} {_figure(row['balanced_accuracy']):>18} {_figure(row['auc']):>7}"
                for name, row in rows.items()
            ),
        ]
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
