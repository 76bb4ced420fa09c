"""Three questions to go on with, each tried on the index before it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.answering.types import Answer, Evidence, Question
from app.conversations.followups.next_questions import Candidate, candidates
from app.conversations.turns import FollowUp
from retrieval.text.folding import fold
from retrieval.types import Filters

# Tried at most for each that is wanted; most that are tried pass.
_TRIED_PER_WANTED = 3


class Evidencing(Protocol):
    """Says what the index holds for a question."""

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        """The evidence, best first, where it is enough to answer; none where it is not.

        Raises:
            FixableError: The index cannot be read.
        """
        ...


class FollowUps:
    """Finds what can be asked next. Searches, and so is called from a thread.

    Args:
        wanted: Questions to find; 0 finds none.
        budget_s: After so long, what was found so far is given.
        past: (query, id of the post that was its best hit) of what others asked, for these posts.
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
        """At most `wanted` questions, complete in themselves, that posts answer with something new.

        Args:
            asked: The question as it was understood.
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
        """What answers the candidate best, where that is no quote that was seen already."""
        evidence = self._evidencing.evidence_for(Question(candidate.question, filters))
        if not evidence:
            return None
        best = evidence[0]
        if candidate.held is None:
            # A title says less than it announces: its post must tell more, and do so best.
            told = best.post_id == candidate.post_id and best.part != "title"
        else:
            told = any(candidate.held.search(fold(one.text)) for one in evidence[:2])
        if not told:
            return None
        return best if fold(best.text) not in seen else None
