"""Marks as models write them: [2], 【2】, [1][2], [1, 3-5], [^1], [Post 1], [帖子1], [1†source], a last (1). Pure."""

from __future__ import annotations

import re

_OPEN, _CLOSE = r"[\[［【〔⟦]", r"[\]］】〕⟧]"
# Every repetition is bounded: a text may hold ten thousand spaces or brackets.
_GAP = r"[ \t\u3000]{0,3}"
_WORD = (
    rf"(?:(?:posts?|sources?|refs?|references?|citations?|no\.?|帖子?|来源|资料|引用|参考|文){_GAP}[:：]?{_GAP})?"
    rf"(?:[#＃^]{_GAP})?"
)
# 【4:0†source】 is written by models trained with a search tool; what follows the dagger means nothing to us.
_NUMBER = rf"{_WORD}\d{{1,2}}(?::\d{{1,3}})?(?:{_GAP}[†‡][^\[\]［］【】〔〕⟦⟧\n]{{0,30}})?"
_BETWEEN = rf"{_GAP}(?:[,，、;；&+]|and|和|及|与|[-–—~～至到]){_GAP}"
_LIST = rf"{_NUMBER}(?:{_BETWEEN}{_NUMBER}){{0,9}}"
# A link belongs to its mark: [1](https://...). Doubled brackets are one mark: [[1]].
_LINK = r"(?:\([^()\s]{0,200}\))?"
# Group 1 is the text between the brackets.
MARK = re.compile(rf"\^?{_OPEN}{{1,2}}{_GAP}({_LIST}){_GAP}{_CLOSE}{{1,2}}{_LINK}", re.IGNORECASE)
# Round brackets also hold years, counts and asides: they are a mark only at the end of a sentence.
_ROUND = r"[(（](\d{1,2}(?:[,，、] ?\d{1,2}){0,4})[)）]"
ROUND_MARK = re.compile(_ROUND)
_LAST_ROUND_MARKS = re.compile(rf"(?<=[\w%\])）】.。!！?？”\"]) ?(?:{_ROUND} ?){{1,4}}(?=[.。!！?？]?$)")
# What may become a mark, or a longer one, when more of the text arrives.
_BEGUN = rf"\^?{_OPEN}[^\]］】〕⟧\n]{{0,60}}"
HALF_MARK = re.compile(rf"(?:\^|{_BEGUN}(?:{_CLOSE}{{1,2}}(?:\([^()\s]{{0,200}})?)?|[(（][\d,，、 ]{{0,20}})\Z")
_RANGE = re.compile(r"(\d{1,2})\s*[-–—~～至到]\s*(\d{1,2})")
_LONGEST_RANGE = 20


def split_marks(text: str) -> tuple[str, tuple[int, ...]]:
    """A sentence without its marks, and the numbers that they named, each once, in reading order.

    >>> split_marks("It is 28 yuan [2][2, 3]."), split_marks("拿铁28元【帖子1】。")
    (('It is 28 yuan.', (2, 3)), ('拿铁28元。', (1,)))
    >>> split_marks("Since [2021] it is (3) big.")
    ('Since [2021] it is (3) big.', ())
    """
    numbers: list[int] = []

    def take(found: re.Match[str]) -> str:
        numbers.extend(_numbers(found.group()))
        return ""

    bare = _LAST_ROUND_MARKS.sub(take, MARK.sub(take, text).rstrip())
    bare = re.sub(r"[ \t]{1,40}([.,!?;:。，！？；：])", r"\1", bare)
    return re.sub(r"[ \t]{2,}", " ", bare).strip(), tuple(dict.fromkeys(numbers))


def _numbers(mark: str) -> list[int]:
    """The numbers that one pair of brackets names, ranges expanded.

    >>> _numbers("[1, 3-5]"), _numbers("【4:0†L1-L9】"), _numbers("[7-3]"), _numbers("[1](https://a.example/2)")
    ([1, 3, 4, 5], [4], [7, 3], [1])
    """
    inner = re.sub(r"(?<=[\]］】〕⟧])\(.*", "", mark)
    inner = re.sub(r"[†‡][^\[\]［］【】〔〕,，、;；\n]*|(?<=\d):\d+", "", inner)

    def expanded(found: re.Match[str]) -> str:
        first, last = int(found[1]), int(found[2])
        whole = range(first, last + 1) if 0 <= last - first <= _LONGEST_RANGE else (first, last)
        return " ".join(map(str, whole))

    return [int(number) for number in re.findall(r"\d+", _RANGE.sub(expanded, inner))]
