"""Times in ordinary words: last week, in 2024, three months ago, 去年, 上个月, 2025年3月. Pure.

Only times that say when something was: posts of that time can tell. "Now", "these days" and what is to come limit
nothing.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final

# Words for small numbers in both languages.
_NUMBERS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "three": 3, "few": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "一": 1, "两": 2, "二": 2, "三": 3, "几": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_UNITS: Final = {
    "day": "day", "天": "day", "week": "week", "周": "week", "星期": "week", "礼拜": "week", "month": "month",
    "月": "month", "year": "year", "年": "year",
}  # fmt: skip
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_BACK: Final = {
    "yesterday": 1, "last night": 1, "the day before yesterday": 2, "昨天": 1, "昨日": 1, "昨晚": 1, "昨夜": 1,
    "前天": 2, "前晚": 2, "今年": 0, "去年": 1, "前年": 2,
}  # fmt: skip

_NUMBER_EN = r"(?:[0-9]{1,3}|a\ couple\ of|a\ few|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_NUMBER_ZH = r"(?:[0-9]{1,3}|[一两二三四五六七八九十几])"
_MONTH_EN = r"(?:" + "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "may" else "may" for name in _MONTHS) + ")"
_YEAR = r"(?:19|20)[0-9]{2}"

# Whatever begins like a time but is another word: 桌上周围, 这周边, 过去年轻时, 上周末, 2024年款. No alternative
# repeats anything without a bound, so that the whole is linear.
TIMES = rf"""
    (?a:(?<![A-Za-z0-9_'’-]))(?i:
        (?:the\ day\ before\ yesterday|yesterday|last\ night)
      | (?:back\ )?(?:from\ |in\ |during\ |over\ )?(?:the\ )?(?:last|past|previous|this)\ (?:{_NUMBER_EN}\ )?
            (?:days?|weeks?|months?|years?)(?!['’]s|\ of\b)
      | (?:about\ |around\ )?{_NUMBER_EN}\ (?:days?|weeks?|months?|years?)\ (?:ago|back)
      | (?:back\ )?(?:in|during|since|before|after|until)\ (?:{_MONTH_EN}\.?,?\ )?{_YEAR}
    )(?a:(?![A-Za-z0-9_-]))
    | (?: 昨[天日晚夜] | 前[天晚]
    | (?:上{{1,3}}个?(?:周|星期|礼拜)|[这本]个?(?:周|星期|礼拜))(?![末日天一二三四五六围边期年岁])
    | (?:上{{1,3}}个|[这本]个?)月(?![票卡饼亮球份])
    | (?<![过以之])(?:[去前今]年|{_YEAR}年)(?:(?:[0-9]{{1,2}}|十?[一二三四五六七八九十])月份?)?
            (?:以来|以后|之后|以前|之前)?(?![款版型级代轻龄纪货糕]|以?[后前])
    | (?:最近|近|过去)的?{_NUMBER_ZH}(?:天|个?(?:周|星期|礼拜)|个月|年)(?:以?[来内]|里|间)?
    | (?:前[几两](?:天|个月|年)|这[几两]年)
    | {_NUMBER_ZH}(?:天|个?(?:周|星期|礼拜)|个月|年)以?前
    | 半年(?:以?[内前来]) )的?
"""
# What stands before a time that is compared with, not asked about: cheaper than last year, 比去年贵.
_COMPARED = re.compile(
    r"(?:\b(?:than|like|as|of|vs|versus|for|every|each|since|until|by)|还是|[比跟和与像同从自过到等每])\s{0,2}\Z",
    re.IGNORECASE,
)
# Somebody tells when something befell them: the posts that can help may be of any time.
_TOLD = re.compile(r"(?a:\b(?:i|i['’]\w{1,2}|we|we['’]\w{1,2}|my|our)\b)|[我俺咱]", re.IGNORECASE)
_CLAUSE = re.compile(r"[,，。.;；:：!！?？、\n]")
_STARTS_EN = re.compile(r"(?:back )?(since|after|before|until)\b")
_ENDS_ZH = re.compile(r"(以来|以后|之后|以前|之前)\Z")


def read_time(phrase: str, today: date) -> tuple[datetime | None, datetime | None] | None:
    """The time that a phrase names, as [since, until) in UTC; None where it names none. One bound may be open.

    >>> [moment.date().isoformat() for moment in read_time("last month", date(2026, 12, 1))]
    ['2026-11-01', '2026-12-01']
    >>> [moment.date().isoformat() for moment in read_time("去年3月", date(2026, 12, 1))]
    ['2025-03-01', '2025-04-01']
    """
    said = " ".join(phrase.lower().split()).removesuffix("的")
    try:
        first, end = _english(said, today) if said.isascii() else _chinese(said, today)
    except (ValueError, OverflowError):
        return None
    if first is None and end is None:
        return None
    return _midnight(first), _midnight(end)


def limits(text: str, start: int, end: int) -> bool:
    """Whether the time at [start, end) of a query says of when the answer should be. It does not where it is compared
    with ("cheaper than last year", 今年和去年), nor where the asker tells a story ("I moved here last month, ...").
    """
    if _COMPARED.search(text[max(0, start - 12) : start]):
        return False
    before, after = text[max(0, start - 80) : start], text[end : end + 80]
    clause = _CLAUSE.split(before)[-1] + " " + _CLAUSE.split(after)[0]
    return _TOLD.search(clause) is None


_Days = tuple[date | None, date | None]


def _english(said: str, today: date) -> _Days:
    if said in _BACK:
        return _lately(_BACK[said], today)
    if found := re.search(rf"(?:({_MONTH_EN})\.?,? )?({_YEAR})\Z", said):
        month = 1 + next(at for at, name in enumerate(_MONTHS) if name.startswith(found[1][:3])) if found[1] else None
        bound = _STARTS_EN.match(said)
        return _bounded(_calendar(int(found[2]), month), bound[1] if bound else "")
    if found := re.search(rf"({_NUMBER_EN}) (day|week|month|year)s? (?:ago|back)\Z", said):
        return _ago(_number(found[1]), found[2], today)
    if found := re.search(rf"(last|past|previous|this) (?:({_NUMBER_EN}) )?(day|week|month|year)s?\Z", said):
        if found[2]:
            return _back(today, _number(found[2]), found[3]), today + timedelta(days=1)
        # "The last day" is somebody's last.
        return (None, None) if found[3] == "day" else _whole(found[3], 0 if found[1] == "this" else 1, today)
    return None, None


def _chinese(said: str, today: date) -> _Days:
    if said in _BACK and not said.endswith("年"):
        return _lately(_BACK[said], today)
    if found := re.match(r"(上+|[这本])个?(周|星期|礼拜|月)\Z", said):
        return _whole(_UNITS[found[2]], len(found[1]) if found[1][0] == "上" else 0, today)
    if found := re.match(rf"(?:([去前今]年)|({_YEAR})年)(?:([0-9]{{1,2}}|[一二三四五六七八九十]{{1,2}})月份?)?", said):
        year = today.year - _BACK[found[1]] if found[1] else int(found[2])
        month = _number(found[3]) if found[3] else None
        bound = _ENDS_ZH.search(said)
        return _bounded(_calendar(year, month), _BOUNDS[bound[1]] if bound else "")
    if found := re.search(rf"({_NUMBER_ZH})(天|个?(?:周|星期|礼拜)|个月|年)", said):
        number, unit = _number(found[1]), _UNITS[found[2].removeprefix("个")]
        return _ago(number, unit, today) if said.endswith("前") else (_back(today, number, unit), today + timedelta(1))
    if said.startswith("半年"):
        return _ago(6, "month", today) if said.endswith("前") else (_back(today, 6, "month"), today + timedelta(1))
    return None, None


_BOUNDS: Final = {"以来": "since", "以后": "after", "之后": "after", "以前": "before", "之前": "before"}


def _bounded(period: tuple[date, date], bound: str) -> _Days:
    first, end = period
    match bound:
        case "since":
            return first, None
        case "after":
            return end, None
        case "before":
            return None, first
        case "until":
            return None, end
        case _:
            return first, end


def _lately(back: int, today: date) -> tuple[date, date]:
    """A day, and those since: what happened yesterday is told today."""
    return today - timedelta(days=back), today + timedelta(days=1)


def _calendar(year: int, month: int | None) -> tuple[date, date]:
    if month is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _whole(unit: str, back: int, today: date) -> _Days:
    """A week from Monday, a month or a year, so many back from the one that today is in."""
    if unit == "year":
        return _calendar(today.year - back, None)
    if unit == "month":
        first = _months_back(today.replace(day=1), back)
        return _calendar(first.year, first.month)
    monday = today - timedelta(days=today.weekday() + 7 * back)
    return monday, monday + timedelta(days=7)


def _ago(number: int, unit: str, today: date) -> _Days:
    """Around that day: people round, the more the longer ago."""
    if unit == "year":
        return _calendar(today.year - number, None)
    day = _back(today, number, unit)
    about = timedelta(days={"day": 0, "week": 4, "month": 16}[unit])
    return day - about, day + about + timedelta(days=1)


def _back(today: date, number: int, unit: str) -> date:
    if unit in {"day", "week"}:
        return today - timedelta(days=number * (7 if unit == "week" else 1))
    return _months_back(today, number * (12 if unit == "year" else 1))


def _months_back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _number(said: str) -> int:
    said = said.removeprefix("a ") if said.startswith("a ") else said
    if said.isdigit():
        return int(said)
    if len(said) == 2 and said[0] == "十":
        return 10 + _NUMBERS[said[1]]
    return _NUMBERS[said]


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
