"""A claim in the words of its evidence, but for one thing: two that changed places, or one put in another's. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answering.comparison.term_overlap import NO_NAME
from retrieval.text.folding import fold, han_runs
from retrieval.text.highlight import stem

_UNIT = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)?")
_HAN = "\u3400-\u9fff"
_FEWEST = 4
# A stretch of so many characters that the evidence holds none of is a name or a noun of its own.
_STRETCH = 2


def exchanged(claim: str, evidence: str) -> bool:
    """Whether the claim is a stretch of the evidence word by word, with two parts of it in each other's place.

    >>> exchanged("The tenant paid the landlord.", "Well, the landlord paid the tenant.")
    True
    >>> exchanged("租客赔了房东", "房东赔了租客"), exchanged("租客赔了房东", "租客赔了房东")
    (True, False)
    """
    mine, theirs = _units(claim), _units(evidence)
    if len(mine) < _FEWEST:
        return False
    stretches = [theirs[at : at + len(mine)] for at in range(len(theirs) - len(mine) + 1)]
    return mine not in stretches and any(_two_changed(mine, stretch) for stretch in stretches)


def replaced(claim: str, evidence: str) -> bool:
    """Whether Chinese characters of the claim that the evidence lacks stand where it has others that the claim lacks.

    >>> replaced("可以在迪卡侬租自行车", "可以在捷安特租自行车"), replaced("牛肉面很美味", "牛肉面很好吃")
    (True, False)
    """
    mine, theirs = fold(claim), fold(evidence)
    own, shown = set(mine), set(theirs)
    for run in han_runs(mine):
        for found in re.finditer("x{2,}", "".join("x" if character not in shown else "." for character in run)):
            behind = run[found.end() : found.end() + _STRETCH]
            if behind:
                # A stretch's end must be one there too: 人民路。 beside 解放路，
                end = "" if len(behind) == _STRETCH else f"(?![{_HAN}])"
                for place in re.finditer(re.escape(behind) + end, theirs):
                    before = theirs[max(0, place.start() - _STRETCH) : place.start()]
                    if len(before) == _STRETCH and re.fullmatch(f"[{_HAN}]+", before) and not set(before) & own:
                        return True
    return False


def misnamed(claim: str, evidence: str) -> bool:
    """Whether a name that the evidence lacks stands where the evidence has a word that the claim lacks.

    >>> misnamed("We stayed with Peter at the farm", "We stayed with Daniel at the farm")
    True
    >>> misnamed("The Ruby YouTube award", "The Ruby award")
    False
    """
    mine, theirs = _WORD.findall(claim), _WORD.findall(evidence)
    own, shown = {stem(fold(word)) for word in mine}, [stem(fold(word)) for word in theirs]
    for at, word in enumerate(mine):
        if at == 0 or not word[0].isupper() or len(word) < 3 or stem(fold(word)) in shown or NO_NAME.fullmatch(word):
            continue
        left = stem(fold(mine[at - 1]))
        right = stem(fold(mine[at + 1])) if at + 1 < len(mine) else None
        for place, other in enumerate(theirs):
            if shown[place] in own:
                continue
            sides = (place > 0 and shown[place - 1] == left) + (
                right is not None and shown[place + 1 : place + 2] == [right]
            )
            if sides == 2 or (sides == 1 and other[0].isupper() and place > 0):
                return True
    return False


def _two_changed(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    differ = [at for at, (one, other) in enumerate(zip(mine, theirs, strict=True)) if one != other]
    if len(differ) < 2 or len(differ) % 2:
        return False
    half = len(differ) // 2
    first, second = differ[:half], differ[half:]
    if first[-1] - first[0] != half - 1 or second[-1] - second[0] != half - 1:
        return False
    return [mine[at] for at in first] == [theirs[at] for at in second] and [mine[at] for at in second] == [
        theirs[at] for at in first
    ]


def _units(text: str) -> list[str]:
    return [stem(unit) for unit in _UNIT.findall(fold(text))]
