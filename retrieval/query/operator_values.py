"""Values of query operators: dates, likes, languages, places. Pure.

Each function takes the text after an operator's colon and returns its meaning, or None if it has none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from retrieval.text.language import COUNTRIES, LANGUAGE_CODES, UNKNOWN
from retrieval.types import Near

# Latitude and longitude of a place by name; None if unknown.
Locate = Callable[[str], tuple[float, float] | None]

DEFAULT_RADIUS_KM = 10.0
LARGEST_RADIUS_KM = 20_038.0  # half way around the earth: everything is in it
MOST_LIKES = 2**53
_LONGEST_VALUE = 200

_DATE = re.compile(r"([0-9]{4})(?:年|(?:[-/.]|年)([0-9]{1,2})(?:月|(?:[-/.]|月)([0-9]{1,2})日?)?)?")
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,16}(?:\.[0-9]{1,3})?)(?:[kw千万])?"
_LIKES = re.compile(rf"(>=|=>|≥|<=|=<|≤|>|<|=)?\s*({_NUMBER})")
_LIKES_RANGE = re.compile(rf"({_NUMBER})\s*(?:\.\.|-|~|–)\s*({_NUMBER})")
_SCALES = {"k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000}
_KILOMETRES = {
    "": 1.0, "km": 1.0, "公里": 1.0, "千米": 1.0, "m": 0.001, "米": 0.001, "mi": 1.609344, "mile": 1.609344,
    "miles": 1.609344, "英里": 1.609344,
}  # fmt: skip
_RADIUS = re.compile(rf"([0-9]{{1,6}}(?:\.[0-9]{{1,6}})?)\s*({'|'.join(filter(None, _KILOMETRES))})?")
_COORDINATE = r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?)"
_COORDINATES = re.compile(rf"{_COORDINATE}\s*,\s*{_COORDINATE}(?:\s*,\s*(.*))?")
# Other names of languages.
_LANGUAGE_NAMES = COUNTRIES | {
    "chinese": "zh", "中文": "zh", "汉语": "zh", "english": "en", "英文": "en", "英语": "en", "japanese": "ja",
    "日文": "ja", "日语": "ja", "korean": "ko", "韩文": "ko", "韩语": "ko", "french": "fr", "法语": "fr",
    "german": "de", "德语": "de", "spanish": "es", "西班牙语": "es", "russian": "ru",
    "俄语": "ru", "thai": "th", "泰语": "th",
}  # fmt: skip


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", value[:_LONGEST_VALUE]).strip().lower()


def read_period(value: str) -> tuple[datetime, datetime | None] | None:
    """A day, a month or a year as [start, end) in UTC; the end is None where the calendar ends.

    >>> [moment.date().isoformat() for moment in read_period("2024年2月")]
    ['2024-02-01', '2024-03-01']
    """
    found = _DATE.fullmatch(_plain(value))
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None, "the pattern requires a year"
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    try:
        if day is not None:
            following = first + timedelta(days=1)
        elif month is not None:
            following = date(year + month // 12, month % 12 + 1, 1)
        else:
            following = date(year + 1, 1, 1)
    except (ValueError, OverflowError):
        return _midnight(first), None
    return _midnight(first), _midnight(following)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_likes(value: str) -> tuple[int | None, int | None] | None:
    """Minimum and maximum of likes; a plain number is the minimum. None means no bound; likes are never below 0.

    >>> read_likes(">100"), read_likes("<=1.5k"), read_likes("2万..3万")
    ((101, None), (None, 1500), (20000, 30000))
    """
    value = _plain(value)
    if between := _LIKES_RANGE.fullmatch(value):
        least, most = _number(between[1]), _number(between[2])
        return (least, most) if least <= most else None
    found = _LIKES.fullmatch(value)
    if found is None:
        return None
    number = _number(found[2])
    match found[1]:
        case ">":
            return number + 1, None
        case "<":
            return (None, number - 1) if number > 0 else None
        case "<=" | "=<" | "≤":
            return None, number
        case "=":
            return number, number
        case _:
            return number, None


def _number(written: str) -> int:
    digits = written.rstrip("kw千万")
    scale = _SCALES[written[-1]] if digits != written else 1
    return min(round(float(digits.replace(",", "")) * scale), MOST_LIKES - 1)


def read_language(value: str) -> str | None:
    """The code of a language, given as a code, a country code used for one, or a common name."""
    value = _plain(value)
    if value == UNKNOWN:
        return value
    code = _LANGUAGE_NAMES.get(value) or value.replace("_", "-").split("-")[0]
    return code if code in LANGUAGE_CODES else None


def plain_author(written: str) -> str:
    """An author's name without the sign before it."""
    return written.strip().lstrip("@＠").strip()


def plain_tag(written: str) -> str:
    """A tag without the sign before it and, where it has one, the sign that closes it; "C#" stays as it is.

    >>> plain_tag("#大理#"), plain_tag("＃coffee"), plain_tag("C#")
    ('大理', 'coffee', 'C#')
    """
    tag = written.strip()
    return tag.strip("#＃").strip() if tag[:1] in {"#", "＃"} else tag


def read_near(value: str, locate: Locate) -> Near | str | None:
    """A circle from `place`, `place,radius`, `latitude,longitude` or `latitude,longitude,radius`.

    Returns:
        The place's name if `locate` does not know it; None if it is not a place and a distance.
    """
    value = unicodedata.normalize("NFKC", value[:_LONGEST_VALUE]).strip()
    found = _COORDINATES.fullmatch(value)
    if found is not None:
        radius = DEFAULT_RADIUS_KM if found[3] is None else _radius_km(found[3])
        return _circle(float(found[1]), float(found[2]), radius)
    name, comma, last = value.rpartition(",")
    radius = _radius_km(last) if comma else None
    if radius is None:
        name, radius = value, DEFAULT_RADIUS_KM
        if re.search(r"[0-9]", last) and comma:
            return None  # "Shanghai,10 parsecs"
    name = name.strip(" ,")
    if not any(character.isalpha() for character in name):
        return None
    point = locate(name)
    return name if point is None else _circle(*point, radius)


def _radius_km(written: str) -> float | None:
    found = _RADIUS.fullmatch(written.strip().lower())
    return None if found is None else float(found[1]) * _KILOMETRES[found[2] or ""]


def _circle(latitude: float, longitude: float, radius_km: float | None) -> Near | None:
    if radius_km is None or not 0 < radius_km <= LARGEST_RADIUS_KM:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Near(latitude, longitude, radius_km)
