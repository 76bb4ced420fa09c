"""Whether a text states a fact, in any of the ways in which people write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from retrieval.text.folding import fold

Groups = tuple[tuple[str, ...], ...]
"""Facts, each as the ways to write it: a text holds the fact if it holds one of them."""

_TYPOGRAPHY = str.maketrans("’‘‛“”„‐‑‒–—−", "'''\"\"\"------")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CHINESE = r"[\u3000-\u303f\u3400-\u9fff]"
_SPACE_AT_CHINESE = re.compile(rf"(?<={_CHINESE})\s+|\s+(?={_CHINESE})")


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """One form for what a reader reads as the same: width, case, traditional characters, the shape of quotation marks
    and dashes, thousands separators, and space, which is dropped beside Chinese and otherwise single.

    >>> plain("每晚 ２５８ 元，  It’s 1,100 yen")
    "每晚258元,it's 1100 yen"
    """
    text = fold(text).translate(_TYPOGRAPHY)
    return " ".join(_SPACE_AT_CHINESE.sub("", _THOUSANDS.sub("", text)).split())


def states(text: str, way: str) -> bool:
    """Whether a text holds one way to write a fact.

    A way that begins or ends with a digit is not found inside a longer number, nor inside a time or decimal; one that
    begins or ends with a Latin letter, not inside a longer word, unless it ends with `*`, which stands for any ending.
    One that begins with Chinese is not found right behind 不, 没, 无 or 未, which would deny it.

    >>> states("A flat white is 28 yuan.", "28"), states("It's 280, or 28.5, from 12:28", "28")
    (True, False)
    >>> states("Closes on Mondays", "clos*"), states("Closes on Mondays", "close")
    (True, False)
    >>> states("现在改抽签了", "抽签"), states("先到先得，不抽签", "抽签")
    (True, False)
    """
    return _pattern(way).search(plain(text)) is not None


def first_stating(texts: Sequence[str], ways: Sequence[str]) -> int | None:
    """Number of the first text that holds one of these ways, from 0; None where none does."""
    return next((number for number, text in enumerate(texts) if any(states(text, way) for way in ways)), None)


def stated(text: str, ways: Sequence[str]) -> list[str]:
    """Those of the ways that a text holds."""
    return [way for way in ways if states(text, way)]


def unstated(text: str, groups: Groups) -> list[tuple[str, ...]]:
    """Those of the facts that a text does not hold."""
    return [ways for ways in groups if not stated(text, ways)]


@lru_cache(maxsize=16384)
def _pattern(way: str) -> re.Pattern[str]:
    is_open = way.endswith("*") and len(way) > 1
    wanted = plain(way[:-1] if is_open else way)
    assert wanted, "a way to write a fact is not empty"
    before = after = ""
    if wanted[0].isdigit():
        before = r"(?<!\d)(?<!\d[.:])"
    elif _is_latin(wanted[0]):
        before = r"(?<![^\W\d_\u3000-\u9fff])"
    elif wanted[0] >= "\u3400":
        before = "(?<![不没无未])"
    if is_open:
        pass
    elif wanted[-1].isdigit():
        after = r"(?!\d)(?![.:]\d)"
    elif _is_latin(wanted[-1]):
        after = r"(?![^\W\d_\u3000-\u9fff])"
    return re.compile(before + re.escape(wanted) + after)


def _is_latin(character: str) -> bool:
    return character.isalpha() and character < "\u3000"
