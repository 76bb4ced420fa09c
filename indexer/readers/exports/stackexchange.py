"""Stack Exchange: Posts.xml of a site's data dump has questions and answers; Comments.xml beside it adds comments on
both, and Users.xml the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from indexer.posts.html_text import text_and_pictures
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, text_at
from indexer.readers.record_kinds import (
    CommentRecord,
    FileContext,
    NameRecord,
    Platform,
    PostRecord,
    RecordKind,
    SkippedRecord,
)

_QUESTION, _ANSWER = "1", "2"
_HOST = re.compile(r"(?<![a-z0-9.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org)")


def fits(value: dict[str, object]) -> bool:
    """Whether it is a row of Posts.xml."""
    return "PostTypeId" in value and "Id" in value


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A question, or an answer to one; wiki texts of tags and the like are skipped."""
    kind, key, site = text_at(value, "PostTypeId"), text_at(value, "Id"), site_of(context.name)
    body, pictures = text_and_pictures(text_at(value, "Body"))
    likes, moment = count_at(value, "Score"), text_at(value, "CreationDate")
    author, user = text_at(value, "OwnerDisplayName"), text_at(value, "OwnerUserId")
    user_key = f"{site}/{user}" if user and not author else ""
    if text_at(value, "DeletionDate") or not key:
        yield SkippedRecord("deleted posts")
        return
    url = f"https://{site}/{'q' if kind == _QUESTION else 'a'}/{key}" if "." in site else ""
    shape = post_shape(
        f"{site}:{key}", title=text_at(value, "Title"), text=body, author=author or (f"user{user}" if user else ""),
        tags=tags_of(text_at(value, "Tags")), created_at=moment, likes=likes, url=url,
        collects=count_at(value, "FavoriteCount"), comment_count=count_at(value, "AnswerCount"),
        images=[(one.url, one.alt) for one in pictures],
    )  # fmt: skip
    if kind == _QUESTION:
        yield PostRecord(shape, f"{site}/{key}", user_key)
    elif kind == _ANSWER:
        comment = comment_shape(body, str(shape.get("author", "")), likes, moment)
        if "text" in comment:
            yield CommentRecord(f"{site}/{key}", f"{site}/{text_at(value, 'ParentId')}", comment, shape, user_key)
    else:
        yield SkippedRecord("wiki texts and notices")


def is_user(value: dict[str, object]) -> bool:
    """Whether it is a row of Users.xml."""
    return "DisplayName" in value and "Id" in value and "Reputation" in value


def read_user(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The user's name; nothing else about them is read."""
    yield NameRecord(f"{site_of(context.name)}/{text_at(value, 'Id')}", text_at(value, "DisplayName"))


def is_comment(value: dict[str, object]) -> bool:
    """Whether it is a row of Comments.xml."""
    return value.keys() >= {"Id", "PostId", "Text", "Score"} and not value.keys() & {"PostHistoryTypeId", "VoteTypeId"}


def read_comment(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A comment on a question or an answer; dropped if that is not in the input."""
    site, user, author = site_of(context.name), text_at(value, "UserId"), text_at(value, "UserDisplayName")
    comment = comment_shape(
        text_at(value, "Text"), author or (f"user{user}" if user else ""), count_at(value, "Score"),
        text_at(value, "CreationDate"),
    )  # fmt: skip
    if "text" in comment:
        user_key = f"{site}/{user}" if user and not author else ""
        yield CommentRecord(
            f"{site}/comment {text_at(value, 'Id')}", f"{site}/{text_at(value, 'PostId')}", comment, None, user_key
        )


def tags_of(written: str) -> list[str]:
    """The tags in <a><b>, as in dumps until 2023, or |a|b|, as in newer ones.

    >>> tags_of("<storage><whole-bean>"), tags_of("|storage|c++|")
    (['storage', 'whole-bean'], ['storage', 'c++'])
    """
    return [tag for tag in re.split(r"[<>|]+", written) if tag]


def site_of(name: str) -> str:
    """The site in the name of a file's folder or archive, as "coffee.stackexchange.com"; else "stackexchange"."""
    for part in reversed(PurePath(name).parts[:-1]):
        if found := _HOST.match(part.lower()):
            return found[0]
    return "stackexchange"


POSTS = Platform("Stack Exchange", fits, read)
USERS = Platform("Stack Exchange, users", is_user, read_user)
COMMENTS = Platform("Stack Exchange, comments", is_comment, read_comment)
