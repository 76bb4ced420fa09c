"""Find the sentences of a text, in Chinese and English. Pure.

Every offset counts Unicode code points of the original text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.types import Span

# A sentence ends at any Chinese stop, at an English one that is followed by white space (not in 3.5, e.g., v1.2),
# and at the end of a line. Closing quotes and brackets belong to the sentence that they close.
_SENTENCE_END = re.compile(
    r"[。！？!?…~～]++[\u300d\u300f\u201d\u2019\"')）】》]*+|(?<!\.)\.++[\"')\]]*+(?=\s)|[;；](?=\s)|\n++"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|no|vs|approx|etc|e\.g|i\.e|a\.m|p\.m|jr|sr)|\b[A-Z])\.$", re.IGNORECASE
)
_SOFT_BREAK = re.compile(r"[，,、：:]|\s")
LONGEST_SENTENCE = 300
_LONGEST_NUMBER = 20  # of a list, with the white space before it


def sentences(text: str) -> list[Span]:
    """Spans of the sentences of a text, in order, without surrounding white space; together they cover everything else.
    A run of more than LONGEST_SENTENCE code points without an end is broken at a comma or space.
    """
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group().startswith(".") and _goes_on(text, start, match.start()):
            continue
        spans.extend(_trimmed_pieces(text, start, match.end()))
        start = match.end()
    spans.extend(_trimmed_pieces(text, start, len(text)))
    return spans


def _goes_on(text: str, start: int, stop: int) -> bool:
    """Whether the full stop at `stop` ends an abbreviation or a list number ("3. Pour slowly") and not a sentence."""
    edge = max(start, stop - _LONGEST_NUMBER)
    line = max(edge, text.rfind("\n", edge, stop) + 1)
    numbered = (line > edge or edge == start) and text[line:stop].strip().isdigit()
    return numbered or bool(_ABBREVIATION.search(text, max(start, stop - 8), stop + 1))


def _trimmed_pieces(text: str, start: int, end: int) -> Iterator[Span]:
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if end - start <= LONGEST_SENTENCE:
            break
        cut = start + LONGEST_SENTENCE
        for match in _SOFT_BREAK.finditer(text, start + LONGEST_SENTENCE // 2, start + LONGEST_SENTENCE):
            cut = match.end()
        yield from _trimmed_pieces(text, start, cut)
        start = cut
    if start < end:
        yield Span(start, end)
