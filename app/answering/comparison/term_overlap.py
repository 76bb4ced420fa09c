"""How many of a claim's content words its evidence holds, and whether it holds its names. Pure.

A telling unit is the stem of a word that is not a function word, or a pair of Chinese characters without a function
character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.text.folding import fold
from retrieval.text.highlight import query_pairs, query_words, stem

_NAME = re.compile(r"(?<=[\w,;:)'\"’”] )[A-Z][A-Za-z]{2,}|(?<=[\u3400-\u9fff])[A-Za-z]{3,}")
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[^\W\d_a-z\u3400-\u9fff]+")
# Always capitalised; `quantities` and `contradiction` check days and months.
NO_NAME = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|September|October"
    r"|November|December|The|This|That|These|Those|They|There|However|Yes|But|And|For|You|RMB|USD|CNY|Yuan"
)


@dataclass(frozen=True, slots=True)
class Units:
    """The telling units of a text.

    Attributes:
        telling: Each once, in reading order.
        words: The stem of every word, including function words.
        folded: The whole text, folded.
    """

    telling: tuple[str, ...]
    words: frozenset[str]
    folded: str

    def holds(self, unit: str) -> bool:
        return unit in self.words or (not unit.isascii() and unit in self.folded)


@lru_cache(maxsize=4096)
def units_of(text: str) -> Units:
    """The units of a text, kept for the last few thousand texts.

    >>> units_of("The camps are on 苍山脚下").telling
    ('camp', '苍山', '山脚', '脚下')
    """
    folded = fold(text)
    telling = [*map(stem, query_words(text)), *query_pairs(text)]
    return Units(tuple(dict.fromkeys(telling)), frozenset(map(stem, _WORD.findall(folded))), folded)


def covered(claim: str, evidence: str) -> frozenset[str]:
    """The claim's telling units that the evidence holds.

    >>> sorted(covered("A latte is 28 yuan", "their latte")), sorted(covered("拿铁28元", "手冲28元"))
    (['latte'], [])
    """
    shown = units_of(evidence)
    return frozenset(unit for unit in units_of(claim).telling if shown.holds(unit))


def coverage(claim: str, evidence: str) -> float:
    """Share of the claim's telling units that the evidence holds, 0 to 1; 1 where it has none.

    >>> coverage("A latte is 28 yuan", "their latte is 28")
    0.6666666666666666
    """
    telling = units_of(claim).telling
    return len(covered(claim, evidence)) / len(telling) if telling else 1.0


def missing_names(claim: str, evidence: str) -> float:
    """Share of the claim's names (capitalised words inside a sentence) that the evidence does not hold, 0 to 1.

    >>> missing_names("We met Ann at Blue Door.", "Ann was at the blue door"), missing_names("We met Bob.", "Ann")
    (0.0, 1.0)
    """
    names = [stem(fold(name)) for name in _NAME.findall(claim) if not NO_NAME.fullmatch(name)]
    folded = fold(evidence)
    return sum(name not in folded for name in names) / len(names) if names else 0.0
