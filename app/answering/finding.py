"""What the index holds for a question: one search, its evidence, and whether that is enough to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.answering.evidence.absent_names import absent_name
from app.answering.evidence.agreement import agreement, without_future_dates
from app.answering.evidence.answerability import Answerability, assess
from app.answering.evidence.missing_information import missing_name
from app.answering.evidence.selector import EvidenceSelector
from app.answering.evidence.whereabouts import whereabouts, whole_text
from app.answering.types import Evidence, Question
from retrieval.search.search import Searcher
from retrieval.text.language import knows
from retrieval.types import SearchPage, SearchQuery


@dataclass(frozen=True, slots=True)
class FoundEvidence:
    """What was found for a question.

    Attributes:
        page: Its hits are those an answer may draw on; mark 1 is hits[0].
        evidence: Best first.
        answerability: Whether the evidence is enough.
        differing: One sentence in the question's language on the values in which the posts differ; "" where none do.
    """

    question: Question
    page: SearchPage
    evidence: Sequence[Evidence]
    answerability: Answerability
    differing: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceFinder:
    """Finds what answers, follow-up questions and evaluation are based on. Safe to call from several threads.

    Attributes:
        hits: Posts that an answer may draw on.
        threshold: Least confidence with which a question is answered.
        clock: Says what is now: dates after it are not believed.
    """

    searcher: Searcher
    selector: EvidenceSelector
    hits: int
    threshold: float
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def query(self, question: Question) -> SearchQuery:
        """The search of an answer: the posts that match best, whoever wrote them and whatever their age.

        Near copies are left out, and the page that shows the answer has its posts in this order
        (docs/decisions/0006-near-copies.md).
        """
        return SearchQuery(question.text, question.filters, limit=self.hits, per_author=0, boosts=False)

    def find(self, question: Question, page: SearchPage | None = None) -> FoundEvidence:
        """Search, select evidence, and decide whether it is enough.

        Args:
            page: What was found already, to be used instead of searching: by `query`, by one that differs from it only
                in its limit, or by one with at least as many `answer_hits`. Only its first `hits` hits are used.

        Raises:
            FixableError: The index cannot be read.
        """
        page = self.searcher.search(self.query(question)) if page is None else page
        if len(page.hits) > self.hits:
            page = replace(page, hits=page.hits[: self.hits])
        page, undated = without_future_dates(page, self.clock())
        # Filters without a word ask nothing that a sentence could answer.
        evidence = self.selector.select(question.text, page.hits) if question.text.strip() else []
        where = whereabouts(question.text, page.hits)
        if where.marks is not None:
            evidence = [one for one in evidence if one.mark in where.marks]
        known = knows(self.selector.embedder.languages, page.language)
        judged = assess(question.text, evidence, page.hits, self.threshold, known)
        name = absent_name(question.text, [whole_text(hit.post) for hit in page.hits])
        if name and not where.missing:
            judged = Answerability("declined", 0.0, missing_name(question.text, name))
        weighed = agreement(question.text, page.language, evidence, page.hits, undated)
        missing = where.missing or judged.missing
        return FoundEvidence(question, page, weighed.evidence, replace(judged, missing=missing), weighed.differing)

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """The evidence, best first, where it is enough to answer all that is asked; empty where it is not.

        Raises:
            FixableError: The index cannot be read.
        """
        found = self.find(question)
        return found.evidence if found.answerability.outcome == "answer" else ()
