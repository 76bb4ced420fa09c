"""What a platform's record becomes: a post, a comment, a name, or nothing that is indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SCRIPT_NAME = "#script"  # in what a file says: the variable to which a script assigns the records
PostShape = dict[str, object]  # like a line of a post file


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A post.

    Attributes:
        post: Like a line of a post file; not validated yet.
        key: How comments refer to it; "" if there are none to wait for.
        author_key: How a NameRecord refers to its author; "" if the post has the name.
    """

    post: PostShape
    key: str = ""
    author_key: str = ""


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment that is a record of its own.

    Attributes:
        key: Its own key.
        parent: The key of its post, or of the comment that it answers.
        comment: Like a comment in a post file.
        alone: What it becomes if its post is not in the input; None: it is dropped.
    """

    key: str
    parent: str
    comment: PostShape
    alone: PostShape | None
    author_key: str = ""


@dataclass(frozen=True, slots=True)
class NameRecord:
    """The name of an author to whom posts refer by a key."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that is not indexed.

    Attributes:
        reason: A plural noun: "boosts".
        unusual: Whether an ordinary file has few of them, or none, so that many should not go unnoticed.
    """

    reason: str
    unusual: bool = False


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record that is rejected."""

    field: str
    problem: str
    expected: str


RecordKind = PostRecord | CommentRecord | NameRecord | SkippedRecord | InvalidRecord


@dataclass(frozen=True, slots=True)
class FileContext:
    """What is known about a file besides its records.

    Attributes:
        name: The file's name with its folder.
        private: Whether to read posts that were not public.
        document: What the file says before its records: a feed's title and language, an archive's owner.
        beside: The first 64 MiB of another file in the same folder, None if that does not exist.
        known: What a platform's reader keeps from record to record of this file.
    """

    name: str
    private: bool = False
    document: dict[str, object] = field(default_factory=dict)
    beside: Callable[[str], bytes | None] = lambda _: None
    known: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform whose exports are read.

    Attributes:
        name: For people: "Mastodon archive".
        fits: Whether a record has its shape.
        read: Converts a record; raises nothing, whatever the record is.
        decides: Fields that could say who may read a record, and that `read` decides about.
    """

    name: str
    fits: Callable[[dict[str, object]], bool]
    read: Callable[[dict[str, object], FileContext], Iterator[RecordKind]]
    decides: frozenset[str] = frozenset()
