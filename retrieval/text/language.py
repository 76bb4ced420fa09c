"""The language of a text, judged by its script, and the languages that an embedder knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

UNKNOWN = "und"
ANSWERED = ("en", "zh")  # the languages that questions are answered in, from posts in either

# ISO 639-1, complete.
_ISO_639_1 = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj
kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti
tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGE_CODES = frozenset(_ISO_639_1.split())
# A country code is often given in place of a language.
COUNTRIES = {"cn": "zh", "jp": "ja", "gr": "el", "cz": "cs", "dk": "da", "ua": "uk", "us": "en", "gb": "en"}

# The script is enough to distinguish the languages that Stipple treats differently. Latin script counts as English:
# the rules for English (sentence ends, stop words) do little harm to related languages, and a statistical detector
# cannot tell the language of a short post in French.
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff]")
_OTHER_SCRIPTS = (
    ("ko", re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
)
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['\u2019][A-Za-z]+)?")
_NOT_LANGUAGE = re.compile(r"https?://\S+|[@#]?\w{1,30}://\S+|@\w+", re.ASCII)


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the main language of a text, "und" without letters of a known script.

    A Han character says about as much as a word of an alphabet, so characters are weighed against words; a Chinese
    question with an English name in it is Chinese.

    >>> [detect_language(text) for text in ("上海 brunch 推荐", "best brunch in Shanghai", "すし", "🍜 12!")]
    ['zh', 'en', 'ja', 'und']
    """
    text = _NOT_LANGUAGE.sub(" ", text)
    han, kana, latin = len(_HAN.findall(text)), len(_KANA.findall(text)), len(_LATIN_WORD.findall(text))
    # A Chinese word has one and a half Han characters on average; any kana beside Han means Japanese.
    weights = {"zh": han / 1.5, "en": float(latin)}
    if kana:
        weights["ja"], weights["zh"] = kana + weights["zh"], 0.0
    weights |= {code: len(script.findall(text)) / 4 for code, script in _OTHER_SCRIPTS}
    best = max(weights, key=lambda code: weights[code])
    return best if weights[best] > 0 else UNKNOWN


def parse_languages(listed: str) -> frozenset[str] | None:
    """The languages of a setting such as "en, zh"; None for "*", which means all."""
    if listed.strip() == "*":
        return None
    return frozenset(code.strip().lower() for code in listed.split(",") if code.strip())


def knows(known: Iterable[str] | None, language: str) -> bool:
    """Whether a model that knows these languages (None: all) can be trusted with a text in `language`.

    Text without letters ("und": numbers, emoji) belongs to no language, and every model covers it badly.
    """
    return language != UNKNOWN if known is None else language in known
