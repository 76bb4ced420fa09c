"""What the index holds for a question: search, evidence and the gate, without a word being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.evidence.answerability import decide
from app.answering.evidence.selector import EvidenceSelector
from app.answering.types import Evidence, Question
from retrieval.search.search import Searcher
from retrieval.text.language import knows
from retrieval.types import SearchQuery


@dataclass(frozen=True, slots=True)
class Trying:
    """Asks as an answer would. Safe to call from several threads.

    Attributes:
        gate: How sure it must be that the posts answer; the answers' own.
        hits: Posts that an answer may draw on.
    """

    searcher: Searcher
    selector: EvidenceSelector
    gate: float
    hits: int

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """The evidence, best first, where it is enough to answer; none where it is not.

        Raises:
            FixableError: The index cannot be read.
        """
        query = SearchQuery(question.text, question.filters, limit=self.hits, per_author=0, boosts=False)
        page = self.searcher.search(query)
        evidence = self.selector.select(question.text, page.hits)
        known = knows(self.selector.embedder.languages, page.language)
        decision = decide(question.text, evidence, page.hits, self.gate, known)
        return evidence if decision.outcome == "answer" else ()
