"""Chinese words typed in pinyin, found again in texts: huoguo is 火锅 where a text says so. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from retrieval.text.folding import fold, han_runs

_LONGEST_WORD, _MOST_SYLLABLES = 24, 4
# The 3,755 usual characters: the first level of GB 2312, which begins with these bytes.
_USUAL = range(0xB0, 0xD8)


# What pinyin looks like, so that no dictionary is needed to see that most words are none.
_LIKE_PINYIN = re.compile(r"(?:(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?[aeiouv]{1,3}(?:ng|n|r)?){1,4}", re.IGNORECASE)


def like_pinyin(word: str) -> bool:
    """Whether a word may be pinyin. Takes no dictionary."""
    return len(word) <= _LONGEST_WORD and _LIKE_PINYIN.fullmatch(word) is not None


@lru_cache(maxsize=1)
def _characters() -> dict[str, tuple[str, ...]]:
    """The usual characters of each syllable, without tones."""
    from pypinyin import Style, pinyin  # its dictionary takes 50 MB, and few queries need it

    found: dict[str, list[str]] = {}
    for first in _USUAL:
        for second in range(0xA1, 0xFF):
            try:
                character = bytes([first, second]).decode("gb2312")
            except UnicodeDecodeError:  # the last row is not full
                continue
            for syllable in dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]):
                found.setdefault(syllable.replace("ü", "v"), []).append(character)
    return {syllable: tuple(characters) for syllable, characters in found.items()}


def is_syllable(word: str) -> bool:
    """Whether a word is one syllable of pinyin."""
    return like_pinyin(word) and word.lower() in _characters()


def syllables(word: str) -> list[tuple[str, ...]]:
    """The ways to read a word as two to four syllables; none if it is not pinyin.

    >>> syllables("huoguo"), syllables("coffee")
    ([('huo', 'guo')], [])
    """
    if not like_pinyin(word):
        return []
    return [one for one in _split(word.lower(), _MOST_SYLLABLES) if len(one) > 1]


def _split(word: str, most: int) -> Iterator[tuple[str, ...]]:
    if not word:
        yield ()
        return
    if most == 0:
        return
    known = _characters()
    for size in range(min(6, len(word)), 0, -1):
        if word[:size] in known:
            for rest in _split(word[size:], most - 1):
                yield (word[:size], *rest)


def first_pairs(word: str) -> list[str]:
    """All pairs of usual characters that the word may begin with."""
    known = _characters()
    return [one + two for first, second, *_ in syllables(word) for one in known[first] for two in known[second]]


def read_in(word: str, texts: Iterable[str]) -> str:
    """The Chinese word in these texts that is spelled so, the most frequent of several; "" if there is none."""
    ways = syllables(word)
    known = {way: [frozenset(_characters()[syllable]) for syllable in way] for way in ways}
    counts: Counter[str] = Counter()
    for text in texts:
        seen = set[str]()
        for run in han_runs(fold(text)):
            for way, characters in known.items():
                for at in range(len(run) - len(way) + 1):
                    if all(run[at + nth] in some for nth, some in enumerate(characters)):
                        seen.add(run[at : at + len(way)])
        counts.update(seen)
    return min(counts, key=lambda one: (-counts[one], one), default="")
