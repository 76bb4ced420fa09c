"""Completes a follow-up question from the questions before it, by rules. Pure.

How often it is right, in each language: docs/decisions/, measured on tests/app/conversations/dialogues.jsonl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.conversations.standalone import chinese_rules, english_rules
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from app.conversations.turns import Turn, earlier_questions
from retrieval.text.folding import han_runs
from retrieval.types import Filters, Post

# A longer question names its subject; completing it would be guessing.
_LONGEST = 160
_LONGEST_COMPLETED = 400


def complete(asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
    """The question, completed if it needs the earlier ones.

    Args:
        asked: As typed.
        earlier: Oldest first; none leaves the question as it is.

    >>> complete("那周末呢？", [EarlierQuestion("无事咖啡工作日几点关门？")]).question
    '无事咖啡周末几点关门？'
    """
    if not earlier or not asked.strip() or len(asked) > _LONGEST:
        return StandaloneQuestion(asked)
    if han_runs(asked):
        same = [
            one if han_runs(one.question) else replace(one, question=english_rules.referent(one)) for one in earlier
        ]
        completed = chinese_rules.complete(asked, same)
    else:
        same = [
            replace(one, question=chinese_rules.referent(one)) if han_runs(one.question) else one for one in earlier
        ]
        completed = english_rules.complete(asked, same)
    if not completed or completed == asked or len(completed) > _LONGEST_COMPLETED:
        return StandaloneQuestion(asked)
    return StandaloneQuestion(" ".join(completed.split()), "rules")


def complete_after(
    turns: Sequence[Turn], posts: Mapping[str, Post], asked: str, filters: Filters
) -> tuple[StandaloneQuestion, Filters]:
    """The question after these turns, and its filters.

    Args:
        turns: Oldest first.
        posts: Those that the turns cite, by id, if they still exist.
    """
    standalone = complete(asked, earlier_questions(turns, posts))
    return standalone, inherited(filters, standalone, turns)


def inherited(filters: Filters, standalone: StandaloneQuestion, turns: Sequence[Turn]) -> Filters:
    """The filters; those of the last turn if the question was completed and has none of its own."""
    inherits = standalone.was_completed and filters.is_empty() and bool(turns)
    return turns[-1].answer.question.filters if inherits else filters
