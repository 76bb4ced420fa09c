"""Which evidence an answer quotes, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.answering.evidence.recency import newer_first
from app.answering.evidence.subjects import Subjects
from app.answering.types import Evidence
from retrieval.text.language import detect_language
from retrieval.types import Hit

# Quotes among which newer ones are put first.
_ORDERED = 12
# Of the best score: what another language must reach beside the question's own, whose readers it costs more.
_ELSEWHERE = 0.85
# What a post on another subject than the best one must reach: it may be about another town's café.
_APART = 0.75
# A post that is older by this than another on its subject tells what was.
_OLD = timedelta(days=365)


def quotes(
    question: str, ranked: Sequence[Evidence], hits: Sequence[Hit], same: Subjects, weakest: float
) -> list[Evidence]:
    """What to quote: the best, the newer one of a subject first, and each post on the subject once before one of them
    a second time, unless it is much older: who asks what people think wants to hear more than one.

    Args:
        ranked: Best first.
        hits: mark 1 is hits[0].
        same: Which posts are about one subject.
        weakest: Least share of the best score.
    """
    if not ranked:
        return []
    language, best = detect_language(question), ranked[0].score
    own = detect_language(ranked[0].text) == language

    def fits(one: Evidence) -> bool:
        foreign = own and detect_language(one.text) not in {language, "und"}
        apart = one.mark != ranked[0].mark and (one.mark, ranked[0].mark) not in same
        return one.score >= (_ELSEWHERE if foreign else _APART if apart else weakest) * best

    def old(one: Evidence) -> bool:
        at = hits[one.mark - 1].post.created_at
        later = [hits[other.mark - 1].post.created_at for other in order if (one.mark, other.mark) in same]
        return at is not None and any(other is not None and other - at > _OLD for other in later)

    left = newer_first(question, [one for one in ranked if fits(one)][:_ORDERED], hits, same)
    order: list[Evidence] = []
    while left:
        quoted = {one.mark for one in order}
        others = (one for one in left if one.mark not in quoted and any((one.mark, mark) in same for mark in quoted))
        order.append(next((one for one in others if not old(one)), left[0]))
        left.remove(order[-1])
    return order
