"""Weibo: CSV and JSON of the tools weibo-search and weibo-crawler, and posts as the mobile site's API gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.posts.audience import reason
from indexer.posts.html_text import html_text
from indexer.readers.exports.post_shape import post_shape, with_quote
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_ENGLISH = {
    "微博正文": "text", "正文": "text", "用户昵称": "screen_name", "发布位置": "location", "位置": "location",
    "话题": "topics", "评论数": "comments_count", "点赞数": "attitudes_count", "发布时间": "created_at",
    "完整日期": "full_created_at", "日期": "created_at", "微博图片url": "pics", "原始图片url": "pics",
}  # fmt: skip
_NOTHING_ADDED = frozenset({"转发微博", "轉發微博", "Repost", "repost", ""})
_TOPIC = re.compile(r"#([^#\s]{1,60})#")


def fits(value: dict[str, object]) -> bool:
    """Whether it is a row of a tool's table, an entry of its JSON, or a post of the API."""
    if {"微博正文", "正文"} & value.keys():
        return bool({"bid", "id"} & value.keys())
    return "text" in value and bool({"bid", "mblogid"} & value.keys()) and "attitudes_count" in value


def read(given: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post, with what it reposts marked as a quote; reposts without words, and what is not for all, are skipped."""
    value = {_ENGLISH.get(name, name): cell for name, cell in given.items()}
    visible = value_at(value, "visible", "type")
    if not context.private and (value.get("visible") is not None and visible not in (0, "0")):
        yield SkippedRecord(
            "posts for some readers" if visible is not None else reason("visible", value["visible"]), True
        )
        return
    text = _words(value)
    repost = next((one for name in ("retweet", "retweeted_status") if isinstance(one := value.get(name), dict)), None)
    if text in _NOTHING_ADDED and (repost is not None or key_at(value, "retweet_id") or text):
        yield SkippedRecord("reposts without words")
        return
    if repost is not None and value_at(repost, "visible", "type") in (None, 0, "0"):
        text = with_quote(text, _author(repost), _words(repost))
    bid = key_at(value, "bid") or key_at(value, "mblogid")
    user = key_at(value, "user_id") or key_at(value, "user", "id")
    shape = post_shape(
        f"weibo:{key_at(value, 'id') or bid}",
        text=text,
        author=_author(value),
        tags=[*_listed(value.get("topics")), *_TOPIC.findall(text)],
        created_at=_moment(value),
        likes=count_at(value, "attitudes_count"),
        comment_count=count_at(value, "comments_count"),
        url=f"https://weibo.com/{user}/{bid}" if user and bid else f"https://m.weibo.cn/detail/{bid}" if bid else "",
        images=_pictures(value),
    )
    if place := text_at(value, "location"):
        shape["place"] = {"name": place[:200]}
    yield PostRecord(shape)


def _words(value: dict[str, object]) -> str:
    return html_text(text_at(value, "longText", "longTextContent") or text_at(value, "text")).strip()


def _author(value: dict[str, object]) -> str:
    return text_at(value, "screen_name") or text_at(value, "user", "screen_name")


def _moment(value: dict[str, object]) -> object:
    moment = value.get("full_created_at") or value.get("created_at")
    # The site and its tools write China's time without saying so.
    naive = isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d?-\d\d?[ T]\d\d?:\d\d(?::\d\d)?", moment)
    return f"{moment}+08:00" if naive else moment


def _listed(written: object) -> list[str]:
    return [part.strip() for part in written.split(",") if part.strip()] if isinstance(written, str) else []


def _pictures(value: dict[str, object]) -> list[tuple[str, str]]:
    pics = value.get("pics")
    if isinstance(pics, str):
        return [(address, "") for address in _listed(pics)]
    return [(text_at(one, "large", "url") or text_at(one, "url"), "") for one in list_at(pics)]


WEIBO = Platform("Weibo", fits, read, frozenset({"visible"}))
