"""One form for characters that readers consider the same, with offsets into the original text. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import opencc

_TO_SIMPLIFIED = opencc.OpenCC("t2s")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


@lru_cache(maxsize=65536)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).lower()
    return _TO_SIMPLIFIED.convert(folded) if _HAN_RUN.search(folded) else folded


def fold(text: str) -> str:
    """One form for what readers consider the same: full width, case and traditional characters are unified.

    >>> fold("臺北 Ｃａｆé １２元")
    '台北 café 12元'
    """
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Like `fold`, with the offset of the original code point for each folded one."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces = list(map(_fold_character, text))
    lengths = set(map(len, pieces))
    if lengths == {1}:  # nearly all texts
        return "".join(pieces), list(range(len(text)))
    return "".join(pieces), [offset for offset, piece in enumerate(pieces) for _ in piece]


def han_runs(folded: str) -> list[str]:
    """The stretches of Chinese characters in a text, in order."""
    return _HAN_RUN.findall(folded)
