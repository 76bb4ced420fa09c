"""Converts table cells, which are all text, to numbers, lists and nothing, according to their column. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from indexer.posts.counts import read_count

NOTHING = frozenset({"", "\\N", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "<NA>"})
NOTHING_IN_PROSE = frozenset({"", "\\N", "NULL"})  # where "None" may be what somebody wrote
COUNTS = frozenset({"likes", "collects", "comment_count"})
LISTS = frozenset({"images", "comments", "tags"})
_NEXT_ADDRESS = re.compile(r"[,;|，、；](?=https?://)|\s")
_PARTED = re.compile(r"[,;|，、；]")


def cell_values(row: Mapping[str, object]) -> dict[str, object]:
    """The row with its cells converted for their columns. What cannot be converted stays, for validation to reject.

    A column called "place.name" is the field "name" of "place".

    >>> cell_values({"id": "7", "likes": "12", "tags": "coffee, dali", "place.name": "Dali", "url": "NULL"})
    {'id': '7', 'likes': 12, 'tags': ['coffee', 'dali'], 'place': {'name': 'Dali'}}
    """
    values: dict[str, object] = {}
    for name, cell in row.items():
        value = _value(name, cell)
        if value is None:
            continue
        top, dot, inner = name.partition(".")
        if dot and top == "place":
            place = values.setdefault("place", {})
            if isinstance(place, dict):
                place[inner] = _number(value) if inner in {"latitude", "longitude"} else value
        else:
            values[name] = value
    return values


def _value(name: str, cell: object) -> object:
    if isinstance(cell, str):
        if cell.strip() in (NOTHING_IN_PROSE if name in {"text", "title", "id"} else NOTHING):
            return None
        if name in COUNTS and (count := read_count(cell)) is not None:
            return count
        if name in LISTS or name == "place":
            return _listed(name, cell.strip())
        return cell
    if isinstance(cell, float) and cell == int(cell) and (name in COUNTS or name == "id"):
        return int(cell)
    if isinstance(cell, list) and name == "images":
        return [{"url": entry} if isinstance(entry, str) else entry for entry in cell]
    return cell


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _listed(name: str, cell: str) -> object:
    if cell[:1] in {"[", "{"}:
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        return _value(name, value) if name == "images" else value
    if name == "tags":
        words = cell.split()
        if len(words) > 1 and all(word[:1] in {"#", "＃"} for word in words):
            return words
        return [tag.strip() for tag in _PARTED.split(cell) if tag.strip()]
    if name == "images" and cell.startswith(("http://", "https://")):
        return [{"url": url} for part in _NEXT_ADDRESS.split(cell) if (url := part.strip(",;|，、；"))]
    return cell
