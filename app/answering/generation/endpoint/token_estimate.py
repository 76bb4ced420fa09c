"""Upper estimate of a text's tokens when the model's tokenizer is behind an endpoint. Pure."""

from __future__ import annotations

import re

_ASCII_WORD = re.compile(r"[A-Za-z]+")


def estimate_tokens(text: str) -> int:
    """Most tokens that a text takes with today's tokenizers, estimated by rules without a vocabulary.

    A token per four letters (or fewer) of a Latin word, per digit, per other ASCII sign; one and a quarter per Chinese,
    Japanese or Korean character; a token per two bytes of anything else (emoji, other scripts). docs/models.md says by
    how much the estimates are too high.

    >>> estimate_tokens("A flat white is 28 yuan."), estimate_tokens("手冲28元")
    (9, 6)
    """
    if not text:
        return 0
    quarters = 0
    rest = _ASCII_WORD.sub(lambda word: "w" * ((len(word.group()) + 3) // 4), text)
    for letter in rest:
        code = ord(letter)
        if code < 128:
            quarters += 0 if letter == " " else 4
        elif (
            0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF
        ):
            quarters += 5
        else:
            quarters += 2 * len(letter.encode("utf-8", "replace"))
    return (quarters + 3) // 4
