"""Paths into records of any shape; a missing or unexpected value counts as nothing. Pure."""

from __future__ import annotations

import re

from indexer.posts.counts import read_count

_STEP = re.compile(r"\[(\*|-?\d+)\]|\.?([^.\[\]]+)")


class PathError(ValueError):
    """Invalid path."""


def parse_path(path: str) -> tuple[str | int, ...]:
    """The steps of a path such as "media[0].url": names, indexes, and "[*]" for each entry of a list.

    >>> parse_path("media[*].url")
    ('media', '[*]', 'url')
    """
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or (at == 0 and path.startswith(".")):
            raise PathError(f"{path!r} is invalid at character {at + 1}")
        steps.append(found[2] if found[1] is None else "[*]" if found[1] == "*" else int(found[1]))
        at = found.end()
    if not steps:
        raise PathError("the path is empty")
    return tuple(steps)


def reach(value: object, steps: tuple[str | int, ...]) -> object:
    """The value at the end of a path, None if there is none; with "[*]" a list of the values that exist."""
    for at, step in enumerate(steps):
        if step == "[*]":
            entries = value if isinstance(value, list) else [] if value is None else [value]
            rest = steps[at + 1 :]
            found = [reach(entry, rest) for entry in entries]
            flat = [one for inner in found for one in (inner if isinstance(inner, list) else [inner])]
            return [one for one in flat if one is not None]
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def value_at(value: object, *steps: str | int) -> object:
    """`reach`, with the steps as arguments."""
    return reach(value, steps)


def text_at(value: object, *steps: str | int) -> str:
    """The string there, "" if there is none, without lone surrogates and NUL, which posts may not contain."""
    found = reach(value, steps)
    if isinstance(found, str):
        if not found.isascii():
            found = found.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        return found.replace("\0", "")
    return ""


def key_at(value: object, *steps: str | int) -> str:
    """The id there: a string, or a whole number as text; "" if there is neither."""
    found = reach(value, steps)
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else text_at(value, *steps).strip()


def count_at(value: object, *steps: str | int) -> int:
    """The whole number there, even as a string such as "1.2万"; 0 if there is none."""
    found = reach(value, steps)
    if isinstance(found, str):
        count = read_count(found)
        return count if count is not None and abs(count) < 2**53 else 0
    if isinstance(found, float) and abs(found) < 2**53:
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**53 else 0


def joined_text(value: object) -> str:
    """A text in parts, joined: strings and objects that hold some of it under "text" (with the address of a link behind
    its words), as Telegram and rich-text editors write it.

    >>> joined_text(["see ", {"type": "bold", "text": "you"}, {"type": "text_link", "text": " there", "href": "https://a.example"}])
    'see you there (https://a.example)'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(joined_text, value))
    if not isinstance(value, dict):
        return ""
    text = joined_text(next((value[key] for key in ("text", "content", "value", "children") if key in value), ""))
    link = text_at(value, "href") or text_at(value, "url")
    return f"{text} ({link})" if text and link and link not in text else text or link


def parts_at(record: object, steps: tuple[str | int, ...]) -> str | None:
    """The text at a path to the texts of its parts (text_entities[*].text), joined as the author wrote it; None where
    the path is another, or leads to a list of something else, such as paragraphs.
    """
    if steps[-2:] != ("[*]", "text"):
        return None
    parts = reach(record, steps[:-2])
    if not isinstance(parts, list) or not any(isinstance(one, dict) and "type" in one for one in parts):
        return None
    return joined_text(parts)


def list_at(value: object, *steps: str | int) -> list[object]:
    """The list there; another value as a list of one, empty if there is nothing."""
    found = reach(value, steps)
    return found if isinstance(found, list) else [] if found is None else [found]
