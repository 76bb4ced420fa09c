"""Numbers with what they count, so that 三百元, 300 yuan and "three hundred yuan" are equal. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.answering.comparison.numerals import CLASSIFIERS, with_digits
from retrieval.text.folding import fold

# A unit as written after a number, its measure, and how many of the measure's smallest unit it is.
_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"yuan\b|rmb\b|cny\b|kuai\b|人民币|块钱|元|块|圆", "yuan", 1),
    (r"美元|美金|刀|dollars?\b|usd\b|bucks?\b", "dollar", 1),
    (r"欧元?|euros?\b|eur\b", "euro", 1),
    (r"日元|yen\b|jpy\b", "yen", 1),
    (r"英镑|gbp\b|quid\b", "pound", 1),
    (r"%|percent\b|per cent\b", "percent", 1),
    (r"折", "tenth of the price", 1),
    (r"分钟|minutes?\b|mins?\b", "minute", 1),
    (r"刻钟", "minute", 15),
    (r"个?小时|个?钟头|hours?\b|hrs?\b", "minute", 60),
    (r"天(?![上气然])|days?\b", "minute", 1440),
    (r"晚(?![上点餐饭])|nights?\b", "night", 1),
    (r"周(?![年一二三四五六日末])|个?星期(?![一二三四五六日天])|weeks?\b", "minute", 10080),
    (r"个月|months?\b", "month", 1),
    (r"years?\b", "month", 12),
    (r"公里|千米|km\b|kilomet(?:er|re)s?\b", "metre", 1000),
    (r"平方?米|平(?![方时日常])|square met(?:er|re)s?\b|sqm\b|m2\b", "square metre", 1),
    (r"米(?![饭粉线])|met(?:er|re)s?\b", "metre", 1),
    (r"英里|miles?\b", "mile", 1),
    (r"公斤|千克|kg\b|kilos?\b|kilograms?\b", "gram", 1000),
    (r"斤", "gram", 500),
    (r"克|grams?\b", "gram", 1),
    (r"°c?|摄氏度|度|degrees?\b", "degree", 1),
    (r"楼|层|floors?\b|storeys?\b", "floor", 1),
    (r"号线", "line", 1),
    (r"个?人(?![民均气])|people\b|persons?\b", "person", 1),
)
_UNIT = "|".join(f"(?P<u{number}>{written})" for number, (written, _, _) in enumerate(_UNITS))
_SIGN = {"¥": "yuan", "$": "dollar", "€": "euro", "£": "pound"}
_DECIMAL = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?P<sign>[¥$€£])?\s?(?<![\d.])(?<![a-z])(?P<number>{_DECIMAL})(?:st|nd|rd|th)?(?![a-z]*\d)(?:[多余来几]|\+)?[\s-]?(?:{_UNIT})?"
)

_COUNTED = re.compile(r"[\s-]?([a-z]{3,40}?(?=s?\b)|[个只条家次张杯份位间种件套]?[\u3400-\u9fff])")
_FEW = 3
# The day in "40 yuan a day": others write 40/day, or leave it out.
_RATES = frozenset({"minute", "night", "month", "person"})

# rmb300 is a price; c3 and line2 are names, which are words.
_CODE = re.compile(r"\b(rmb|cny|usd|eur)(?=\d)")
_LIST_NUMBER = re.compile(r"^[^\S\n]{0,20}(?:no\.\s?)?\d{1,2}[.)、](?=\s)\s*", re.MULTILINE)

_HALF = r"(?:(?P<half>上午|早上|早晨|清晨|凌晨|中午|下午|傍晚|晚上|夜里)\s?)?"
_CLOCK = re.compile(
    rf"{_HALF}(?<![\d.:])(?P<hour>[01]?\d|2[0-4])"
    r"(?::(?P<minute>[0-5]\d)(?!\d)|点(?![了儿心评赞菜餐都也])(?:钟|整|(?P<past>[0-5]?\d)分?)?|(?=\s?(?:[ap]\.?m\b|o['’]?clock)))"
    r"(?:\s?(?P<english_half>[ap])\.?m\b\.?|\s?o['’]?clock)?"
    r"(?:\s(?:in the|at)\s(?P<part>morning|afternoon|evening|night))?"
)
_EVENING = {"下午", "傍晚", "晚上", "夜里", "p", "afternoon", "evening", "night"}

_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_DATE = re.compile(
    rf"(?<!\d)(?P<year>(?:19|20)\d\d)\s?[-/.年]\s?(?P<month>1[0-2]|0?[1-9])(?!\d)(?:\s?[-/.月]\s?(?P<day>{_DAY})(?!\d)[日号]?|月)?"
    rf"|(?<!\d)(?P<month_2>1[0-2]|0?[1-9])月(?:份|(?P<day_2>{_DAY})[日号])?"
    rf"|(?<!\d)(?P<day_3>{_DAY})[日号](?![线楼店馆院])"
    rf"|\b(?P<name>{_MONTH})\b\.?\s(?P<day_4>{_DAY})(?:st|nd|rd|th)?\b(?!:|\s?[ap]\.?m)"
    rf"|(?<!\d)(?P<day_5>{_DAY})(?:st|nd|rd|th)?\s(?:of\s)?(?P<name_2>{_MONTH})\b"
    r"|\b(?:in|since|until|till|by|early|late|mid|last|next)[\s-](?P<name_3>may|march)\b(?!\s(?:be|not|have))"
    rf"|\b(?!may\b|mar\b|march\b)(?P<name_4>{_MONTH})\b"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts.

    Attributes:
        value: As written: 1.5 in "1.5 hours". For a time of day, the hour as written.
        measure: Such as "minute" or "yuan"; "" where no known unit follows.
        size: The value in the measure's smallest unit: 90 for "1.5 hours". For a time of day, minutes since midnight.
        sure: Whether a time of day says which half of the day it is in.
        counted: The word after it, folded, unless it is a known unit.
    """

    value: float
    measure: str
    size: float
    sure: bool = True
    counted: str = ""

    def agrees(self, other: Quantity) -> bool:
        """Whether both may be the same number of the same thing; one without a measure may be of any."""
        if not self.measure or not other.measure:
            # 一杯 counts cups and nothing else.
            counts = (self.counted or other.counted)[:1]
            counted_apart = bool(self.measure or other.measure) and counts != "" and counts in CLASSIFIERS
            return not counted_apart and _equal(self.value, other.value)
        if self.measure != other.measure:
            return False
        if self.measure == "clock" and not (self.sure and other.sure):
            return _equal(self.size % 720, other.size % 720)
        return _equal(self.size, other.size)


def quantities(text: str) -> list[Quantity]:
    """The numbers in a text, however they are written; a lone "one" or 一 counts only before a unit.

    >>> [(q.size, q.measure) for q in quantities("三百块, 1.5 hours, 3.5万, 30%, 晚上9点")]
    [(1260.0, 'clock'), (300.0, 'yuan'), (90.0, 'minute'), (35000.0, ''), (30.0, 'percent')]
    """
    rest = _CODE.sub(r"\1 ", with_digits(_LIST_NUMBER.sub("", fold(text))))
    found: list[Quantity] = []
    for pattern, read in ((_DATE, _date), (_CLOCK, _clock), (_NUMBER, _number)):
        matches = list(pattern.finditer(rest))
        found += [quantity for match in matches for quantity in read(match)]
        for match in matches:  # nothing is read twice
            rest = rest[: match.start()] + "|" * (match.end() - match.start()) + rest[match.end() :]
    return found


def unmet(claim: str, evidence: str) -> list[Quantity]:
    """The numbers of a claim that no number of the evidence agrees with.

    A writer may have counted two or three of something; such numbers are unmet only if the evidence counts that thing
    differently.

    >>> unmet("It is 28 yuan for two hours.", "两小时28元"), [q.size for q in unmet("It is 82 yuan.", "两小时28元")]
    ([], [82.0])
    >>> unmet("for two reasons", "because of A and B"), len(unmet("two cats", "three cats and two dogs"))
    ([], 1)
    """
    shown = quantities(evidence)
    return [asked for asked in quantities(claim) if not _met(asked, shown)]


def others(claim: str, sentence: str) -> list[Quantity]:
    """Numbers with a unit in the claim, where the sentence has others of the same measure and none that agrees.

    >>> [q.size for q in others("A latte is 3 yuan.", "A latte is 28 yuan.")], others("A latte is 3 yuan.", "A latte.")
    ([3.0], [])
    """
    shown = quantities(sentence)
    return [
        asked
        for asked in quantities(claim)
        if asked.measure
        and any(one.measure == asked.measure for one in shown)
        and not any(asked.agrees(one) for one in shown)
    ]


def _met(asked: Quantity, shown: list[Quantity]) -> bool:
    if asked.value == 1 and asked.measure in _RATES:
        same = [one for one in shown if one.measure == asked.measure]
        return not same or any(asked.agrees(one) for one in same)
    if asked.measure or asked.value > _FEW:
        return any(asked.agrees(one) for one in shown)
    of_it = [one for one in shown if one.counted and one.counted == asked.counted]
    return not of_it or any(asked.agrees(one) for one in of_it)


def _date(found: re.Match[str]) -> Iterator[Quantity]:
    parts = found.groupdict()
    if parts["year"]:
        yield Quantity(float(parts["year"]), "", float(parts["year"]))
    name = next((parts[key] for key in ("name", "name_2", "name_3", "name_4") if parts[key]), "")
    month = float(_MONTHS.index(name[:3]) + 1) if name else float(parts["month"] or parts["month_2"] or 0)
    day = float(next((parts[key] for key in ("day", "day_2", "day_3", "day_4", "day_5") if parts[key]), 0))
    if month:
        yield Quantity(month, "month of the year", month)
    if day:
        yield Quantity(day, "day of the month", day)


def _clock(found: re.Match[str]) -> Iterator[Quantity]:
    hour, minute = int(found["hour"]), int(found["minute"] or found["past"] or 0)
    half = found["half"] or found["english_half"] or found["part"]
    late = half in _EVENING or (half == "中午" and hour < 3)
    sure = half is not None or hour > 12 or hour == 0
    size = (hour % 12 + 12 * late if half is not None and hour <= 12 else hour) * 60 + minute
    if half == "中午" and hour == 12:
        size = 720 + minute
    yield Quantity(hour + minute / 100, "clock", float(size), sure)


def _number(found: re.Match[str]) -> Iterator[Quantity]:
    value = float(found["number"].replace(",", ""))
    unit = next((number for number in range(len(_UNITS)) if found[f"u{number}"]), None)
    if unit is not None:
        _, measure, times = _UNITS[unit]
        yield Quantity(value, measure, value * times)
    else:
        measure = _SIGN.get(found["sign"] or "", "")
        after = _COUNTED.match(found.string, found.end())
        yield Quantity(value, measure, value, counted=after.group(1) if after and not measure else "")


def _equal(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
