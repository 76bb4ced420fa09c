"""Messages about operators that make no sense, in English and Chinese. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MistakeCode = Literal[
    "unbalanced_quote", "empty_value", "bad_date", "future", "empty_range", "bad_likes", "unknown_language",
    "bad_near", "unknown_place", "unknown_tag", "pinyin", "cannot_exclude", "too_many", "repeated",
]  # fmt: skip
_LONGEST_SHOWN = 40

# {piece} is what was typed. All but the last three say that it was searched as text.
_SAID: dict[MistakeCode, tuple[str, str]] = {
    "unbalanced_quote": (
        'the quotation mark in {piece} is not closed and was taken as text: write "…" around an exact phrase',
        "{piece} 里的引号没有成对，已按文字搜索；精确短语请写在一对引号里",
    ),
    "empty_value": (
        "{piece} has no value and was taken as text: write the value right after the colon, without a space",
        "{piece} 后面没有内容，已按文字搜索；请把内容紧接在冒号后面写",
    ),
    "bad_date": (
        "{piece} has no valid date and was taken as text: write 2026, 2026-01 or 2026-01-15",
        "{piece} 里没有可用的日期，已按文字搜索；请写 2026、2026-01 或 2026-01-15",
    ),
    "bad_likes": (
        "{piece} has no valid number of likes and was taken as text: write a whole number, as in likes>100",
        "{piece} 里没有可用的点赞数，已按文字搜索；请写整数，例如 赞>100",
    ),
    "unknown_language": (
        "{piece} is not a known language and was taken as text: write its two-letter code, as in lang:zh",
        "{piece} 不是已知的语言，已按文字搜索；请写两个字母的代码，例如 lang:zh",
    ),
    "bad_near": (
        '{piece} is not "place,distance" and was taken as text: write near:"Shanghai,10km" or near:31.2,121.4,5km',
        "{piece} 不是地点加距离，已按文字搜索；请写 附近:上海,10km 或 near:31.2,121.4,5km",
    ),
    "unknown_place": (
        "the place in {piece} is unknown, so it was taken as text: name a larger place, or give coordinates, "
        "as in near:31.2,121.4,5km",
        "不知道 {piece} 里的地点在哪里，已按文字搜索；请写更大的地名，或写坐标，例如 near:31.2,121.4,5km",
    ),
    "unknown_tag": (
        "no post has the tag {piece}, so its words were searched for",
        "没有帖子带标签 {piece}，已按文字搜索",
    ),
    "pinyin": (
        "no post has the word {piece}, so the Chinese word that is spelled so was searched for",
        "没有帖子有 {piece} 这个词，已按拼音搜索对应的中文",
    ),
    "cannot_exclude": (
        "{piece} cannot be excluded and was taken as text: a minus goes before a word, a phrase, a tag or from:",
        "{piece} 不能用减号排除，已按文字搜索；减号可以放在词、短语、标签或作者前面",
    ),
    "too_many": (
        "there are too many operators like {piece}: it and those after it were taken as text",
        "与 {piece} 同类的条件太多，从它开始已按文字搜索",
    ),
    "repeated": (
        "another place follows {piece}, and only the last one counts",
        "{piece} 之后又写了一个地点，以最后一个为准",
    ),
    "future": (
        "{piece} is in the future: there are few such posts, if any",
        "{piece} 是未来的日期，可能没有这么新的帖子",
    ),
    "empty_range": (
        "{piece} contradicts the opposite bound: the minimum is above the maximum",
        "{piece} 与另一端的条件矛盾，没有帖子能同时满足",
    ),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A piece of a query that may not have been taken as meant, or that asks for something odd.

    Attributes:
        code: What is wrong, for programs.
        message: For people, in English: one sentence without a full stop.
        message_zh: The same in Chinese.
        start, end: Code points [start, end) of what was typed.
    """

    code: MistakeCode
    message: str
    message_zh: str
    start: int
    end: int

    def text(self, language: str) -> str:
        """The message in the user's language: Chinese or English."""
        return self.message_zh if language == "zh" else self.message


def mistake(code: MistakeCode, typed: str, start: int, end: int) -> Mistake:
    """The mistake of this code at typed[start:end]."""
    assert 0 <= start < end <= len(typed), f"{code} is said of [{start}, {end}) of {len(typed)} characters"
    piece = " ".join(typed[start:end].split())
    shown = piece if len(piece) <= _LONGEST_SHOWN else piece[: _LONGEST_SHOWN - 1] + "…"
    english, chinese = _SAID[code]
    return Mistake(code, english.format(piece=f"“{shown}”"), chinese.format(piece=f"“{shown}”"), start, end)
