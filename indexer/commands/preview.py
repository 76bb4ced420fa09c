"""What a reindex would read: the first posts, what each file was taken for, and the first rejects."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime

from indexer.readers.formats.jsonl import Offered
from indexer.readers.post_reader import Recognised
from indexer.rejects import Rejected
from retrieval.types import Post

RECORDS_MOST = 10_000  # read of each file: comments further on are not shown with their posts
REJECTS_SHOWN = 10
_FILES_SHOWN = 20
_SHOWN_CHARACTERS, _SHOWN_LINES, _WIDTH = 400, 8, 100


@dataclass(slots=True)
class Preview:
    """What was read.

    Attributes:
        files: What each opened file was taken for.
        posts: The first posts.
        rejects: The first rejects before the last of these posts.
        notes: Other messages about the files.
        rejected: How many rejects there were before the last of these posts.
    """

    files: list[Recognised] = field(default_factory=list)
    posts: list[Offered] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rejected: int = 0

    def fill(self, found: Iterable[Offered | Rejected], posts_most: int) -> None:
        """Read until there are enough posts. Nothing is written anywhere."""
        for one in found:
            if isinstance(one, Offered):
                self.posts.append(one)
                if len(self.posts) == posts_most:
                    return
                continue
            self.rejected += 1
            if len(self.rejects) < REJECTS_SHOWN:
                self.rejects.append(one)

    def as_json(self) -> str:
        """The preview as one JSON object."""
        return json.dumps(
            {
                "files": [asdict(file) for file in self.files],
                "posts": [{"source": one.source, "line": one.line, "post": _filled(one.post)} for one in self.posts],
                "rejects": [
                    {name: value for name, value in asdict(one).items() if name != "raw"} for one in self.rejects
                ],
                "rejected": self.rejected,
                "notes": self.notes,
            },
            ensure_ascii=False,
        )

    def print_with(self, say: Callable[[str], None]) -> None:
        """The preview for people."""
        for file in self.files[:_FILES_SHOWN]:
            say(_plain(str(file)))
        if len(self.files) > _FILES_SHOWN:
            say(f"... and {len(self.files) - _FILES_SHOWN:,} more files")
        for note in self.notes:
            say(f"  {_plain(note)}")
        for number, one in enumerate(self.posts, start=1):
            say(f"\n{number}. {_plain(one.post.id)}  ({_plain(one.source)}:{one.line})")
            for name, value in _filled(one.post).items():
                if name != "id":
                    for line in _lines(name, value):
                        say(line)
        if self.rejects:
            say(f"\nrejected so far: {self.rejected:,}")
            for rejected in self.rejects:
                say(f"  {_plain(str(rejected))}")
        if not self.posts:
            say("\nno post could be read")


def _filled(post: Post) -> dict[str, object]:
    """The fields of a post that are not empty, as JSON values."""
    return {name: value for name, value in asdict(post, dict_factory=_dict).items() if value or name == "id"}


def _dict(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in pairs}


def _lines(name: str, value: object) -> Iterator[str]:
    """A field as lines: its name before the first, the others indented."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        entries = [", ".join(f"{key}: {inner}" for key, inner in entry.items() if inner) for entry in value[:3]]
        shown = [_plain(entry) for entry in entries] + ([f"... and {len(value) - 3:,} more"] if len(value) > 3 else [])
    elif isinstance(value, list | tuple):
        shown = [_plain(", ".join(map(str, value)))]
    elif isinstance(value, dict):
        shown = [_plain(", ".join(f"{key}: {inner}" for key, inner in value.items() if inner is not None))]
    else:
        text = str(value)
        shown = [_plain(line) for line in text[:_SHOWN_CHARACTERS].split("\n")]
        if len(text) > _SHOWN_CHARACTERS:
            shown[-1] += f" ... ({len(text):,} characters)"
    wrapped = [part for line in shown for part in (textwrap.wrap(line, _WIDTH) or [""])]
    for at, line in enumerate(wrapped[:_SHOWN_LINES]):
        yield f"   {'' if at else name:<14}{line}".rstrip()
    if len(wrapped) > _SHOWN_LINES:
        yield f"   {'':<14}..."


def _plain(text: str) -> str:
    """Text from a file without control characters."""
    return "".join(character if character.isprintable() else " " if character.isspace() else "�" for character in text)
