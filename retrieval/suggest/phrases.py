"""Short phrases from posts, and the keys under which they are found while typing. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate, takewhile

from retrieval.text.folding import fold, han_runs

LONG, WIDEST = 24, 48  # columns after which a title is cut at a separator, and after which it is always cut
_MOST_STARTS = 24
_PINYIN_CHARACTERS = 6

# Scripts without spaces between words, where any character may begin one: Chinese and Japanese.
_SOLID = r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SOLID_CHARACTER = re.compile(f"[{_SOLID}]")
_UNIT = re.compile(rf"[{_SOLID}]|(?:(?![{_SOLID}])[^\W_])(?:(?![{_SOLID}])[\w'\u2019])*|[^\w\s\x00-\x7f]")
_SEPARATOR = re.compile(
    r"\s{0,20}(?:[|｜丨│·•：，、；！？。…~～]|\.{2,20}|[:,;!?.](?=\s|$)|\s[-–—/]{1,20}\s|——|[(（\[「『])\s{0,20}"
)
_SHORTEST_CUT = 6


def plain(text: str) -> str:
    """The text on one line, without invisible characters.

    >>> plain(" Night\\u202e  Heron\\n")
    'Night Heron'
    """
    if text.isprintable():
        return " ".join(text.split())
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    seen = (" " if unicodedata.category(one) in unseen and one != "\u200d" else one for one in text)
    return " ".join("".join(seen).split())


def folded_phrase(text: str) -> str:
    """One form for phrases that readers consider the same."""
    return plain(fold(text))


def width(text: str) -> int:
    """Columns on a screen: Chinese characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def title_phrase(title: str) -> str:
    """A title as a completion: whole if short, else up to its first separator, else cut between words.

    >>> title_phrase("手冲小白照着做｜一次就成功的参数，都写在这里了"), title_phrase("Oat milk: yes or no?")
    ('手冲小白照着做', 'Oat milk: yes or no?')
    """
    text = plain(title)
    if width(text) <= LONG:
        return text
    for separator in _SEPARATOR.finditer(text, 0, 2 * WIDEST):
        if width(text[: separator.start()]) >= _SHORTEST_CUT:
            text = text[: separator.start()].strip()
            break
    text = text[: WIDEST + 1]
    if width(text) <= WIDEST:
        return text
    fitting = next(at for at, columns in enumerate(accumulate(map(width, text))) if columns > WIDEST)
    ends = [unit.end() for unit in _UNIT.finditer(text) if unit.end() <= fitting]
    return text[: ends[-1] if ends else fitting].strip()


def starts(folded: str) -> list[int]:
    """Where words of a folded phrase begin; in Chinese at each character. None in a phrase of punctuation alone.

    >>> starts("上海 brunch 推荐"), starts("the baker's #1")
    ([0, 1, 3, 10, 11], [0, 4, 13])
    """
    found = [unit.start() for unit in _UNIT.finditer(folded) if unicodedata.category(unit.group()[0])[0] in "LNS"]
    return found[:_MOST_STARTS]


@lru_cache(maxsize=8192)
def is_spelled(character: str) -> bool:
    """Whether it is a letter or digit of a script with spaces between words."""
    return character.isalnum() and not _SOLID_CHARACTER.match(character)


def stands(line: str, word: str, *, whole: bool = False) -> bool:
    """Whether a word of a folded line begins with this, or equals it."""
    at = line.find(word)
    while at >= 0:
        end = at + len(word)
        joined = at > 0 and is_spelled(word[:1]) and is_spelled(line[at - 1])
        runs_on = whole and end < len(line) and is_spelled(word[-1:]) and is_spelled(line[end])
        if not joined and not runs_on:
            return True
        at = line.find(word, at + 1)
    return False


def typed_prefix(typed: str) -> str:
    """What was typed so far, folded, from its first word on; one trailing space is kept, since it ends a word.

    >>> typed_prefix("  #Ｃof"), typed_prefix("上海  ")
    ('cof', '上海 ')
    """
    folded = folded_phrase(typed)
    first = starts(folded)
    if not first:
        return ""
    ended = typed[-1].isspace() or unicodedata.category(typed[-1]) == "Zs"
    return folded[first[0] :] + (" " if ended else "")


def pinyin_keys(folded: str) -> tuple[str, ...]:
    """How to type a phrase that begins in Chinese in Latin letters: by syllables, and by initials; otherwise ().

    >>> pinyin_keys("咖啡 brunch"), pinyin_keys("重庆小面"), pinyin_keys("cafe 咖啡")
    (('kafeibrunch', 'kfbrunch'), ('chongqingxiaomian', 'cqxm'), ())
    """
    runs = han_runs(folded)
    if not runs:
        return ()
    at = folded.index(runs[0])
    if starts(folded)[:1] != [at]:
        return ()
    head = runs[0][:_PINYIN_CHARACTERS]
    syllables = _syllables(head)
    if not syllables:
        return ()
    rest = compact(folded[at + len(head) :]) if len(head) == len(runs[0]) else ""
    # The rest may be Chinese again, which is not typed in Latin letters.
    rest = "".join(takewhile(str.isascii, rest))
    return "".join(syllables) + rest, "".join(syllable[0] for syllable in syllables) + rest


def compact(text: str) -> str:
    """Only letters and digits, to compare pinyin: people type xi'an, xi an and xian."""
    return "".join(one for one in text if one.isalnum())


@lru_cache(maxsize=16384)
def _syllables(run: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin  # its dictionaries take 0.2 s to load and 60 MB: only for suggesting

    # The rarest characters have no syllable, or one that keyboards cannot type (ê).
    return tuple(one for one in lazy_pinyin(run, errors="ignore") if one.isascii() and one.isalpha())
