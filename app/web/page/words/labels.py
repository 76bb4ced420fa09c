"""All words of the page, in English and Chinese, and which of the two a reader gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.web.page.words.chinese import ZH
from app.web.page.words.english import EN
from app.web.page.words.label_set import Counted, Labels, Ui

__all__ = [
    "EN",
    "EXAMPLES",
    "LABELS",
    "POST_LANGUAGES",
    "ZH",
    "Counted",
    "Labels",
    "Ui",
    "choose_ui",
    "day",
    "html_lang",
]

LABELS: Mapping[Ui, Labels] = {"en": EN, "zh": ZH}

# Questions on the sample posts; each language shows both, its own first.
EXAMPLES: Mapping[Ui, tuple[str, ...]] = {
    "en": ("quiet cafe to study", "Where has Pebble & Pour moved?", "大理 咖啡馆"),
    "zh": ("大理 咖啡馆", "鹿角咖啡搬到哪里了？", "quiet cafe to study"),
}

# Languages offered as a filter, in their own names; a post may be in any other, and its code works in the address.
POST_LANGUAGES: Mapping[str, str] = {
    "zh": "中文", "en": "English", "ja": "日本語", "ko": "한국어", "es": "Español", "fr": "Français", "de": "Deutsch",
    "pt": "Português", "ru": "Русский", "ar": "العربية", "th": "ไทย", "vi": "Tiếng Việt",
}  # fmt: skip

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def choose_ui(accept_language: str) -> Ui:
    """The language of the page that fits an Accept-Language header best; English if it has neither.

    >>> choose_ui("fr, zh-CN;q=0.9, en;q=0.8"), choose_ui("")
    ('zh', 'en')
    """
    best: Ui = "en"
    best_quality = 0.0
    for offer in accept_language.split(","):
        tag, _, parameter = offer.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().split("-")[0]
        if quality > best_quality and primary in ("en", "zh"):
            best, best_quality = ("zh" if primary == "zh" else "en"), quality
    return best


def html_lang(language: str) -> str:
    """A post's language for the lang attribute; "" if it is not known, or no language at all.

    >>> html_lang("zh"), html_lang("und"), html_lang("x y")
    ('zh', '', '')
    """
    known = language != "und" and language.isascii() and language.isalpha() and 2 <= len(language) <= 3
    return language if known else ""


def day(moment: datetime, ui: Ui) -> str:
    """The day of a moment, in the time zone that its post was written in."""
    if ui == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
