"""What a platform's record turns into: a post, a comment of one, a name, or nothing that is indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PostShape = dict[str, object]  # as a line of a post file


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A post.

    Attributes:
        post: In the shape of a post file's line; the door still has to take it.
        key: By which comments name it; "" where there are none to wait for.
        author_key: By which the export names its author elsewhere; "" where the post does.
    """

    post: PostShape
    key: str = ""
    author_key: str = ""


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment that stands apart from its post.

    Attributes:
        key: Its own.
        parent: Of the post, or of the comment that it answers.
        comment: In the shape of a post file's comment.
        alone: The post that it is where its own is not in the input; None where it is nothing then.
        accepted: Whether the post's author marked it as the answer.
    """

    key: str
    parent: str
    comment: PostShape
    alone: PostShape | None
    author_key: str = ""


@dataclass(frozen=True, slots=True)
class NameRecord:
    """What somebody is called whom posts name by a key."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """Something that is no post to index; the reason in the plural: "boosts"."""

    reason: str


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record that the platform should not have given."""

    field: str
    problem: str
    expected: str


RecordKind = PostRecord | CommentRecord | NameRecord | SkippedRecord | InvalidRecord


@dataclass(frozen=True, slots=True)
class FileContext:
    """What is known of a file beside its records.

    Attributes:
        name: The file's, with its folder.
        private: Whether posts that were not for everybody are wanted too.
        document: What the file says before its records: a feed's own title and language, an archive's owner.
        beside: The first MiB of a file that lies in the same folder, None where there is none.
    """

    name: str
    private: bool = False
    document: dict[str, object] = field(default_factory=dict)
    beside: Callable[[str], bytes | None] = lambda _: None
    known: dict[str, object] = field(default_factory=dict)  # what a platform keeps from record to record of this file


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform whose exports are read.

    Attributes:
        name: As a person calls it: "Mastodon archive".
        fits: Whether a record has its shape.
        read: What is in a record. Raises nothing, whatever the record is.
        formats: In which it comes.
    """

    name: str
    fits: Callable[[dict[str, object]], bool]
    read: Callable[[dict[str, object], FileContext], Iterator[RecordKind]]
