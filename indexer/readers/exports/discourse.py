"""Discourse: topics and posts of its API, and the posts in the archive that a user downloads (user_archive.csv)."""

from __future__ import annotations

import html
from collections.abc import Iterator
from urllib.parse import urlsplit

from indexer.posts.audience import is_no, reason
from indexer.posts.html_text import text_and_pictures
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord


def is_topic(value: dict[str, object]) -> bool:
    """Whether it is a topic with posts, as /t/ID.json gives it."""
    stream = value.get("post_stream")
    return isinstance(stream, dict) and isinstance(stream.get("posts"), list)


def is_post(value: dict[str, object]) -> bool:
    """Whether it is a post, as /posts.json gives them."""
    return "topic_id" in value and "post_number" in value and ("cooked" in value or "raw" in value)


def is_archived(value: dict[str, object]) -> bool:
    """Whether it is a row of user_archive.csv."""
    return "topic_title" in value and bool({"post", "post_raw", "post_cooked"} & value.keys())


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A topic's first post with the others as comments, or a single post of either export."""
    if is_topic(value):
        if not context.private and (why := _topic_hindrance(value)) is not None:
            yield why
            return
        posts = [post for post in list_at(value, "post_stream", "posts") if isinstance(post, dict)]
        for post in posts:
            yield _of_post(post, value, context)
        # A long topic's first page has the ids of all posts, and the first twenty whole.
        here = {key_at(post, "id") for post in posts}
        missing = [
            key for key in list_at(value, "post_stream", "stream") if isinstance(key, int) and str(key) not in here
        ]
        yield from (SkippedRecord("posts of a topic that the file has not") for _ in missing)
    elif is_archived(value):
        yield _of_archive(value, context)
    else:
        yield _of_post(value, {}, context)


def _topic_hindrance(topic: dict[str, object]) -> SkippedRecord | None:
    """Why a topic is not public."""
    kind = text_at(topic, "archetype") or text_at(topic, "topic_archetype")
    if kind == "private_message":
        return SkippedRecord("private messages")
    if kind not in {"", "regular", "banner"}:
        return SkippedRecord(reason("archetype", kind), unusual=True)
    return None if topic.get("visible") in (None, True) else SkippedRecord("unlisted topics")


def _of_post(post: dict[str, object], topic: dict[str, object], context: FileContext) -> RecordKind:
    if not (is_no(post.get("hidden")) and is_no(post.get("user_deleted"))) or post.get("deleted_at"):
        return SkippedRecord("deleted or hidden posts")
    if not context.private and (why := _topic_hindrance(post)) is not None:
        return why
    if post.get("post_type") not in (None, 1, "1"):
        return SkippedRecord("notices of the forum")  # 2: moderator action, 3: small action, 4: whisper
    body, pictures = text_and_pictures(text_at(post, "cooked"))
    text = body or text_at(post, "raw").strip()
    key = f"{_site(context)}{key_at(post, 'topic_id') or key_at(topic, 'id')}"
    number, author, moment = count_at(post, "post_number"), text_at(post, "username"), post.get("created_at")
    likes = max(
        [count_at(action, "count") for action in list_at(post, "actions_summary") if count_at(action, "id") == 2],
        default=0,
    )
    likes = likes or count_at(post, "like_count")
    url = text_at(post, "post_url") or text_at(post, "url")
    if url.startswith("/") and "." in _site(context):
        url = f"https://{_site(context).rstrip('/')}{url}"
    title = html.unescape(text_at(topic, "title") or text_at(post, "topic_title"))
    shape = post_shape(
        f"discourse:{key}" if number == 1 else f"discourse:{key}/{number}",
        title=title, text=text, author=author, created_at=moment, likes=likes, url=url,
        tags=_tags(topic), comment_count=max(0, count_at(topic, "posts_count") - 1) or count_at(post, "reply_count"),
        images=[(one.url, one.alt) for one in pictures],
    )  # fmt: skip
    if number == 1:
        return PostRecord(shape, key)
    comment = comment_shape(text, author, likes, moment)
    return (
        CommentRecord(f"{key}/{number}", key, comment, shape)
        if "text" in comment
        else SkippedRecord("posts without text")
    )


def _of_archive(row: dict[str, object], context: FileContext) -> RecordKind:
    private = row.get("is_pm")  # in the forum's language
    if not context.private and (private is None or not is_no(private)):
        known = str(private).strip().lower() in {"yes", "true", "1", "t", "是", "ja", "oui", "sí"}
        why = (
            "posts of which is_pm does not say whether they are private"
            if private is None
            else reason("is_pm", private)
        )
        return SkippedRecord("private messages" if known else why, not known)
    body, pictures = text_and_pictures(text_at(row, "post_cooked"))
    text = text_at(row, "post_raw") or text_at(row, "post") or body
    url = text_at(row, "url")
    shape = post_shape(
        f"discourse:{_path(url)}", title=text_at(row, "topic_title"), text=text.strip(),
        tags=[tag for tag in text_at(row, "categories").split("|") if tag and tag != "-"],
        created_at=row.get("created_at"), likes=count_at(row, "like_count"), comment_count=count_at(row, "reply_count"),
        url=url, images=[(one.url, one.alt) for one in pictures],
    )  # fmt: skip
    return PostRecord(shape)


def _path(url: str) -> str:
    """Host, topic and number of https://forum.example/t/the-slug/12/3, which do not change when a topic is renamed."""
    parts = urlsplit(url)
    numbers = [part for part in parts.path.split("/") if part.isdigit()]
    return "/".join([parts.hostname or "", *numbers]).strip("/") or url


def _tags(topic: dict[str, object]) -> list[str]:
    return [tag if isinstance(tag, str) else text_at(tag, "name") for tag in list_at(topic, "tags")]


def _site(context: FileContext) -> str:
    site = context.document.get("site")
    return f"{site}/" if isinstance(site, str) and site else ""


DISCOURSE = Platform(
    "Discourse",
    lambda value: is_topic(value) or is_post(value) or is_archived(value),
    read,
    frozenset({"hidden", "visible", "is_pm"}),
)
