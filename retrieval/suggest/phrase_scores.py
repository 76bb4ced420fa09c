"""What a phrase scores as a completion. Pure.

Higher is better; two phrases that read the same when folded are one, with one score:

    USE * ln(1 + times asked) * half-life of HALF_LIFE_DAYS since it was asked last
    + ln(1 + sum over the posts that carry it of 1 + likes) + FRESH * the same half-life since the newest of them

Phrases that begin with what was typed come before those in which a later word does (less INSIDE), or that are typed
in pinyin (less PINYIN). Days count from the newest of all posts, or queries; the weights are by judgement, not tuned.
"""

from __future__ import annotations

from array import array

import numpy as np

from retrieval.suggest.prefix_index import Scores

USE, FRESH, HALF_LIFE_DAYS = 6.0, 3.0, 180
INSIDE, PINYIN = 2.0, 2.0


def freshness(days: array[int]) -> Scores:
    """1 for the newest of some days, halved every HALF_LIFE_DAYS before it; 0 for day 0, which is unknown."""
    ordinals = np.array(days, np.float64)
    newest = ordinals.max(initial=0.0)
    return np.where(ordinals > 0, np.exp2((ordinals - newest) / HALF_LIFE_DAYS), 0.0).astype(np.float32)
