"""Hacker News: items of its Firebase API, rows of the public BigQuery table, and hits and trees of Algolia's search."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.html_text import html_text
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_TYPES = frozenset({"story", "comment", "job", "poll", "pollopt"})


def fits(value: dict[str, object]) -> bool:
    """Whether it is an item of one of the three shapes."""
    if text_at(value, "type") in _TYPES and key_at(value, "id"):
        return bool({"by", "descendants", "kids", "author", "children", "time", "dead", "deleted"} & value.keys())
    return (
        "objectID" in value
        and isinstance(value.get("_tags"), list)
        and bool({"story_text", "comment_text", "points"} & value.keys())
    )


def read(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """A story, job or poll, or a comment of one. Deleted and dead items are skipped."""
    waiting: list[tuple[object, str]] = [(value, "")]
    while waiting:
        item, parent = waiting.pop()
        if not isinstance(item, dict):
            continue
        key = key_at(item, "objectID") or key_at(item, "id")
        waiting += [(child, key) for child in reversed(list_at(item, "children")) if isinstance(child, dict)]
        yield _record(item, key, parent)


def _record(item: dict[str, object], key: str, parent: str) -> RecordKind:
    if _true(item, "deleted") or _true(item, "dead") or not key:
        return SkippedRecord("deleted or dead items")
    kind = text_at(item, "type") or next(
        (tag for tag in list_at(item, "_tags") if isinstance(tag, str) and tag in _TYPES), "story"
    )
    text = html_text(text_at(item, "text") or text_at(item, "story_text") or text_at(item, "comment_text"))
    author = text_at(item, "by") or text_at(item, "author")
    moment = next(
        (at for name in ("time", "created_at_i", "timestamp", "created_at") if (at := value_at(item, name))), None
    )
    likes = count_at(item, "score") or count_at(item, "points")
    if kind == "pollopt":
        return SkippedRecord("options of polls")
    page = f"https://news.ycombinator.com/item?id={key}"
    if kind == "comment":
        if not text:
            return SkippedRecord("deleted or dead items")
        alone = post_shape(
            f"hn:{key}", title=text_at(item, "story_title"), text=text, author=author, created_at=moment, url=page
        )
        above = parent or key_at(item, "parent") or key_at(item, "parent_id") or key_at(item, "story_id")
        return CommentRecord(key, above, comment_shape(text, author, likes, moment), alone)
    title, link = html_text(text_at(item, "title")), text_at(item, "url")
    if not title and not text:
        return SkippedRecord("deleted or dead items")
    count = count_at(item, "descendants") or count_at(item, "num_comments")
    return PostRecord(
        post_shape(
            f"hn:{key}", title=title, text=text or link, author=author, created_at=moment, likes=likes,
            comment_count=count, url=page,
        ),
        key=key,
    )  # fmt: skip


def _true(item: dict[str, object], field: str) -> bool:
    return item.get(field) is True or str(item.get(field)).lower() in {"true", "1"}


HACKER_NEWS = Platform("Hacker News", fits, read, frozenset({"deleted", "dead"}))
