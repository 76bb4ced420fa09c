"""Lemmy: posts and comments as its API lists them. Only communities that everybody reads."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.audience import is_no, reason
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_FOR_ALL = frozenset({"", "public", "unlisted"})


def fits(value: dict[str, object]) -> bool:
    """Whether it is a view of a post or a comment, a page of comments, or a private message."""
    views = list_at(value, "comments")
    return (
        _is_view(value)
        or "private_message" in value
        or ("text" not in value and bool(views) and all(isinstance(one, dict) and _is_view(one) for one in views))
    )


def _is_view(value: dict[str, object]) -> bool:
    return all(isinstance(value.get(name), dict) for name in ("post", "creator", "community"))


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post, or the comment on one; deleted and removed ones are skipped."""
    if "private_message" in value:
        yield SkippedRecord("direct messages")
        return
    for view in [value] if _is_view(value) else list_at(value, "comments"):
        if isinstance(view, dict):
            yield _of_view(view, context)


def _of_view(view: dict[str, object], context: FileContext) -> RecordKind:
    said = view.get("comment")
    thing = said if isinstance(said, dict) else view.get("post")
    if not isinstance(thing, dict) or not all(is_no(thing.get(name)) for name in ("deleted", "removed")):
        return SkippedRecord("deleted or removed posts")
    visibility = text_at(view, "community", "visibility")
    if not context.private and visibility.lower() not in _FOR_ALL:
        return SkippedRecord(reason("community.visibility", visibility), unusual=True)
    key = text_at(view, "post", "ap_id") or key_at(view, "post", "id")
    author, likes = text_at(view, "creator", "name"), count_at(view, "counts", "score")
    moment, tag = text_at(thing, "published"), text_at(view, "community", "name")
    moment = moment if moment.endswith("Z") or "+" in moment or not moment else f"{moment}Z"
    title = text_at(view, "post", "name")
    if thing is said:
        words, own = text_at(thing, "content"), text_at(thing, "ap_id") or f"comment/{key_at(thing, 'id')}"
        alone = post_shape(
            f"lemmy:{own}", title=title, text=words, author=author, created_at=moment, likes=likes, tags=[tag], url=own
        )
        return CommentRecord(own, key, comment_shape(words, author, likes, moment), alone)
    link = text_at(thing, "url")
    picture = link if link.split("?")[0].lower().endswith((".jpg", ".jpeg", ".png", ".gif", ".webp")) else ""
    return PostRecord(
        post_shape(
            f"lemmy:{key}", title=title, text="\n\n".join(part for part in (text_at(thing, "body"), link) if part),
            author=author, created_at=moment, likes=likes, comment_count=count_at(view, "counts", "comments"),
            tags=[tag], url=text_at(thing, "ap_id"), images=[(picture, text_at(thing, "alt_text"))],
        ),
        key=key,
    )  # fmt: skip


LEMMY = Platform("Lemmy", fits, read, frozenset({"deleted", "removed", "hidden", "published"}))
