"""How good answers are when each question is answered from a few posts of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from tqdm import tqdm

from app.answering.finding import EvidenceFinder
from app.answering.generation import Generator
from app.answering.types import Answer, Citation, Question
from app.answering.writing.model_queue import ModelQueue
from app.evaluation.index_quality import last_answer, meets, resolves, share, verbatim
from app.evaluation.judged_questions import GoldEvidence, JudgedQuestion
from app.evaluation.operating_curve import auc, declined_at
from app.evaluation.question_index import OwnPosts
from app.evaluation.trial_index import prepared
from app.model_bundle import make_answerer, make_finder
from retrieval.models.cross_encoder import RerankPool
from retrieval.models.embedding import Embedder
from retrieval.search.calibration import DenseWeights
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.search import Searcher
from retrieval.settings import Settings
from retrieval.stores.contract import IndexedPost
from retrieval.text.folding import fold
from retrieval.text.terms import TermWeigher

# A gold quote counts as shown if at least this share of it is: it may be cut elsewhere than our sentences are.
MOST_OF_A_QUOTE = 0.5
_ANSWERED = 0.9


@dataclass(frozen=True, slots=True)
class Judged:
    """A question and its answer."""

    question: JudgedQuestion
    answer: Answer


async def answer_questions(
    questions: Sequence[JudgedQuestion],
    embedder: Embedder,
    generator: Generator | None,
    settings: Settings,
    weights: DenseWeights,
    nli: RerankPool | None = None,
) -> list[Judged]:
    """Every question answered from its own posts, by the search and the Answerer that serve people.

    Args:
        generator: None makes every answer one of quotes.
    """
    weigher = TermWeigher()
    offered = {(post.id, post.title, post.text): post for question in questions for post in question.posts}
    indexed = dict(
        zip(offered, prepared(list(offered.values()), embedder, weigher, settings.data_dir / "evaluation"), strict=True)
    )
    model_queue = ModelQueue(generator, settings.llm_queue) if generator is not None else None
    found: list[Judged] = []
    with ThreadPoolExecutor(1, thread_name_prefix="search") as executor:
        try:
            for question in tqdm(questions, "answering", unit="question", file=sys.stderr, leave=False, mininterval=1):
                own = [indexed[post.id, post.title, post.text] for post in question.posts]
                finder = own_finder(own, embedder, weigher, settings, weights)
                answerer = make_answerer(settings, finder, embedder, model_queue, executor, nli)
                found.append(Judged(question, await last_answer(answerer, Question(question.text))))
        finally:
            if model_queue is not None:
                model_queue.close()
    return found


def own_finder(
    posts: Sequence[IndexedPost], embedder: Embedder, weigher: TermWeigher, settings: Settings, weights: DenseWeights
) -> EvidenceFinder:
    """Finds among a question's own posts as among those of the index."""
    live = LiveGeneration(OwnPosts(posts, embedder.identity), embedder.identity)
    searcher = Searcher(
        live,
        embedder,
        weigher,
        dense_weight_known=weights.known,
        dense_weight_unknown=weights.unknown,
        candidates=settings.candidates,
        given=True,
    )
    return make_finder(settings, searcher, embedder, weigher)


def measured_answers(dataset: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures of judged answers; a share of nothing is None.

    `gold_in_answer` counts the answerable questions that have gold, answered or not; `citation_precision` the citations
    in answers to answerable questions; `evidence_recall` is the mean over questions of the share of their gold quotes
    that are shown, so that one with twenty counts no more than one with one. `auc` is how often an answerable question
    has a higher confidence than an unanswerable one, and `declined_at_90_answered` the share of unanswerable ones
    declined at the threshold that answers 90% of the answerable ones: neither depends on the threshold that is set.
    """
    can = [one for one in judged if one.question.answerable]
    cannot = [one for one in judged if not one.question.answerable]
    shown = [one for one in judged if one.answer.sentences]
    cited = [(citation, one) for one in shown for sentence in one.answer.sentences for citation in sentence.citations]
    precise = [_cites_gold(citation, one.question) for citation, one in cited if one.question.answerable]
    recalled = [[shows(gold, one) for gold in one.question.evidence] for one in can if one.question.evidence]
    sure, unsure = ([one.answer.confidence for one in some] for some in (can, cannot))
    seconds = [one.answer.timings_ms["total"] / 1000 for one in judged]
    return {
        "dataset": dataset,
        "n": len(judged),
        "answered_when_answerable": share([bool(one.answer.sentences) for one in can]),
        "declined_when_unanswerable": share([not one.answer.sentences for one in cannot]),
        "gold_in_answer": share([says_gold(one) for one in can if one.question.gold]),
        "sentences_shown_mean": round(fmean(len(one.answer.sentences) for one in shown), 2) if shown else None,
        "citation_precision": share([holds for holds in precise if holds is not None]),
        "evidence_recall": _mean([fmean(found) for found in recalled]),
        "quotes_verbatim": share([verbatim(citation, one.answer) for citation, one in cited]),
        "marks_resolved": share([resolves(citation, one.answer) for citation, one in cited]),
        "seconds_p50": round(median(seconds), 3) if seconds else None,
        "evidence_recall_of_all": share([held for found in recalled for held in found]),
        "auc": auc(sure, unsure),
        "declined_at_90_answered": declined_at(_ANSWERED, sure, unsure),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 4) if values else None


def says_gold(judged: Judged) -> bool:
    """Whether the answer holds one alternative of every gold group, ignoring case, width and script form."""
    return meets(judged.question.gold, fold(" ".join(sentence.text for sentence in judged.answer.sentences)))


def _cites_gold(citation: Citation, question: JudgedQuestion) -> bool | None:
    """Whether the cited post holds gold; None if nothing was judged."""
    if not question.gold and not question.evidence:
        return None
    if any(gold.post_id == citation.post_id for gold in question.evidence):
        return True
    text = next(fold(f"{post.title}\n{post.text}") for post in question.posts if post.id == citation.post_id)
    return any(fold(alternative) in text for group in question.gold for alternative in group)


def shows(gold: GoldEvidence, judged: Judged) -> bool:
    """Whether a gold quote is shown: a sentence or a cited quote holds it (white space, case, width and script form
    aside), or the quotes cited from its post cover at least MOST_OF_A_QUOTE of its code points that are not white
    space.
    """
    sentences = judged.answer.sentences
    citations = [citation for sentence in sentences for citation in sentence.citations]
    wanted = _bare(gold.quote)
    if any(wanted in _bare(text) for text in [*(one.text for one in sentences), *(one.quote for one in citations)]):
        return True
    text = next(post.text for post in judged.question.posts if post.id == gold.post_id)
    places = [(one.start, one.end) for one in citations if one.post_id == gold.post_id and one.part == "text"]
    covered = {at for start, end in places for at in range(start, end)}
    at = text.find(gold.quote)
    while at >= 0:
        inside = [place for place in range(at, at + len(gold.quote)) if not text[place].isspace()]
        if sum(place in covered for place in inside) >= MOST_OF_A_QUOTE * len(inside):
            return True
        at = text.find(gold.quote, at + 1)
    return False


def _bare(text: str) -> str:
    return "".join(fold(text).split())


def answers_table(result: dict[str, Any], gate: float, model: str, embedder: str) -> str:
    """The figures of `measured_answers` for people to read."""
    figures = {name: value for name, value in result.items() if name not in ("dataset", "n")}
    width = max(map(len, figures))
    lines = [f"{result['dataset']}: {result['n']:,} questions; written by {model}; {embedder}; gate {gate:g}"]
    lines += [
        f"  {name.replace('_', ' '):{width}}  {'-' if value is None else value}" for name, value in figures.items()
    ]
    return "\n".join(lines)
