"""What a confidence threshold can achieve: area under its curve, and what it declines at a share answered. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence


def auc(answerable: Sequence[float], unanswerable: Sequence[float]) -> float | None:
    """How often an answerable question scores above an unanswerable one, a tie counting half; None without both.

    >>> auc([0.9, 0.6], [0.6, 0.1])
    0.875
    """
    if not answerable or not unanswerable:
        return None
    won = sum((one > other) + (one == other) / 2 for one in answerable for other in unanswerable)
    return round(won / (len(answerable) * len(unanswerable)), 4)


def threshold_at(answered: float, answerable: Sequence[float]) -> float:
    """The highest threshold that still answers this share of the answerable questions (confidence >= threshold).

    Args:
        answered: Above 0, at most 1.
        answerable: At least one confidence.
    """
    descending = sorted(answerable, reverse=True)
    return descending[math.ceil(round(answered * len(descending), 9)) - 1]


def declined_at(answered: float, answerable: Sequence[float], unanswerable: Sequence[float]) -> float | None:
    """Share of the unanswerable questions below the highest threshold that answers this share of the answerable ones.

    >>> declined_at(0.5, [0.9, 0.6], [0.8, 0.1])
    1.0
    >>> declined_at(1.0, [0.9, 0.6], [0.8, 0.1])
    0.5
    """
    if not answerable or not unanswerable:
        return None
    threshold = threshold_at(answered, answerable)
    return round(sum(one < threshold for one in unanswerable) / len(unanswerable), 4)
