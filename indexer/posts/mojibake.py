"""Words in UTF-8 that were read as Latin-1 or Windows-1252 ("å¤§ç†"), mended where that is certain. Pure."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
# What Windows-1252 shows for bytes that are control characters in Latin-1; other bytes are the same in both.
_WINDOWS = {
    ord(bytes([byte]).decode("cp1252")): byte for byte in range(0x80, 0xA0) if bytes([byte]).decode("cp1252", "ignore")
}
_BYTE = f"[\u0080-\u00bf{''.join(map(chr, _WINDOWS))}]"
# The bytes of characters beyond ASCII, as they look when each is read as a character; in no language do they follow
# each other so.
_SEQUENCE = re.compile(f"[\u00e2-\u00e9]{_BYTE}{{2}}|[\u00c2-\u00c5\u00d0\u00d1]{_BYTE}|\u00f0{_BYTE}{{3}}")
_SUSPECT = re.compile(f"[\u00c2-\u00f4]{_BYTE}|{REPLACEMENT}")
FEWEST = 2  # sequences in a text that is mojibake in part


def is_suspect(text: str) -> bool:
    """Whether a text may be mojibake, or garbled; one look, for all the texts that are neither."""
    return not text.isascii() and _SUSPECT.search(text) is not None


def mended(text: str) -> str:
    """The text as it was meant, if all of it is UTF-8 that was read as one of the two; else the text itself.

    Certain means that every character beyond ASCII is a byte of a whole character in UTF-8: a text in a language that
    is written with Latin-1 never is, because there a letter such as "é" stands alone.

    >>> mended("å¤§ç\x90\x86"), mended("CafÃ©"), mended("Café"), mended("大理 Ã")
    ('大理', 'Café', 'Café', '大理 Ã')
    """
    if text.isascii():
        return text
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        # Fails at the first character of Chinese, which ends it for nearly all texts.
        try:
            data = text.translate(_WINDOWS).encode("latin-1") if _SEQUENCE.search(text) else b"\xff"
        except UnicodeEncodeError:
            return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return text


def is_garbled(text: str) -> bool:
    """Whether characters of a text are lost, or may be mojibake that could not be mended."""
    if text.isascii():
        return False
    return REPLACEMENT in text or len(_SEQUENCE.findall(text)) >= FEWEST
