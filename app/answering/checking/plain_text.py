"""A model's sentence as plain words: no markup, no links, nothing invisible. Pure."""

from __future__ import annotations

import re

from app.answering.injection.deobfuscation import unveiled
from app.answering.injection.quarantine import carries_link

_IMAGE = re.compile(r"!\[[^\[\]\n]*\](?:\([^()\n]*\)|\[[^\[\]\n]*\])?")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\s?\((?:[^()\n]|\([^()\n]*\))*\)?|\[([^\[\]\n\d][^\[\]\n]*)\]\[[^\[\]\n]*\]")
_SCRIPT = re.compile(
    r"<(script|style|iframe|svg|object|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"</?[a-zA-Z!?\u3400-\u9fff][^<>\n]*>")
_LINE_START = re.compile(r"^\s*(?:#{1,6}\s+|>+\s*|[-*+•·]\s+|\d{1,2}[.)、]\s+|\|)+")
_LABEL = re.compile(r"^\s*(?:answer|final answer|response|a|答案?|回答)\s*[:：]\s*", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*{1,3}|_{2,3}|`{1,3}|~~|(?<![\w])_(?=\w)|(?<=\w)_(?![\w])")
# Marks written otherwise than the prompt asks for: superscripts, circled digits at the end, footnotes, daggers.
_DIGIT = "[¹²³⁰⁴-⁹₀-₉①-⑳⓪❶-❿➀-➓†‡]"
_ODD_MARK = re.compile(
    rf"(?<=[\w.。!！?？)）”\"])\s*(?:{_DIGIT}+|[\[［【〔⟦(（]\s*(?:\^[^\]]*|\d{{1,2}}|{_DIGIT}+)\s*[\]］】〕⟧)）])+(?=[\s.。]*$)"
)
_QUOTED_ALL = re.compile(r"^[\"“'‘「『](.+)[\"”'’」』]([.。!！]?)$")


def plain(written: str) -> str:
    """The sentence in plain words, "" if it held none; a link's text stays, its address goes.

    >>> plain("**A flat white** is [28 yuan](https://evil.example). ¹")
    'A flat white is 28 yuan.'
    """
    text = _SCRIPT.sub(" ", unveiled(written))
    text = _TAG.sub("", _IMAGE.sub("", text))
    text = _LINK.sub(lambda found: found.group(1) or found.group(2), text)
    text = _LABEL.sub("", _LINE_START.sub("", text))
    text = _ODD_MARK.sub("", _EMPHASIS.sub("", text).strip())
    text = re.sub(r"\s+", " ", text).strip(" |")
    whole = _QUOTED_ALL.match(text)
    return (whole.group(1) + whole.group(2)).strip() if whole else text


def is_plain(text: str) -> bool:
    """Whether no trace of a link, HTML or code is left in a sentence."""
    return not carries_link(text) and not re.search(
        r"^\s*[\[{]\s*[\"'{\[]|[\"']\s*:\s*[\"\[{]|[<>]{2}|```|\]\(|\S\s*\|\s*\S", text
    )
