"""The values of a post's fields: what is accepted, what is normalised, and the errors for the rest."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from indexer.posts.dates import ASSUMED_UTC, DateError, read_moment
from retrieval.text.language import COUNTRIES, LANGUAGE_CODES, UNKNOWN
from retrieval.text.web_address import is_web_address


def show(value: object) -> str:
    """A value as in JSON, shortened, without control characters."""
    match value:
        case None | True | False:
            return json.dumps(value)
        case str():
            return f"the string {value!r}" if len(value) <= 60 else f"the string {value[:57]!r}..."
        case int() | float():
            shown = repr(value)
            return shown if len(shown) <= 60 else f"{shown[:57]}..."
        case list():
            return "an array"
    return "an object"


def is_blank(text: str) -> bool:
    """Whether a text has only white space, control and zero-width characters."""
    return all(unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc", "Cf"} for character in text)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("reason", "holds a NUL character")
    return text


def _prose(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _one_line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def visible(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("reason", "is empty")
    return text


def _identifier(value: object) -> object:
    # bool is an int in Python, but true is not an id.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _plain_identifier(text: str) -> str:
    if text != text.strip() or any(unicodedata.category(character) == "Cc" for character in text):
        raise PydanticCustomError("reason", "has white space at an end, or control characters")
    return text


def _unique_tags(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_tag, tags))))


def _tag(tag: str) -> str:
    tag = _one_line(tag)
    if tag[:1] in {"#", "＃"}:
        tag = tag.strip("#＃")  # also the closing mark of #…#; "C#" does not begin with one and keeps it
    return tag.strip()


def _language(code: str) -> str:
    code = code.replace("_", "-").split("-")[0].strip().lower()
    if code in {"", UNKNOWN}:
        return ""
    if code not in LANGUAGE_CODES:
        meant = COUNTRIES.get(code)
        raise PydanticCustomError("reason", "is {code}{hint}", {
            "code": show(code), "hint": f", a country; did you mean {meant!r}?" if meant else "",
        })  # fmt: skip
    return code


def _moment(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if isinstance(value, str) and not value.strip():
        return None
    try:
        return read_moment(value, ASSUMED_UTC)
    except DateError as error:
        raise PydanticCustomError("reason", "is {value}, {why}", {"value": show(value), "why": str(error)}) from None


def _web_address(url: str) -> str:
    url = url.strip()
    if url and not is_web_address(url):
        raise PydanticCustomError("reason", "is {url}", {"url": show(url)})
    return url


# pydantic's str rejects lone surrogates ("string_unicode"); _without_nul rejects the other character that SQLite,
# terminals and C libraries disagree about.
String = Annotated[str, AfterValidator(_without_nul)]
Prose = Annotated[String, AfterValidator(_prose)]
OneLine = Annotated[String, AfterValidator(_one_line)]
Handle = Annotated[OneLine, AfterValidator(lambda handle: handle.lstrip("@＠").strip())]
Address = Annotated[String, AfterValidator(_web_address)]
Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
]
Identifier = Annotated[String, AfterValidator(_plain_identifier), BeforeValidator(_identifier)]
Language = Annotated[String, AfterValidator(_language)]
MOST_TAGS = 100
Tags = Annotated[
    list[Annotated[String, Field(max_length=100)]], Field(max_length=MOST_TAGS), AfterValidator(_unique_tags)
]
