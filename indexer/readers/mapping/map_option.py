"""Reading posts out of exports whose fields are called otherwise: `--map text=body`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from indexer.posts.schema import FIELDS


@dataclass(frozen=True, slots=True)
class Move:
    """Read the post's field `new` from the line's field `old`, which may be a path: "user.name"."""

    new: str
    old: str


def parse_move(text: str) -> Move:
    """The move that "NEW=OLD" describes.

    Raises:
        ValueError: It is not of that form, or posts have no such field.

    >>> parse_move("author=user.name")
    Move(new='author', old='user.name')
    """
    new, equals, old = (part.strip() for part in text.partition("="))
    if not (new and equals and old):
        raise ValueError(f"{text!r} is not NEW=OLD, such as text=body")
    if new not in FIELDS:
        close = get_close_matches(new, FIELDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(FIELDS)}"
        raise ValueError(f"a post has no field {new!r}; {hint}")
    return Move(new, old)


def apply_moves(raw: dict[str, object], moves: Sequence[Move]) -> dict[str, object]:
    """The line with its fields moved: what was read from is gone, what was read into holds the value.

    Where a line lacks the old field, or has null there, it keeps what it has under the new name.

    >>> apply_moves({"body": "hi", "user": {"name": "bo"}}, [Move("text", "body"), Move("author", "user.name")])
    {'text': 'hi', 'author': 'bo'}
    """
    found = [(move, *_find(raw, move.old)) for move in moves]
    read_from = {top for _, top, _ in found}
    moved = {name: value for name, value in raw.items() if name not in read_from}
    for move, _, value in found:
        if value is not None:
            moved[move.new] = value
    return moved


def _find(raw: dict[str, object], path: str) -> tuple[str, object]:
    """The field of the line that a path begins with, and the value at its end."""
    if path in raw:  # a name with a dot in it is a name before it is a path
        return path, raw[path]
    top, *inner = path.split(".")
    value = raw.get(top)
    for name in inner:
        value = value.get(name) if isinstance(value, dict) else None
    return top, value
