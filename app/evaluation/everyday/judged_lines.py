"""Lines of a judged file, one JSON object each, and the types of their fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from app.evaluation.everyday.stated_facts import Groups
from app.evaluation.judged_folder import numbered_lines
from retrieval.errors import FixableError


class _Judged(Protocol):
    @property
    def id(self) -> str: ...


J = TypeVar("J", bound=_Judged)


def read_lines(path: Path, read: Callable[[dict[str, Any]], J], what: str, shape: str) -> list[J]:
    """What each line holds, in the file's order.

    Args:
        read: One line's object; ValueError, TypeError and KeyError say what is wrong with it.
        what: What a line is called in messages.
        shape: How to write one.

    Raises:
        FixableError: The file cannot be read or holds no line, a line is broken (file:line), or an id occurs twice.
    """
    found: dict[str, J] = {}
    for where, line in numbered_lines(path, shape):
        try:
            raw = json.loads(line)
            if not isinstance(raw, dict):
                raise TypeError("not a JSON object")
            one = read(raw)
            if one.id in found:
                raise ValueError(f"'id' is {one.id!r}, as on an earlier line")
        except KeyError as error:
            raise FixableError(f"{where}: not {what}: field {error} is missing", shape) from None
        except (ValueError, TypeError) as error:
            raise FixableError(f"{where}: not {what}: {error}", shape) from None
        found[one.id] = one
    if not found:
        raise FixableError(f"{path} holds nothing", shape)
    return list(found.values())


def no_other_fields(raw: dict[str, Any], known: frozenset[str]) -> None:
    """Refuses a misspelt field, which would otherwise be a judgement that is never made."""
    if unknown := sorted(set(raw) - known):
        raise ValueError(f"there is no field {unknown[0]!r}")


def text(raw: dict[str, Any], name: str) -> str:
    """A string that is not empty."""
    value = raw[name]
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name!r} must be a string that is not empty")
    return value


def texts(raw: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of strings, none empty; () where the field is left out."""
    value = raw.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip(" *") for one in value):
        raise TypeError(f"{name!r} must be a list of strings that are not empty")
    return tuple(value)


def groups(raw: dict[str, Any], name: str) -> Groups:
    """A list of lists of strings, nothing empty; () where the field is left out."""
    value = raw.get(name, [])
    if not isinstance(value, list) or not all(isinstance(group, list) and group for group in value):
        raise TypeError(f"{name!r} must be a list of groups, each a list that is not empty")
    return tuple(texts({name: group}, name) for group in value)
