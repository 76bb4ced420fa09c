"""What somebody typed, made fit to be looked for."""

from __future__ import annotations

import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs"}
_JOINER = "\u200d"  # holds an emoji of several together


def typed(text: str) -> str:
    """The text without what cannot be seen; of control characters alone, nothing is left to look for."""
    seen = (" " if unicodedata.category(one) in _UNSEEN and one != _JOINER else one for one in text)
    return "".join(seen).strip()
