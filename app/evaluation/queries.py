"""How well the current index serves judged queries: dense, lexical and fused ranking, and the gate's decisions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ir_measures
from ir_measures import RR, R, nDCG

from retrieval.errors import FixableError

MEASURES = (nDCG @ 10, RR @ 10, R @ 100)
Ranking = dict[str, float]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query, the grades of posts for it, and what a good answer says.

    Attributes:
        qrels: Grade by post id, 1 (on the topic) to 3 (answers it).
        answerable: Whether the posts say it.
        gold: Groups of alternatives; a good answer holds one of each group.
    """

    id: str
    text: str
    language: str
    qrels: dict[str, int] = field(default_factory=dict)
    answerable: bool = True
    gold: tuple[tuple[str, ...], ...] = ()


def read_judged(path: Path) -> list[JudgedQuery]:
    """The queries of a JSONL file as sample_posts/README.md describes it.

    Raises:
        FixableError: The file cannot be read, or a line is not such a query.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise FixableError(f"{path} cannot be read: {error.strerror}", "name a file of judged queries") from error
    return [_judged(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def _judged(line: str, where: str) -> JudgedQuery:
    try:
        raw = json.loads(line)
        return JudgedQuery(
            id=str(raw["id"]),
            text=str(raw["text"]),
            language=str(raw["language"]),
            qrels={str(post): int(grade) for post, grade in raw.get("qrels", {}).items()},
            answerable=bool(raw.get("answerable", True)),
            gold=tuple(tuple(map(str, group)) for group in raw.get("gold", [])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FixableError(
            f"{where}: not a judged query: {error!r}", "see sample_posts/README.md for the fields"
        ) from None


def measured(queries: Sequence[JudgedQuery], rankings: dict[str, Ranking]) -> dict[str, float]:
    """Mean of each measure over the queries that have qrels; a query without a ranking counts 0.

    Args:
        rankings: Score by post id, by query id.
    """
    qrels = [
        ir_measures.Qrel(query.id, post, grade)
        for query in queries
        for post, grade in (query.qrels if query.answerable else {}).items()
    ]
    run = [
        ir_measures.ScoredDoc(query, post, score)
        for query, ranking in rankings.items()
        for post, score in ranking.items()
    ]
    values = ir_measures.calc_aggregate(MEASURES, qrels, run)
    return {str(measure): round(float(values[measure]), 4) for measure in MEASURES}


def by_language(queries: Sequence[JudgedQuery]) -> Iterator[tuple[str, list[JudgedQuery]]]:
    """The queries of each language, languages in alphabetical order."""
    for language in sorted({query.language for query in queries}):
        yield language, [query for query in queries if query.language == language]
