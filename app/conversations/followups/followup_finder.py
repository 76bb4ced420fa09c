"""Follow-up questions, each tried on the index before it is suggested."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.answering.types import Answer, Evidence, Question
from app.conversations.followups.next_questions import Candidate, candidates
from app.conversations.turns import FollowUp
from retrieval.text.folding import fold
from retrieval.types import Filters

# Most candidates pass.
_TRIED_PER_WANTED = 3


class Evidencing(Protocol):
    """Finds what the index has on a question."""

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """The evidence, best first; none if it is not enough to answer.

        Raises:
            FixableError: The index cannot be read.
        """
        ...


class FollowUps:
    """Finds questions to ask next. Searches, and so must be called from a thread.

    Args:
        wanted: Questions to find; 0 finds none.
        budget_s: After this time it returns what it has.
        past: (query, id of its best hit) of queries by others whose best hit is one of these posts.
    """

    def __init__(
        self,
        evidencing: Evidencing,
        wanted: int,
        budget_s: float = 1.5,
        past: Callable[[Sequence[str]], Iterable[tuple[str, str]]] = lambda _: (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._evidencing, self._wanted, self._budget_s = evidencing, wanted, budget_s
        self._past, self._clock = past, clock

    def find(self, asked: str, answer: Answer, earlier: Sequence[str] = ()) -> list[FollowUp]:
        """At most `wanted` standalone questions that posts answer with something new.

        Args:
            asked: The question as it was completed.
            earlier: Questions asked before it.

        Raises:
            FixableError: The index cannot be read.
        """
        found: list[FollowUp] = []
        if self._wanted == 0 or not answer.hits:
            return found
        until = self._clock() + self._budget_s
        past = self._past([hit.post.id for hit in answer.hits])
        seen = {fold(one.quote) for sentence in answer.sentences for one in sentence.citations}
        for candidate in candidates(asked, answer, earlier, past)[: _TRIED_PER_WANTED * self._wanted]:
            if len(found) == self._wanted or self._clock() >= until:
                break
            new = self._answered(candidate, answer.question.filters, seen)
            if new is not None:
                seen.add(fold(new.text))
                found.append(FollowUp(candidate.question, candidate.post_id))
        return found

    def _answered(self, candidate: Candidate, filters: Filters, seen: set[str]) -> Evidence | None:
        """What answers the candidate best, unless it was quoted already."""
        evidence = self._evidencing.evidence_for(Question(candidate.question, filters))
        if not evidence:
            return None
        best = evidence[0]
        if candidate.held is None:
            # A title only announces something: the post's own text must be the best evidence.
            answers = best.post_id == candidate.post_id and best.part != "title"
        else:
            answers = any(candidate.held.search(fold(one.text)) for one in evidence[:2])
        if not answers:
            return None
        return best if fold(best.text) not in seen else None
