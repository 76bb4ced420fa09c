"""Facebook and Instagram: posts in the JSON that an account downloads.

Neither file says who could read a post, and most posts there are for friends: they are read only with --private. Their
words are UTF-8 written as Latin-1, which is mended where all posts are.
"""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.exports.post_shape import post_shape
from indexer.readers.paths import count_at, list_at, text_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord


def is_facebook(value: dict[str, object]) -> bool:
    """Whether it is an entry of your_posts_1.json."""
    return (
        "timestamp" in value and isinstance(value.get("data"), list) and bool({"attachments", "title"} & value.keys())
    )


def is_instagram(value: dict[str, object]) -> bool:
    """Whether it is an entry of posts_1.json."""
    media = list_at(value, "media")
    return bool(media) and all(isinstance(one, dict) and {"uri", "creation_timestamp"} <= one.keys() for one in media)


def is_message(value: dict[str, object]) -> bool:
    """Whether it is a message of either."""
    return "sender_name" in value and "timestamp_ms" in value


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post, if posts are read that were not for everybody; messages never are."""
    if is_message(value):
        yield SkippedRecord("direct messages")
    elif not context.private:
        yield SkippedRecord(
            "posts of a download that does not say who may read them (--private reads it)", unusual=True
        )
    elif is_facebook(value):
        moment = count_at(value, "timestamp")
        words = [text_at(one, "post") for one in list_at(value, "data")]
        attached = [one for holder in list_at(value, "attachments") for one in list_at(holder, "data")]
        words += [text_at(one, "media", "description") for one in attached]
        words += [text_at(one, "external_context", "url") for one in attached]
        text = "\n\n".join(dict.fromkeys(word for word in words if word))
        yield _post("facebook", moment, text, "" if text else text_at(value, "title") * (not attached))
    else:
        media = list_at(value, "media")
        words = [text_at(value, "title"), *(text_at(one, "title") for one in media)]
        moment = count_at(value, "creation_timestamp") or count_at(media, 0, "creation_timestamp")
        yield _post("instagram", moment, "\n\n".join(dict.fromkeys(word for word in words if word)))


def _post(platform: str, moment: int, text: str, title: str = "") -> RecordKind:
    if not text and not title:
        return SkippedRecord("pictures without words")
    return PostRecord(post_shape(f"{platform}:{moment}", title=title, text=text, created_at=moment))


META = Platform(
    "Facebook or Instagram", lambda value: is_message(value) or is_facebook(value) or is_instagram(value), read
)
