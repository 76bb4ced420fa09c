"""How well the current index serves judged queries: dense, lexical and fused ranking, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import ir_measures
from ir_measures import RR, R, nDCG

from app.answering.answerer import Answerer
from app.answering.types import Answer, Citation, Done, Question
from retrieval.errors import FixableError
from retrieval.search.search import Searcher
from retrieval.text.folding import fold

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


async def evaluate(queries: Sequence[JudgedQuery], searcher: Searcher, answerer: Answerer) -> dict[str, Any]:
    """All figures of these queries by language: rankings, what was answered, and whether marks and quotes hold."""
    languages: dict[str, Any] = {}
    for language, own in by_language(queries):
        rankings = {query.id: searcher.rankings(query.text) for query in own}
        sides = {
            side: measured(own, {query: ranking[side] for query, ranking in rankings.items()})
            for side in ("dense", "lexical", "fused")
        }
        answers = [(query, await last_answer(answerer, Question(query.text))) for query in own]
        languages[language] = {"n_queries": len(own), **sides, "answers": judged_answers(answers)}
    return {"n_queries": len(queries), "languages": languages}


async def last_answer(answerer: Answerer, question: Question) -> Answer:
    """The answer that the events of a question end with."""
    async with aclosing(answerer.answer(question)) as events:
        async for event in events:
            if isinstance(event, Done):
                return event.answer
    raise AssertionError("the answer ended without Done")


def judged_answers(answers: Sequence[tuple[JudgedQuery, Answer]]) -> dict[str, Any]:
    """Shares of answers that were given, declined, right, and checkable; a share of nothing is None."""
    can = [(query, answer) for query, answer in answers if query.answerable]
    cannot = [answer for query, answer in answers if not query.answerable]
    golden = [(query, answer) for query, answer in can if query.gold]
    shown = [answer for _, answer in answers if answer.sentences]
    cited = [(citation, answer) for answer in shown for one in answer.sentences for citation in one.citations]
    return {
        "answered_when_answerable": share([answer.kind != "declined" for _, answer in can]),
        "declined_when_unanswerable": share([answer.kind == "declined" for answer in cannot]),
        "gold_in_answer": share([_holds_gold(query, answer) for query, answer in golden]),
        "written": share([answer.kind == "written" for answer in shown]),
        "sentences_shown_mean": round(mean(len(answer.sentences) for answer in shown), 2) if shown else None,
        "marks_resolved": share([resolves(citation, answer) for citation, answer in cited]),
        "quotes_verbatim": share([verbatim(citation, answer) for citation, answer in cited]),
        "seconds_p50": round(median(answer.timings_ms["total"] for _, answer in answers) / 1000, 3)
        if answers
        else None,
    }


def share(truths: Sequence[bool]) -> float | None:
    """How many of them are true, 0 to 1, rounded to four digits; None of none."""
    return round(sum(truths) / len(truths), 4) if truths else None


def _holds_gold(query: JudgedQuery, answer: Answer) -> bool:
    shown = fold(" ".join(sentence.text for sentence in answer.sentences))
    return meets(query.gold, shown)


def meets(gold: Sequence[Sequence[str]], folded: str) -> bool:
    """Whether a folded text holds one alternative of every group."""
    return all(any(fold(alternative) in folded for alternative in group) for group in gold)


def resolves(citation: Citation, answer: Answer) -> bool:
    """Whether a citation's mark is the number of the post that it cites."""
    return 1 <= citation.mark <= len(answer.hits) and answer.hits[citation.mark - 1].post.id == citation.post_id


def verbatim(citation: Citation, answer: Answer) -> bool:
    """Whether a citation's quote stands where it says, word for word."""
    post = answer.hits[citation.mark - 1].post
    if citation.part == "comment":
        assert citation.comment is not None, "a comment's citation says which comment"
        source = post.comments[citation.comment].text
    else:
        source = post.title if citation.part == "title" else post.text
    return source[citation.start : citation.end] == citation.quote


def table(result: dict[str, Any]) -> str:
    """The figures of `evaluate` for people to read."""
    lines = []
    for language, figures in result["languages"].items():
        lines.append(f"{language}: {figures['n_queries']} queries")
        lines.append(f"  {'':8} " + " ".join(f"{measure!s:>8}" for measure in MEASURES))
        lines += [
            f"  {side:8} " + " ".join(f"{figures[side][str(measure)]:8.4f}" for measure in MEASURES)
            for side in ("dense", "lexical", "fused")
        ]
        lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in figures["answers"].items()]
    return "\n".join(lines)
