"""What a text says without its disguises: invisible letters, look-alikes, escapes and simple codes. Pure.

A post may hide words from readers and moderators that a model still understands. The detector therefore looks at every
reading of a text, not at its code points.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from retrieval.text.folding import fold

# Unicode's tag characters repeat ASCII invisibly, and the supplementary variation selectors carry whole bytes.
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc", "Co", "Cs"})
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
# Letters of other scripts that look Latin; NFKC leaves them as they are.
_LOOK_ALIKES = str.maketrans(
    {
        foreign: latin
        for latin, foreigners in {
            "a": "аαɑᴀ", "b": "Ьʙь", "c": "сᴄϲ", "d": "ԁᴅɗ", "e": "еεᴇҽ", "f": "ғꜰ", "g": "ɡɢց", "h": "һнʜհ",
            "i": "іιıɪ", "j": "јᴊϳ", "k": "кκᴋ", "l": "ӏʟⅼ", "m": "мᴍ", "n": "пոɴν", "o": "оοσօᴏ", "p": "рρᴘ",
            "q": "ԛզ", "r": "гʀɾ", "s": "ѕꜱʂ", "t": "тτᴛ", "u": "υսᴜ", "v": "ѵᴠ", "w": "ԝѡωᴡ", "x": "хχ", "y": "уγʏү",
            "z": "ᴢʐ",
        }.items()
        for foreign in foreigners
    }
)  # fmt: skip
# Old and rare forms of characters used in orders.
_OLD_FORMS = str.maketrans("畧㠯㕥罔悳呌囬荅", "略以以忽德叫回答")
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u058f\u1d00-\u1d7f\u0250-\u02af\ua730-\ua77f]")
_LEET = str.maketrans("0134578@$!|", "oieastbasil")
_LEET_WORD = re.compile(r"(?i)\b(?=\w*[a-z])(?=\w*[013457@$!|])[a-z013457@$!|]{4,}\b")
_SPACES = re.compile(r"\s+")
_ESCAPES = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:]?){10,}")
_BITS = re.compile(r"(?:\b[01]{8}\b\s*){5,}")
_APART = re.compile(r"(?<!\w)(?:\w[\s.\-_*|/·•,]{1,2}){5,}\w(?!\w)")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[\s.\-_*|/·•~]+(?=[\u3400-\u9fff])")
_PRINTABLE_SHARE = 0.95


def unveiled(text: str) -> str:
    """The text without anything invisible: tag characters become the letters they stand for; variation selectors and
    control and format characters other than line ends and tabs are dropped.

    >>> unveiled("fr\u200bee \U000e0068\U000e0069")
    'free hi'
    """
    shown = _SELECTORS.sub("", text.translate(_TAGS).translate(_OLD_FORMS))
    return "".join(
        character
        for character in shown
        if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE_CATEGORIES
    )


def readings(text: str) -> Iterator[str]:
    """The folded text as it is, then every other way it may be meant to be read; few for most texts."""
    plain = unveiled(text)
    seen: set[str] = set()
    for reading in (plain, *_decoded(plain), *_right_to_left(text)):
        for folded in _look_alikes(_spaced_once(fold(reading))):
            for form in (folded, *_together(folded)):
                if form not in seen:
                    seen.add(form)
                    yield form


def _spaced_once(folded: str) -> str:
    """The text with each stretch of white space as one space, or as one line end where it holds one."""
    return _SPACES.sub(lambda found: "\n" if "\n" in found.group() else " ", folded)


def ciphers(text: str) -> Iterator[str]:
    """Readings that make sense for very few texts: letters shifted by 13, the text backwards, digits for letters."""
    folded = _spaced_once(fold(unveiled(text)))
    yield codecs.encode(folded, "rot13")
    yield folded[::-1]
    if _LEET_WORD.search(folded):
        yield folded.translate(_LEET)


def squeezed(text: str) -> str:
    """Letters and digits alone, so that nothing inserted between them hides a word."""
    return "".join(filter(str.isalnum, text))


def _decoded(text: str) -> Iterator[str]:
    if "&" in text and (plain := html.unescape(text)) != text:
        yield unveiled(plain)
    if "%" in text and (plain := unquote(text, errors="replace")) != text:
        yield unveiled(plain)
    if "\\" in text:
        yield unveiled(_ESCAPES.sub(_escaped, text))
    yield from written_in_code(text)


def written_in_code(text: str) -> Iterator[str]:
    """The text in stretches of base64, bits or hexadecimal digits, where it decodes to words."""
    for found in _BASE64.finditer(text):
        if (words := _base64(found.group())) is not None:
            yield words
    for found in _BITS.finditer(text):
        if (words := _as_text(bytes(int(bits, 2) for bits in found.group().split()))) is not None:
            yield words
    for found in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", found.group())
        if len(digits) % 2 == 0 and (words := _as_text(bytes.fromhex(digits))) is not None:
            yield words


def _escaped(found: re.Match[str]) -> str:
    code = int(found.group(1) or found.group(2), 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def _base64(written: str) -> str | None:
    body = written.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _as_text(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _as_text(data: bytes) -> str | None:
    """The bytes as text, if they are words."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    said = sum(character.isprintable() or character in "\n\t" for character in text)
    return text if len(text) >= 5 and said >= _PRINTABLE_SHARE * len(text) and re.search(r"\w{3}", text) else None


def _right_to_left(text: str) -> Iterator[str]:
    # After U+202E letters are drawn from right to left: readers see the text backwards.
    if "\u202e" in text:
        _, _, drawn = text.partition("\u202e")
        yield unveiled(drawn)[::-1]


def _look_alikes(folded: str) -> Iterator[str]:
    yield folded
    if _FOREIGN.search(folded):
        yield folded.translate(_LOOK_ALIKES)
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    if bare != folded:
        yield unicodedata.normalize("NFC", bare)


def _together(folded: str) -> Iterator[str]:
    """Words whose letters were spaced out, joined again."""
    if _APART.search(folded):
        yield _APART.sub(lambda found: squeezed(found.group()), folded)
    if _BETWEEN_HAN.search(folded):
        yield _BETWEEN_HAN.sub("", folded)
