"""Numbers as people's platforms show them: 1.2万, 10万+, 1,234, 1.2k, 999+. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_UNITS = {
    "": 1, "百": 100, "k": 1_000, "千": 1_000, "천": 1_000, "w": 10_000, "万": 10_000, "萬": 10_000, "만": 10_000,
    "m": 1_000_000, "b": 1_000_000_000, "亿": 100_000_000, "億": 100_000_000, "억": 100_000_000,
}  # fmt: skip
# Thousands are set apart by commas, apostrophes or spaces; never by a point, which could be a decimal one.
_COUNT = re.compile(
    r"(?P<sign>[-+]?)(?P<whole>\d{1,3}(?:(?P<mark>[,' ])\d{3})(?:(?P=mark)\d{3})*|\d{1,18})(?:\.(?P<part>\d{1,9}))?"
    r"\s?(?P<unit>[kwmb百千천万萬만亿億억]?)\+?\s?(?:赞|次|人|条|個|个)?"
)
# What stands on a button that nobody has pressed yet.
_NOBODY = frozenset(
    {"赞", "点赞", "喜欢", "收藏", "评论", "转发", "分享", "抢首评", "讚", "留言", "like", "comment", "share"}
)


def read_count(written: str) -> int | None:
    """The whole number that a string says; None if it says none, or one that is not whole.

    >>> [read_count(text) for text in ("1.2万", "10万+", "1.1亿", "1,234", "1.2k", "999+", "３４", "赞", "1.5", "x")]
    [12000, 100000, 110000000, 1234, 1200, 999, 34, 0, None, None]
    """
    text = unicodedata.normalize("NFKC", written).strip().lower().replace("’", "'")
    if text in _NOBODY:
        return 0
    found = _COUNT.fullmatch(text)
    if found is None:
        return None
    whole = re.sub(r"[,' ]", "", found["whole"])
    number = Decimal(f"{found['sign']}{whole}.{found['part'] or 0}") * _UNITS[found["unit"]]
    return int(number) if number == int(number) else None
