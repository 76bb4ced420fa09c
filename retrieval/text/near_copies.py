"""Posts that say the same in nearly the same words. Pure.

Each search compares fifty posts. Their texts are one array of code points, and each step is done for all characters,
words and pairs at once; docs/decisions/0006-near-copies.md says what is compared, and why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from retrieval.text.folding import fold
from retrieval.types import Post

COPIED_SHARE = 0.3
_FEWEST_PAIRS = 8
_LONGEST_COMPARED = 1_000
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")

Hashes: TypeAlias = NDArray[np.uint64]
Sketches: TypeAlias = NDArray[np.uint16]
SKETCHED, MEETING = 32, 4
_Places: TypeAlias = NDArray[np.int64]

# Kinds of folded code points.
_UNSEEN, _APART, _HAN, _LETTER, _SEVERAL = range(5)
_HAN_CHARACTER = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD_CHARACTER = re.compile(r"[^\W_]")
_CODE_POINTS = 0x110000


def near_copies(posts: Sequence[Post]) -> set[tuple[int, int]]:
    """Pairs (i, j), i < j, of posts that are near copies of one another.

    Title and text are compared, their first 1,000 code points together: COPIED_SHARE of all pairs of neighbouring words
    (in Chinese: characters) must be in both posts. Two posts that each have a number which the other lacks are not
    copies, however similar: one may correct the other's price. Texts of a few words are copies only if they are equal.

    >>> said = "The tea house by the old bridge is open until "
    >>> near_copies([Post("a", "", said + "5."), Post("b", "", said + "5, really!"), Post("c", "", said + "9.")])
    {(0, 1)}
    """
    texts = _compared(posts)
    sharing = _sharing(*_pairs(texts), len(texts))
    alike = {place for pair in sharing for place in pair}
    numbers = {place: frozenset(_NUMBER.findall(fold(texts[place]))) for place in alike}
    return {(i, j) for i, j in sharing if not (numbers[i] - numbers[j] and numbers[j] - numbers[i])}


def sketches(posts: Sequence[Post]) -> Sketches:
    """Sketches of posts, which tell possible near copies without reading the posts: (n, SKETCHED) uint16, for each post
    16 bits of its pairs with the smallest hashes; 0 if it has fewer.

    Source: Cohen and Kaplan, "Summarizing Data using Bottom-k Sketches", PODC 2007.
    """
    found = np.zeros((len(posts), SKETCHED), np.uint16)
    pairs, of_text = _pairs(_compared(posts))
    if len(pairs):
        once = np.unique((of_text.astype(np.uint64) << _HALF) | (pairs >> _HALF))
        text = (once >> _HALF).astype(np.int64)
        nth = np.arange(len(once)) - np.searchsorted(text, text)
        smallest = nth < SKETCHED
        # The last 16 bits: the first ones of the smallest hashes are too similar.
        found[text[smallest], nth[smallest]] = np.maximum(once[smallest].astype(np.uint16), 1)
    return found


def meeting(sketched: Sketches) -> list[int]:
    """Rows of sketches whose posts may be near copies of another row's.

    If both posts have fewer pairs than a sketch holds, all pairs are compared, and one extra is counted as shared,
    since in one of a hundred sketches 16 bits are the same for two pairs. Otherwise MEETING must be in both sketches:
    of two posts that share just COPIED_SHARE of their pairs 1 in 180 is missed, of two that share .36 1 in 1,400, of
    half 1 in a million (binomial, SKETCHED draws).
    """
    row, place = np.nonzero(sketched)
    both, size = _counted(sketched[row, place].astype(np.uint64) << _HALF, row, len(sketched))
    full = size >= SKETCHED
    share = COPIED_SHARE * (size[:, None] + size[None, :] - both) - 1
    needed = np.where(full[:, None] | full[None, :], MEETING, share)
    met = (both >= needed) & (both > 0)
    np.fill_diagonal(met, False)
    rows: list[int] = np.flatnonzero(met.any(axis=1)).tolist()
    return rows


def _compared(posts: Sequence[Post]) -> list[str]:
    return [f"{post.title}\n{post.text}"[:_LONGEST_COMPARED] for post in posts]


def _pairs(texts: Sequence[str]) -> tuple[Hashes, _Places]:
    """Hashes of the pairs of neighbouring words in all texts, and the text of each; for a text of a few words, one hash
    of all of them.
    """
    codes, of_text, kinds = _folded(texts)
    letters = kinds == _LETTER
    begins = letters.copy()
    begins[1:] &= ~letters[:-1] | (of_text[1:] != of_text[:-1])
    begins |= kinds == _HAN
    seen = np.flatnonzero(kinds != _APART)
    starts = np.flatnonzero(begins)
    if not len(starts):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    # The position of each character in its word, so that "on" and "no" differ.
    nth = np.cumsum(begins)[seen] - 1
    words = np.add.reduceat(_mixed((codes[seen] << 12) + (seen - starts[nth])), np.searchsorted(seen, starts))
    of_word = of_text[starts]
    count = np.bincount(of_word, minlength=len(texts))
    short = count <= _FEWEST_PAIRS
    together = (of_word[1:] == of_word[:-1]) & ~short[of_word[1:]]
    pairs = _mixed(words[:-1] * _ODD + words[1:])[together]
    # Each short text becomes one hash of its words in order.
    few = np.flatnonzero(short[of_word])
    if len(few):
        in_text = few - (np.cumsum(count) - count)[of_word[few]]
        first = np.flatnonzero(np.diff(of_word[few], prepend=-1))
        whole = np.add.reduceat(_mixed(words[few] + in_text.astype(np.uint64) * _ODD), first)
        return np.concatenate([pairs, whole]), np.concatenate([of_word[1:][together], of_word[few][first]])
    return pairs, of_word[1:][together]


def _sharing(pairs: Hashes, of_text: _Places, texts: int) -> list[tuple[int, int]]:
    """Pairs of texts that share COPIED_SHARE of their pairs, each counted once."""
    both, size = _counted(pairs, of_text, texts)
    copied = both >= COPIED_SHARE * (size[:, None] + size[None, :] - both)
    found = np.argwhere(np.triu(copied & (both > 0), 1))
    return [(int(i), int(j)) for i, j in found]


def _counted(pairs: Hashes, of_text: _Places, texts: int) -> tuple[_Places, _Places]:
    """How many distinct pairs two texts share, (texts, texts), and how many each has, (texts,)."""
    both = np.zeros((texts, texts), np.int64)
    # The lowest bits of each hash hold the text's number, so that plain numbers are sorted, which is fast.
    bits = np.uint64(max(texts - 1, 1).bit_length())
    both_in_one = np.sort(((pairs >> bits) << bits) | of_text.astype(np.uint64))
    once = np.ones(len(both_in_one), bool)
    once[1:] = both_in_one[1:] != both_in_one[:-1]
    both_in_one = both_in_one[once]
    pairs, of_text = both_in_one >> bits, (both_in_one & ((_ONE << bits) - _ONE)).astype(np.int64)
    size = np.bincount(of_text, minlength=texts)
    begins = np.ones(len(pairs) + 1, bool)  # where the next pair begins; one past the end closes the last
    begins[1:-1] = pairs[1:] != pairs[:-1]
    repeated = ~(begins[:-1] & begins[1:])
    if repeated.any():
        # One row of bits for each text, one bit for each pair that several have. A matrix product would do the same,
        # on all cores, which then wait for one another.
        column = np.cumsum(begins[:-1][repeated]) - 1
        holds = np.zeros((texts, -(-int(column[-1] + 1) // 64) * 64), bool)
        holds[of_text[repeated], column] = True
        words = np.packbits(holds, axis=1).view(np.uint64)
        both = np.bitwise_count(words[:, None] & words[None]).sum(axis=2, dtype=np.int64)
    return both, size


_ONE, _HALF = np.uint64(1), np.uint64(32)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def _mixed(numbers: NDArray[Any]) -> Hashes:
    """Numbers mixed into hashes, so that their sums do not collide. Source: Steele et al., SplitMix64, OOPSLA 2014."""
    mixed = numbers.astype(np.uint64) + _ODD
    mixed = (mixed ^ (mixed >> _SHIFTS[0])) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> _SHIFTS[1])) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> _SHIFTS[2])


class _Folding:
    """What `text.fold` makes of each code point, and its kind; filled as code points occur."""

    def __init__(self) -> None:
        self.codes = np.zeros(_CODE_POINTS, np.uint32)
        self.kinds = np.full(_CODE_POINTS, _UNSEEN, np.uint8)
        self._lock = Lock()

    def learn(self, codes: NDArray[np.uint32]) -> None:
        with self._lock:
            for code in np.unique(codes).tolist():
                folded = fold(chr(code))
                parts = [character for character in folded if _WORD_CHARACTER.match(character)]
                if len(folded) == 1 or not parts:
                    self.codes[code] = ord(folded[:1] or " ")
                    self.kinds[code] = _kind(folded)
                else:  # "㎡" is the word m2
                    self.kinds[code] = _SEVERAL


def _kind(folded: str) -> int:
    if _HAN_CHARACTER.match(folded):
        return _HAN
    return _LETTER if _WORD_CHARACTER.match(folded) else _APART


_FOLDING = _Folding()


def _folded(texts: Sequence[str]) -> tuple[Hashes, _Places, NDArray[np.uint8]]:
    """Every folded code point of all texts in order, the text it is in, and its kind."""
    codes = _code_points("".join(texts))
    lengths = list(map(len, texts))
    kinds = _FOLDING.kinds[codes]
    if not kinds.all():
        _FOLDING.learn(codes[kinds == _UNSEEN])
        kinds = _FOLDING.kinds[codes]
    if (kinds == _SEVERAL).any():
        several = _FOLDING.kinds == _SEVERAL
        singles = ["".join(fold(one) if several[ord(one)] else one for one in text) for text in texts]
        if singles != list(texts):
            return _folded(singles)
        kinds = np.where(kinds == _SEVERAL, np.uint8(_APART), kinds)
    of_text = np.repeat(np.arange(len(texts)), lengths)
    return _FOLDING.codes[codes].astype(np.uint64), of_text, kinds


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
