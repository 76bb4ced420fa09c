"""Models, exams and the like that a question names by letters and digits, and that no post found mentions. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.text.folding import fold, han_runs

# S3, N3, V60; not 144h or 5k, which say how much.
_LETTERS_AND_DIGITS = re.compile(r"(?<![a-z0-9])[a-z]+\d+[a-z0-9]*")
# In a Chinese question a capital letter begins a name: 英国ETA.
_LATIN_NAME = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Za-z]+\d*")
_NUMBER = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)"
_NUMBERED = re.compile(rf"(?<![\w.])([a-z]{{4,}}) ({_NUMBER})(?![\w.:])")


def absent_name(question: str, texts: Sequence[str]) -> str:
    """A name of the question that none of the texts holds; "" where they hold all.

    A word with a number after it is a name where the texts have that word with another number after it.

    >>> absent_name("how heavy is the Kestrel Three", ["Kestrel Two, 1.9 kg packed"]), absent_name("is it 2", ["it is"])
    ('kestrel three', '')
    """
    asked, held = fold(question), fold("\n".join(texts))
    names: list[str] = _LETTERS_AND_DIGITS.findall(asked)
    if han_runs(asked):
        names += [fold(name) for name in _LATIN_NAME.findall(question)]
    for name in names:
        if not re.search(rf"(?<![a-z0-9]){re.escape(name[:1])}\W?{re.escape(name[1:])}(?![a-z0-9])", held):
            return name
    for word, number in _NUMBERED.findall(asked):
        others = set(re.findall(rf"(?<!\w){word} ({_NUMBER})(?!\w)", held))
        if others and number not in others:
            return f"{word} {number}"
    return ""
