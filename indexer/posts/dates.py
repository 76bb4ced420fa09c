"""Dates as exports write them, read only if they are unambiguous."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

EARLIEST_YEAR = 1900  # databases give year 1 for a missing date; sorting by it would be silently wrong
LATEST_YEAR = 2999

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
# Time after a date: 15:20, 15:20:31.5, 3:20 PM; with Z, UTC, GMT, +08:00 or +0800, or nothing.
_TIME = (
    r"(?:[T,\s]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?P<zone>[A-Za-z]{1,4}|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)?)?"
)
_HALVES = "上午|下午|晚上|傍晚|早上|清晨|凌晨|中午|午前|午後|오전|오후"
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TIME)
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _TIME)
_SLASHED = re.compile(r"(?P<first>\d{1,2})(?P<mark>[/-])(?P<second_>\d{1,2})(?P=mark)(?P<year>\d{4})" + _TIME)
_DAY_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<name>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>\d{4})"
    + _TIME
)
_MONTH_NAMED = re.compile(r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _TIME)
_YEAR_LAST = re.compile(  # Wed Oct 10 20:19:24 +0000 2018, as C and the older Twitter write it
    r"[A-Za-z]{3}\s+(?P<name>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?P<fraction>)(?P<half>)\s+(?:(?P<zone>[A-Z]{1,4}|[+-]\d{2}:?\d{2})\s+)?(?P<year>\d{4})"
)
_CHINESE = re.compile(
    r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日号號일]?"
    r"(?:\s*(?:星期|周|週)[一二三四五六日天])?"
    r"(?:\s*(?P<half>" + _HALVES + r")?\s*(?P<hour>\d{1,2})\s*[:：时時点點]\s*(?:(?P<minute>\d{1,2})\s*分?)?"
    r"(?:\s*[:：]?\s*(?P<second>\d{1,2})\s*秒?)?(?P<fraction>)\s*(?P<zone>Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)?)?"
)
_HALF_NAMED = re.compile(  # 2024-05-12 下午 03:20:00
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})\s*(?P<half>" + _HALVES + r")\s*"
    r"(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?:[:：](?P<second>\d{2}))?(?P<fraction>)(?P<zone>)"
)
_COMPACT = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")
_RFC_2822 = re.compile(r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s+[A-Za-z]{3}\s+\d{2,4}\s+\d{1,2}:\d{2}")
_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")


# UTC, for a value that says no zone; compared by identity.
ASSUMED_UTC = timezone(timedelta(0), "UTC")
# Zone names that mean one zone. IST, BST and AST do not; CST does in RFC 2822 alone: elsewhere it may be China's.
_ZONES = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "HKT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


class UnreadableDate(str):
    """A date that a mapping could not read, as it was written; it is not read in another way.

    Attributes:
        why: As DateError says it.
    """

    why: str

    def __new__(cls, written: object, why: str) -> UnreadableDate:
        made = super().__new__(cls, written)
        made.why = why
        return made


class DateError(ValueError):
    """Why a value is not a date; follows the value in a sentence: "is the string '8/4/2016', which ..."."""


def read_moment(value: str | float, zone: tzinfo = UTC, pattern: str = "") -> datetime:
    """Parse a date, with time zone.

    Accepted are ISO 8601 and variants (2024/5/1 8:03), RFC 2822, 2024年5月1日, May 5, 2024, 31.12.2024, dates such as
    13/05/2024 where one number cannot be a month, and s, ms, µs and ns since 1970, told apart by their size.

    Args:
        zone: Used if the value has none.
        pattern: A format of `datetime.strptime`, or "s", "ms", "us", "ns" for a number since 1970. Only that is read.

    Raises:
        DateError: It is not a date, or could be two: 05/03/2024.

    >>> [str(read_moment(value).date()) for value in (1715527200, "1715527200000", "2024年5月12日", "12 May 2024")]
    ['2024-05-12', '2024-05-12', '2024-05-12', '2024-05-12']
    """
    if isinstance(value, UnreadableDate):
        raise DateError(value.why)
    moment = _by_pattern(value, pattern) if pattern else _read(value)
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise DateError(f"which is not in {EARLIEST_YEAR} to {LATEST_YEAR}")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _by_pattern(value: str | float, pattern: str) -> datetime:
    units = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
    if pattern in units:
        if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
            raise DateError(f"which is not a number of {pattern} since 1970")
        return _since_1970(float(value), units[pattern])
    try:
        return datetime.strptime(str(value).strip(), pattern)  # noqa: DTZ007  # the caller adds the zone
    except ValueError:
        raise DateError(f"which is not written as {pattern}") from None


def _read(value: str | float) -> datetime:
    if not isinstance(value, str):
        compact = str(value) if isinstance(value, int) and 1.9e13 <= value < 2.1e13 else ""
        return _compact(compact) if _COMPACT.fullmatch(compact) else _by_size(float(value))
    text = value.strip()
    if not text.isascii() and (found := _CHINESE.fullmatch(text) or _HALF_NAMED.fullmatch(text)):
        return _of(found)
    if _DIGITS.fullmatch(text):
        if _COMPACT.fullmatch(text):  # 20240512152000; as a number of milliseconds it would be in the year 2611
            return _compact(text)
        # 20240512 is a date; as seconds since 1970 it would be a day in 1970.
        return _iso(text) if len(text) == 8 else _by_size(float(text))
    if text[4:5] == "-":  # the most common notation, and the fastest to parse
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    for shape in (_YEAR_FIRST, _DOTTED, _YEAR_LAST, _DAY_NAMED, _MONTH_NAMED):
        if found := shape.fullmatch(text):
            if found["zone"] == "CST" and shape is not _DAY_NAMED:
                raise DateError("which is not a date of one meaning: CST is a zone of China and of North America")
            return _of(found)
    if found := _SLASHED.fullmatch(text):
        return _slashed(found)
    if _RFC_2822.match(text):
        try:
            return parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            raise DateError("which is not a date") from None
    return _iso(text)


def _compact(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S" if len(text) == 14 else "%Y%m%d%H%M")  # noqa: DTZ007  # the caller adds the zone
    except ValueError:
        raise DateError("which is not a date") from None


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise DateError("which is not a date") from None


def _by_size(number: float) -> datetime:
    """A number since 1970: 10 digits of seconds, 13 of milli-, 16 of micro-, 19 of nanoseconds.

    The limits are far from each unit's likely range: 1e11 s is the year 5138, and 1e11 ms is March 1973.
    """
    size = abs(number)
    if size < 1e8:  # before March 1973, or not a time at all: a count, a year, an id, 20240512
        raise DateError("which is too small to be clearly a number of seconds since 1970")
    if 1.9e13 <= size < 2.1e13:  # milliseconds in the years 2572 to 2635: rather 20240512152000, misspelt
        raise DateError("which is not a date: it is too large for milliseconds since 1970")
    for unit, most in ((1.0, 1e11), (1e3, 1e14), (1e6, 1e17), (1e9, 1e20)):
        if size < most:
            return _since_1970(number, unit)
    raise DateError("which is too large for a date")


def _since_1970(number: float, unit: float) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit)
    except (OverflowError, ValueError):
        raise DateError("which is too large for a date") from None


def _slashed(found: re.Match[str]) -> datetime:
    first, second, year = int(found["first"]), int(found["second_"]), int(found["year"])
    if first <= 12 and second <= 12 and first != second:
        raise DateError(
            f"which may be {year}-{first:02}-{second:02} or {year}-{second:02}-{first:02} (a mapping with date = "
            f"'%d/%m/%Y' or '%m/%d/%Y' says which)"
        )
    month, day = (second, first) if first > 12 else (first, second)
    return _at(found, year, month, day)


def _of(found: re.Match[str]) -> datetime:
    parts = found.groupdict()
    month = _MONTHS.get(parts["name"][:3].lower(), 0) if "name" in parts else int(parts["month"])
    return _at(found, int(parts["year"]), month, int(parts["day"]))


def _at(found: re.Match[str], year: int, month: int, day: int) -> datetime:
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if (
        half in {"p", "下午", "晚上", "傍晚", "中午", "午後", "오후"}
        and hour < 12
        and not (half == "中午" and hour > 10)
    ):
        hour += 12
    elif half in {"a", "上午", "凌晨", "早上", "清晨", "午前", "오전"} and hour == 12:
        hour = 0
    micros = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    midnight = hour == 24 and not int(found["minute"] or 0) and not int(found["second"] or 0)  # ISO 8601 allows it
    hour = 0 if midnight else hour
    try:
        moment = datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), micros)  # noqa: DTZ001  # its zone comes next, if it has one
        moment += timedelta(days=midnight)
    except (ValueError, OverflowError):
        raise DateError("which is not a date") from None
    return moment.replace(tzinfo=_zone(found["zone"])) if found["zone"] else moment


def _zone(written: str) -> tzinfo:
    if written.isalpha():
        if written.upper() not in _ZONES:
            raise DateError(f"which has the time zone {written!r}, and that is not one zone alone")
        return timezone(timedelta(hours=_ZONES[written.upper()]))
    sign, digits = (-1 if "-" in written else 1), re.sub(r"\D", "", written)
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    try:
        return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    except ValueError:
        raise DateError(f"which has the time zone {written!r}, and there is none") from None
