"""Whether a post contains exact phrases, and none of the excluded words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.text.folding import fold
from retrieval.types import Filters, Post

# Scripts without spaces between words: there a phrase may begin and end anywhere.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u303f\u3040-\u30ff\u3100-\u31ff\u3400-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = re.compile(rf"[^\W\d_{_UNSPACED}]")
_DIGIT = re.compile(r"\d")


def word_pattern(words: str) -> re.Pattern[str]:
    """A pattern for words in a folded text whose white space is single spaces, however they were typed.

    It matches whole words: "art" is not in "start", nor "28" in "128". Where scripts meet, or in scripts without
    spaces, anything may be adjacent: "28" is in "28元" and "iphone" in "iphone15".

    >>> [bool(word_pattern(words).search("拿铁28元, start")) for words in ("art", "START", "28", "8", "鐵")]
    [False, True, True, False, True]
    """
    folded = " ".join(fold(words).split())
    before, after = "", ""
    for kind in (_LETTER, _DIGIT):
        if folded and kind.match(folded[0]):
            before = rf"(?<!{kind.pattern})"
        if folded and kind.match(folded[-1]):
            after = rf"(?!{kind.pattern})"
    return re.compile(before + re.escape(folded) + after)


class Wording:
    """The exact phrases and excluded words of filters.

    They are looked for in the title, the text, each tag and each comment, folded; never across two of them.
    """

    def __init__(self, filters: Filters) -> None:
        self._phrases = [word_pattern(phrase) for phrase in filters.phrases if phrase.strip()]
        self._without = [word_pattern(words) for words in filters.without if words.strip()]

    @property
    def asks_nothing(self) -> bool:
        return not self._phrases and not self._without

    def lets_through(self, post: Post) -> bool:
        """Whether a post contains every phrase and none of the excluded words."""
        said = "\n".join(" ".join(fold(part).split()) for part in _parts(post))
        return all(phrase.search(said) for phrase in self._phrases) and not any(
            words.search(said) for words in self._without
        )


def _parts(post: Post) -> Iterator[str]:
    yield post.title
    yield post.text
    yield from post.tags
    yield from (comment.text for comment in post.comments)
