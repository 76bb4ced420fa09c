"""Chinese for an embedder that cannot read it: characters that its tokenizer lacks are spelled in pinyin.

all-MiniLM-L6-v2 has no token for three of four Chinese characters (.74 of those in LCQMC's questions). All of them
become the same unknown token, so that 咖啡 and 帐篷 are equal; their pinyin it can tell apart. See
docs/decisions/0005-respelled-chinese.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import opencc

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_COMMON = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后"
# A tokenizer made for Chinese has all common characters; one that lacks more than this share was not.
_LACKING = 0.1

Respell = Callable[[str], str]


def respeller(lacks: Callable[[str], bool]) -> Respell | None:
    """A function that spells the characters that a tokenizer lacks; None if it has the common ones.

    Args:
        lacks: Whether the tokenizer maps a text of one character to its unknown token.
    """
    if sum(map(lacks, _COMMON)) <= _LACKING * len(_COMMON):
        return None
    # Imported only when needed: its dictionary takes 50 MB.
    from pypinyin import lazy_pinyin

    to_traditional = opencc.OpenCC("s2t")
    to_japanese = opencc.OpenCC("t2jp")

    @lru_cache(maxsize=65536)
    def spelled(character: str) -> str:
        if not lacks(character):
            return character
        # The variant of the character that occurs in English text, mostly from Japan, makes a better token.
        traditional: str = to_traditional.convert(character)
        forms: tuple[str, ...] = (traditional, to_japanese.convert(traditional))
        known = next((form for form in forms if not lacks(form)), None)
        if known is not None:
            return known
        return f" {lazy_pinyin(character)[0]} "

    return lambda text: _HAN.sub(lambda found: spelled(found.group()), text)
