"""Which posts say the same in nearly the same words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations, pairwise

from retrieval.text import fold
from retrieval.types import Post

# Both figures, and why numbers decide: docs/decisions/0006-near-copies.md
COPIED_SHARE = 0.3
_FEWEST_PAIRS = 8
_LONGEST_COMPARED = 1_000
# A Chinese character, or a word or number of another script.
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")


def near_copies(posts: Sequence[Post]) -> set[tuple[int, int]]:
    """Pairs (i, j), i < j, of posts that are near copies of one another.

    Compared are title and text, their first 1,000 code points together: of all pairs of neighbouring words (in
    Chinese: characters), COPIED_SHARE must be in both posts. Two posts that each give a number
    which the other lacks are no copies, however alike: one may be the other with its price put right. Texts of a few
    words are copies only when they are the same.

    >>> said = "The tea house by the old bridge is open until "
    >>> near_copies([Post("a", "", said + "5."), Post("b", "", said + "5, really!"), Post("c", "", said + "9.")])
    {(0, 1)}
    """
    said = [_said(f"{post.title}\n{post.text}"[:_LONGEST_COMPARED]) for post in posts]
    return {(i, j) for i, j in _sharing(said) if said[i].copies(said[j])}


class _Said:
    """What a post says, ready to be compared."""

    __slots__ = ("numbers", "pairs", "short")

    def __init__(self, text: str) -> None:
        folded = fold(text)
        units = _UNIT.findall(folded)
        self.numbers = frozenset(_NUMBER.findall(folded))
        # Short texts are compared whole.
        self.short = len(units) <= _FEWEST_PAIRS
        whole: list[tuple[str, ...]] = [tuple(units)] if units else []
        # Hashes of 64 bits take a fifth of the memory of the words.
        self.pairs = frozenset(map(hash, whole if self.short else pairwise(units)))

    def copies(self, other: _Said) -> bool:
        if self.short or other.short:
            return self.pairs == other.pairs
        if self.numbers - other.numbers and other.numbers - self.numbers:
            return False
        both = len(self.pairs & other.pairs)
        return both >= COPIED_SHARE * (len(self.pairs) + len(other.pairs) - both)


# About 20 KB each. The posts that people look for are found again and again.
_said = lru_cache(maxsize=1024)(_Said)


def _sharing(said: Sequence[_Said]) -> Iterator[tuple[int, int]]:
    """Pairs of posts that share enough to be worth comparing.

    Posts that are found together share their query's words. Each pair of words that stands in two of them is one bit
    of a number, so that what two posts share is counted at once, and few objects are made for Python to look after.
    """
    seen, repeated = set[int](), set[int]()
    for one in said:
        repeated |= seen & one.pairs
        seen |= one.pairs
    bits = {pair: 1 << place for place, pair in enumerate(repeated)}
    holds = [sum(bits[pair] for pair in one.pairs & repeated) for one in said]
    for (i, own), (j, other) in combinations([(number, held) for number, held in enumerate(holds) if held], 2):
        if (own & other).bit_count() >= COPIED_SHARE * max(len(said[i].pairs), len(said[j].pairs)):
            yield i, j
