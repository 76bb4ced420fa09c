"""A question with its slips of the keyboard put right, by the words of the posts found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from retrieval.text.folding import fold
from retrieval.text.highlight import LATIN_STOP

_WORD = re.compile(r"(?<![\w'’])[A-Za-z]{3,}(?![\w'’])")
# Least likeness (difflib's ratio) of a word and what it stands for: one slip in five letters, two in eight. Function
# words are few and say nothing about the subject: "wht", "shud".
_LIKE, _LIKE_FUNCTION = 0.82, 0.8
_SHORTEST = 5


def corrected(question: str, texts: Iterable[str]) -> str:
    """The question, in which words that none of the texts holds are those that they are slips of.

    Only the beginning is never mistyped: a name with another first letter is another name.

    >>> corrected("wher did pebbel n pour go", ["Pebble & Pour has moved"])
    'where did pebble n pour go'
    >>> corrected("quiet cafe in paris", ["The parks of Berlin"])
    'quiet cafe in paris'
    """
    written = list(_WORD.finditer(question))
    if not written:
        return question
    held = {word for text in texts for word in re.findall(r"[a-z]+", fold(text))}
    known = held | LATIN_STOP

    def meant(found: re.Match[str]) -> str:
        word = fold(found.group())
        if word in known or _without_ending(word) & known:
            return found.group()
        function = [one for one in LATIN_STOP if one[:1] == word[:1] and len(one) > len(word) - 1 and len(one) > 3]
        near = get_close_matches(word, function, n=1, cutoff=_LIKE_FUNCTION)
        if not near and len(word) >= _SHORTEST:
            own = [one for one in held if one[:1] == word[:1] and len(one) >= _SHORTEST]
            near = get_close_matches(word, own, n=1, cutoff=_LIKE)
        return near[0] if near and _is_slip(word, near[0]) else found.group()

    return _WORD.sub(meant, question)


def _without_ending(word: str) -> set[str]:
    """What an English ending may be on: "bikes" and "walking" are no slips of "bike" and "walk"."""
    stems = {word[: -len(end)] for end in ("s", "es", "ed", "d", "ing", "er", "ly", "'s") if word.endswith(end)}
    return stems | {f"{one}e" for one in stems} | {f"{word}s", f"{word}es", f"{word}ing", f"{word}d", f"{word}ed"}


def _is_slip(word: str, other: str) -> bool:
    """Whether letters are missing, doubled or exchanged, not one for another: "barber" is no slip of "barter"."""
    kinds = {kind for kind, *_ in SequenceMatcher(None, word, other, autojunk=False).get_opcodes()} - {"equal"}
    return "replace" not in kinds or sorted(word) == sorted(other)
