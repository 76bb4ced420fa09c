"""MediaCrawler: notes and comments of Xiaohongshu, Weibo, Douyin, Kuaishou, Bilibili, Zhihu and Tieba, as JSON or CSV.

Field names: the store package of the tool, a module a platform. All counts are strings, as the page shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.posts.html_text import html_text
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, key_at, text_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_KEYS = ("note_id", "aweme_id", "video_id", "content_id")
_TEXTS = ("desc", "content", "content_text", "title")
_TOPIC = re.compile(r"#([^#\s\[\]]{1,60})(?:\[话题\])?#")
_NAMES = (  # by what the address of a note holds
    ("xiaohongshu", "xhs"), ("weibo", "weibo"), ("douyin", "douyin"), ("bilibili", "bilibili"), ("zhihu", "zhihu"),
    ("tieba", "tieba"), ("kuaishou", "kuaishou"),
)  # fmt: skip


def is_note(value: dict[str, object]) -> bool:
    """Whether it is a note, a video, or an answer."""
    return (
        "comment_id" not in value
        and _key(value) != ""
        and bool({"nickname", "user_nickname"} & value.keys())
        and bool({"liked_count", "voteup_count", "total_replay_num", "last_modify_ts"} & value.keys())
    )


def read_note(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """The note; its comments are in a file of their own."""
    key, url = _key(value), _first(value, "note_url", "aweme_url", "video_url", "content_url")
    words = _first(value, "desc", "content_text", "content")
    text = html_text(_TOPIC.sub(r"#\1", words))
    shape = post_shape(
        f"{_platform(value, url)}:{key.partition('/')[2]}",
        title=text_at(value, "title") if text_at(value, "title") != words else "",
        text=text,
        author=_first(value, "nickname", "user_nickname"),
        tags=[*_split(text_at(value, "tag_list")), *_TOPIC.findall(words)],
        created_at=_moment(value, "time", "create_time", "created_time", "publish_time"),
        likes=count_at(value, "liked_count") or count_at(value, "voteup_count"),
        collects=count_at(value, "collected_count"),
        comment_count=max(count_at(value, name) for name in ("comment_count", "comments_count", "total_replay_num")),
        url=url,
        images=[(address, "") for address in _split(_first(value, "image_list", "note_download_url"))],
    )
    if place := text_at(value, "ip_location"):
        shape["place"] = {"name": place[:200]}
    yield PostRecord(shape, key)


def is_comment(value: dict[str, object]) -> bool:
    """Whether it is a comment on one."""
    return "comment_id" in value and "content" in value and _key(value) != ""


def read_comment(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """A comment, or a reply to one; without its note it is a post of its own."""
    note, key = _key(value), f"comment/{key_at(value, 'comment_id')}"
    above = key_at(value, "parent_comment_id")
    moment = _moment(value, "create_time", "publish_time")
    text, author = html_text(text_at(value, "content")), _first(value, "nickname", "user_nickname")
    likes = count_at(value, "like_count") or count_at(value, "comment_like_count")
    comment = comment_shape(text, author, likes, moment)
    if "text" not in comment:
        yield SkippedRecord("pictures without words")
        return
    alone = post_shape(
        f"{note.replace('/', ':')}/{key_at(value, 'comment_id')}", text=text, author=author, likes=likes,
        created_at=moment,
    )  # fmt: skip
    yield CommentRecord(key, f"comment/{above}" if above not in {"", "0"} else note, comment, alone)


def _key(value: dict[str, object]) -> str:
    return next((f"{name}/{key}" for name in _KEYS if (key := key_at(value, name))), "")


def _first(value: dict[str, object], *names: str) -> str:
    return next((text for name in names if (text := text_at(value, name).strip())), "")


def _moment(value: dict[str, object], *names: str) -> object:
    moment = next((value[name] for name in names if value.get(name)), None)
    # Tieba's page shows the time of China without a zone.
    return f"{moment}+08:00" if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d?-\d\d? \d.*", moment) else moment


def _platform(value: dict[str, object], url: str) -> str:
    return next((name for part, name in _NAMES if part in url), _key(value).partition("_")[0])


def _split(written: str) -> list[str]:
    return [part.strip() for part in written.split(",") if part.strip()]


NOTES = Platform("MediaCrawler", is_note, read_note)
COMMENTS = Platform("MediaCrawler, comments", is_comment, read_comment)
