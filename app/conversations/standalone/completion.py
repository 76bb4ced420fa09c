"""A question in its conversation: understood from what was asked before where it leans on it, left alone otherwise.

Pure. How often it is right, in each language: docs/decisions/, and tests/conversing/dialogues.jsonl to measure it on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.conversations.standalone import chinese_rules, english_rules
from app.conversations.standalone.context import Said, Understood
from retrieval.text.folding import han_runs

# A longer question says what it is about; what it might lean on would only be guessed.
_LONGEST = 160
_LONGEST_COMPLETED = 400


def understand(asked: str, said: Sequence[Said]) -> Understood:
    """The question, complete in itself.

    Args:
        asked: As typed.
        said: What was asked before, oldest first; none leaves the question as it is.

    >>> understand("那周末呢？", [Said("无事咖啡工作日几点关门？")]).question
    '无事咖啡周末几点关门？'
    """
    if not said or not asked.strip() or len(asked) > _LONGEST:
        return Understood(asked)
    if han_runs(asked):
        told = [one if han_runs(one.question) else replace(one, question=english_rules.referent(one)) for one in said]
        completed = chinese_rules.complete(asked, told)
    else:
        told = [replace(one, question=chinese_rules.referent(one)) if han_runs(one.question) else one for one in said]
        completed = english_rules.complete(asked, told)
    if not completed or completed == asked or len(completed) > _LONGEST_COMPLETED:
        return Understood(asked)
    return Understood(" ".join(completed.split()), "rules")
