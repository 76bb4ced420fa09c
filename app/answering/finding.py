"""What the index holds for a question: one search, its evidence, and whether that is enough to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.answering.evidence.absent_names import absent_name
from app.answering.evidence.agreement import agreement, without_future_dates
from app.answering.evidence.answerability import Answerability, assess
from app.answering.evidence.missing_information import missing_name, missing_time
from app.answering.evidence.selector import EvidenceSelector
from app.answering.evidence.subjects import NONE, Subjects, subjects
from app.answering.evidence.whereabouts import whereabouts, whole_text
from app.answering.question.spelling import corrected
from app.answering.types import Evidence, Question
from retrieval.search.ranking import ELSEWHERE
from retrieval.search.search import Searcher
from retrieval.text.language import detect_language, knows
from retrieval.types import SearchPage, SearchQuery

# Of the threshold, where only posts in the other language are about the place: their likenesses are lower by about
# .08, which is as much confidence at the threshold.
_ALLOWANCE = 0.15


@dataclass(frozen=True, slots=True)
class FoundEvidence:
    """What was found for a question.

    Attributes:
        page: Its hits are those an answer may draw on; mark 1 is hits[0].
        evidence: Best first.
        answerability: Whether the evidence is enough.
        subjects: Which of the posts are about one subject.
        differing: One sentence in the question's language on the values in which the posts differ; "" where none do.
    """

    question: Question
    page: SearchPage
    evidence: Sequence[Evidence]
    answerability: Answerability
    subjects: Subjects = NONE
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
        return SearchQuery(
            question.text,
            question.filters,
            limit=self.hits + ELSEWHERE,
            per_author=0,
            boosts=False,
            answer_hits=self.hits + ELSEWHERE,
        )

    def find(self, question: Question, page: SearchPage | None = None) -> FoundEvidence:
        """Search, select evidence, and decide whether it is enough; where posts of the time that a question names in
        words do not answer, also among those of other times.

        Args:
            page: What was found already, to be used instead of searching: by `query`, by one that differs from it only
                in its limit, or by one with at least as many `answer_hits`. Only its first `hits` hits are used, and
                other ones where only posts of another time answer.

        Raises:
            FixableError: The index cannot be read.
        """
        found = self._find(question, self.searcher.search(self.query(question)) if page is None else page)
        if found.answerability.outcome != "declined" or not question.filters.in_words:
            return found
        whenever = replace(question, filters=question.filters.at_any_time())
        found = self._find(whenever, self.searcher.search(self.query(whenever)))
        missing = found.answerability.missing
        if found.answerability.outcome != "declined":
            missing = missing_time(question.text, question.filters, missing)
        return replace(found, question=question, answerability=replace(found.answerability, missing=missing))

    def _find(self, question: Question, page: SearchPage) -> FoundEvidence:
        if len(page.hits) > self.hits + ELSEWHERE:
            page = replace(page, hits=page.hits[: self.hits + ELSEWHERE])
        found = self._judged(question, replace(page, hits=page.hits[: self.hits]), self.threshold)
        if found.answerability.outcome == "declined" and self._only_elsewhere(question, page):
            across = self._judged(question, page, self.threshold - _ALLOWANCE)
            if across.answerability.outcome != "declined":
                return across
        return found

    def _only_elsewhere(self, question: Question, page: SearchPage) -> bool:
        """Whether only posts in another language are about the place that is asked for, some of them further down."""
        about = whereabouts(question.text, page.hits).marks or frozenset()
        languages = {detect_language(whole_text(page.hits[mark - 1].post)) for mark in about}
        return max(about, default=0) > self.hits and page.language not in languages

    def _judged(self, question: Question, page: SearchPage, threshold: float) -> FoundEvidence:
        page, undated = without_future_dates(page, self.clock())
        texts = [whole_text(hit.post) for hit in page.hits]
        asked = corrected(question.text, texts)
        # Filters without a word ask nothing that a sentence could answer.
        evidence = self.selector.select(asked, page.hits) if asked.strip() else []
        where = whereabouts(asked, page.hits)
        if where.marks is not None:
            evidence = [one for one in evidence if one.mark in where.marks]
        known = knows(self.selector.embedder.languages, page.language)
        judged = assess(asked, evidence, page.hits, threshold, known)
        name = absent_name(question.text, texts)
        if name and not where.missing:
            judged = Answerability("declined", 0.0, missing_name(question.text, name))
        judged = replace(judged, missing=where.missing or judged.missing)
        if judged.outcome == "declined":
            return FoundEvidence(question, page, evidence, judged)
        weighed = agreement(question.text, page.language, evidence, page.hits, undated)
        same = subjects(page.hits, self.selector.embedder)
        return FoundEvidence(question, page, weighed.evidence, judged, same, weighed.differing)

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """The evidence, best first, where it is enough to answer all that is asked; empty where it is not.

        Raises:
            FixableError: The index cannot be read.
        """
        found = self.find(question)
        return found.evidence if found.answerability.outcome == "answer" else ()
