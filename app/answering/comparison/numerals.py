"""Chinese and English number words rewritten as digits: 三百块 as 300块, "two dozen" as 24. Pure."""

from __future__ import annotations

import re

_DIGIT = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_STEP = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+(?![零〇一二两三四五六七八九十百千万亿])")
# A single Chinese numeral is a number only before one of these: 三里屯, 四川 and 十分 are words.
_COUNTED = re.compile(
    r"[个家次间张杯份条位种件套台辆碗瓶包层楼号路站桌床盒袋片支把块元圆角分点时天晚夜周月年岁日米斤克度成折刀人公平千厘毫英"
    r"英欧日港美平步圈道倍页集季局]|小时|星期|钟头|刻钟"
)
# 一 and 千万 are numbers only before a unit: 一家 is "a shop", 一起 "together", 千万别 "by no means".
_MEASURED = re.compile(
    r"[元块圆角晚夜天周年岁斤克度]|小时|分钟|个?(?:小时|钟头|月|星期|半)|点(?![儿都也心评])|刻钟|公里|公斤|人(?![气均])|百|千|万"
)
# 一张照片 is one photo, beside two of them.
CLASSIFIERS = "个张杯份条位件套台辆碗瓶包间次"
_NO_NUMBER = {"一", "千", "万", "百", "千万", "万一", "一万一", "百千", "千百", "零"}

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
_ONES += ["seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUE = {word: float(value) for value, word in enumerate(_ONES)}
_VALUE |= {word: float(10 * value) for value, word in enumerate(_TENS, start=2)}
_TIMES = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
ENGLISH_NUMERALS = frozenset({*_VALUE, *_TIMES})
_WORD = "|".join([*sorted(_VALUE, key=len, reverse=True), *_TIMES])
_ENGLISH = re.compile(rf"\b(?:a |an |half a |(?=[a-z]))(?:{_WORD})s?(?:(?:[\s-]+and[\s-]+|[\s-]+)(?:{_WORD})s?)*\b")
_MEASURE = (
    r"(?:hours?|minutes?|days?|nights?|weeks?|months?|years?|kilomet(?:er|re)s?|km|miles?|kilos?|yuan|euros?|dollars?)"
)
_HALF_A = re.compile(rf"\bhalf (?:an? )?(?={_MEASURE}\b)")
_ARTICLE = re.compile(rf"\b(?:an?|one) (?={_MEASURE}\b)")

# "first" and "second" seldom count anything.
_ORDINALS = {
    word: place
    for place, word in enumerate(["third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 3)
}
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b")

_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MULTIPLIED = re.compile(
    rf"(?<![\d.])({_NUMBER})\s?(万亿|[万亿千百]|[kw](?![a-z])|(?:thousand|million|billion|hundred|dozen)\b)(\d)?(?![\d.])"
)
_FACTOR = {"万": 1e4, "w": 1e4, "亿": 1e8, "万亿": 1e12, "千": 1e3, "百": 1e2, "k": 1e3, **_TIMES}
_REWRITTEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"百分之\s?(\d+(?:\.\d+)?)"), r"\1%"),
    (re.compile(r"(\d)成(?![为功本都员长])"), r"\g<1>0%"),
    (re.compile(r"(\d)个半(?=小时|钟头|月|星期)"), r"\1.5个"),
    (re.compile(r"(?<![\d个])半(?=个?(?:小时|钟头|月|天|年|公里|斤))"), "0.5"),
    (re.compile(r"(\d)(块|斤|年|天)半"), r"\1.5\2"),
    (re.compile(r"(\d)点半"), r"\1:30"),
    (re.compile(r"(\d)点一刻|(\d)点15分?"), r"\1\2:15"),
    (re.compile(r"(\d)点三刻|(\d)点45分?"), r"\1\2:45"),
    (re.compile(r"(\d) and a half\b"), r"\1.5"),
    (re.compile(r"\b(\d+) (hour|day|year|mile|kilo)s? and a half\b"), r"\1.5 \2s"),
    (re.compile(r"\bhalf past (\d{1,2})\b"), r"\1:30"),
)


def with_digits(folded: str) -> str:
    """A folded text with its numbers in digits, and thousands, 万, k and percent worked out.

    >>> with_digits("三百五, 两万, 百分之三十, twenty-eight yuan, 2k, 一起, 两个半小时, half past nine, third floor")
    '350, 20000, 30%, 28 yuan, 2000, 一起, 2.5个小时, 9:30, 3th floor'
    """
    text = _MULTIPLIED.sub(_multiplied, _CHINESE.sub(_chinese, folded))
    text = _ARTICLE.sub("1 ", _HALF_A.sub("0.5 ", _ENGLISH.sub(_english, text)))
    text = _ORDINAL.sub(lambda found: f"{_ORDINALS[found.group()]}th", text)
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text


def chinese_value(numeral: str) -> float | None:
    """The number that a Chinese numeral stands for; None if it is not a number (十一千).

    >>> [chinese_value(numeral) for numeral in ("三百", "一千零五十", "两万三", "三百五", "二〇二四", "十二亿")]
    [300.0, 1050.0, 23000.0, 350.0, 2024.0, 1200000000.0]
    """
    if all(character in _DIGIT for character in numeral):
        return float("".join(str(_DIGIT[character]) for character in numeral))
    total, section, digit, last = 0, 0, None, 1
    for at, character in enumerate(numeral):
        if character in _DIGIT:
            digit = _DIGIT[character]
            # 三百五 is 350 and 两万三 is 23,000: a last digit counts tenths of the unit before it, except after 零.
            if at == len(numeral) - 1 and last >= 100 and numeral[at - 1] != "零":
                section += digit * last // 10 if last < 10**4 else 0
                total += digit * last // 10 if last >= 10**4 else 0
                digit = None
        elif character in _STEP:
            if digit is None and section and character != "十":
                return None
            section += (1 if digit is None else digit) * _STEP[character]
            digit, last = None, _STEP[character]
        else:
            section += digit or 0
            total = (total + section if character == "亿" else total) * (
                _MYRIADS[character] if character == "亿" else 1
            )
            total += section * _MYRIADS[character] if character == "万" else 0
            section, digit, last = 0, None, _MYRIADS[character]
    return float(total + section + (digit or 0))


def english_value(words: str) -> float | None:
    """The number that English number words stand for; None if they are not a number.

    >>> [english_value(words) for words in ("twenty-eight", "two hundred and five", "a thousand", "half a million")]
    [28.0, 205.0, 1000.0, 500000.0]
    """
    total = section = 0.0
    known = False
    for word in re.findall(r"[a-z]+", words):
        if word == "half":
            section = 0.5
        elif (value := _VALUE.get(word)) is not None:
            section, known = section + value, True
        elif (factor := _TIMES.get(word.rstrip("s"))) is not None:
            known = True
            if factor >= 1000:
                total, section = total + (section or 1) * factor, 0.0
            else:
                section = (section or 1) * factor
    return total + section if known else None


def _chinese(found: re.Match[str]) -> str:
    numeral = found.group()
    after = found.string[found.end() : found.end() + 3]
    measured = bool(_MEASURED.match(after))
    if numeral in _NO_NUMBER and not (numeral == "一" and (measured or (after and after[0] in CLASSIFIERS))):
        return numeral
    if len(numeral) == 1 and not (measured or _COUNTED.match(after)):
        return numeral
    before = found.string[max(0, found.start() - 2) : found.start()]
    if numeral == "十" and after.startswith("分") and not after.startswith("分钟"):
        return numeral  # 十分好吃: very good
    if len(numeral) == 1 and before.endswith(("周", "星期", "礼拜")):
        return numeral  # 周三 is a day of the week
    if numeral[0] in "万亿百千" or (numeral[0] in "万亿" and before[-1:].isdigit()):
        return numeral
    value = chinese_value(numeral)
    return numeral if value is None else plain_number(value)


def _english(found: re.Match[str]) -> str:
    words = found.group()
    if words in {"one", "zero", "a one"}:
        return words
    value = english_value(words)
    return words if value is None else plain_number(value)


def _multiplied(found: re.Match[str]) -> str:
    number, factor, tenths = found.groups()
    value = float(number.replace(",", "")) * _FACTOR[factor]
    if tenths and factor in "万亿千百":
        value += int(tenths) * _FACTOR[factor] / 10
    elif tenths:
        return found.group()
    return plain_number(value)


def plain_number(value: float) -> str:
    """A number as it is written, whole ones without a point.

    >>> plain_number(300.0), plain_number(1.5)
    ('300', '1.5')
    """
    return str(int(value)) if value == int(value) else repr(value)
