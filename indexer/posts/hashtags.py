"""Hashtags in the text of a post, as people and platforms write them. Pure."""

from __future__ import annotations

import re

from retrieval.query.pieces import TAG, tells

_LONGEST = 30  # code points; what is longer is a sentence that begins with a sign
# From a sign to the next white space. C#, &#39; and the part of an address after # are none.
_RUN = re.compile(r"(?<![A-Za-z0-9_&/=#＃])[#＃](?=[^\s#＃])\S{1,500}")
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}", re.ASCII | re.IGNORECASE)
_SIGN = re.compile(r"[#＃]")
_LABEL = re.compile(r"\[[^\[\]]{1,4}\]$")  # Xiaohongshu's #大理[话题]#


def hashtags(text: str) -> list[str]:
    """The hashtags of a text, without signs, each once, in its order.

    An even number of signs without white space between them are pairs, as on Weibo; otherwise each sign begins a tag.

    >>> hashtags("今天的 #早市# 七点就没了 #港口早市"), hashtags("#brunch #探店#豆花#甜口 in C#")
    (['早市', '港口早市'], ['brunch', '探店', '豆花', '甜口'])
    """
    if "#" not in text and "＃" not in text:
        return []
    found: dict[str, None] = {}
    for run in _RUN.findall(_ADDRESS.sub(" ", text)):
        _, *parts = _SIGN.split(run)
        if len(parts) % 2 == 0:
            tags = [_LABEL.sub("", part) for part in parts[::2]]
        else:
            tags = [part for part in parts[:-1] if _opening(part) == part] + [_opening(parts[-1])]
        found |= dict.fromkeys(tag for tag in tags if tells(tag) and not tag.isdigit() and len(tag) <= _LONGEST)
    return list(found)


def _opening(part: str) -> str:
    """The tag that a text begins with."""
    tag = TAG.match(part)
    return tag.group().rstrip(".") if tag else ""
