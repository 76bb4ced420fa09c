"""Reddit: dumps of submissions and comments, one JSON object per line, and listings of its API."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from indexer.posts.audience import reason
from indexer.readers.exports.post_shape import comment_shape, post_shape, with_alts, with_quote
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_SITE = "https://www.reddit.com"
# A "user" subreddit is somebody's profile; restricted ones are read by all.
_OPEN_TO_ALL = frozenset({"public", "restricted", "user", "archived"})
_SUBMISSION = re.compile(r"/comments/(\w+)")
_FILLERS = re.compile("[\u200b\ufeff\u2060]")
_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*\n")
_GONE = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]"})


def fits(value: dict[str, object]) -> bool:
    """Whether it is a submission or a comment, or a thing of a listing."""
    thing = _thing(value)
    submission = "title" in thing and ("selftext" in thing or "num_comments" in thing)
    comment = "body" in thing and ("link_id" in thing or "parent_id" in thing)
    return ("subreddit" in thing or "permalink" in thing) and (submission or comment)


def read(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """A submission, or a comment on one; deleted and removed ones are skipped."""
    thing = _thing(value)
    kind = text_at(thing, "subreddit_type") or "public"
    if value.get("kind") == "t4" or text_at(thing, "name").startswith("t4_") or "dest" in thing:
        yield SkippedRecord("private messages")
    elif kind not in _OPEN_TO_ALL:
        yield SkippedRecord(reason("subreddit_type", kind), unusual=kind != "private")
    elif thing.get("removed") is True or thing.get("spam") is True or thing.get("banned_by"):
        yield SkippedRecord("deleted or removed posts")
    elif "body" in thing and "title" not in thing:
        yield _comment(thing)
    elif "title" in thing:
        yield _submission(thing)
    else:
        yield SkippedRecord("things that are not posts")


def is_row(value: dict[str, object]) -> bool:
    """Whether it is a row of posts.csv or comments.csv, as an account asks Reddit for them."""
    return value.keys() >= {"id", "permalink", "date", "subreddit"} and bool({"title", "body", "link"} & value.keys())


def read_row(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """The account's own post or comment; the address that it was sent from is not read."""
    comment = "link" in value or "parent" in value
    text = _decoded(html.unescape(text_at(value, "body")))
    title, key = html.unescape(text_at(value, "title")), key_at(value, "id")
    if not (text or title) or text in _GONE:
        yield SkippedRecord("deleted or removed posts")
        return
    shape = post_shape(
        f"reddit:{'t1' if comment else 't3'}_{key}", title=title, text=text or text_at(value, "url"),
        tags=[text_at(value, "subreddit")], created_at=value.get("date"),
        url=urljoin(_SITE, text_at(value, "permalink")),
    )  # fmt: skip
    if not comment:
        yield PostRecord(shape, f"t3_{key}")
        return
    found = _SUBMISSION.search(text_at(value, "link"))
    moment = value.get("date")
    yield CommentRecord(f"t1_{key}", f"t3_{found[1] if found else ''}", comment_shape(text, created_at=moment), shape)


def _submission(thing: dict[str, object]) -> RecordKind:
    title, text = html.unescape(text_at(thing, "title")), _text(thing, "selftext")
    if title in _GONE or text in _GONE or text_at(thing, "removed_by_category"):
        return SkippedRecord("deleted or removed posts")
    key = _key(thing, "t3_")
    link = urljoin(_SITE, html.unescape(text_at(thing, "url")))
    pictures = _pictures(thing)
    options = [
        f"- {_decoded(option)}" for one in list_at(thing, "poll_data", "options") if (option := text_at(one, "text"))
    ]
    text = "\n".join([text, *options]).strip()
    parent = value_at(thing, "crosspost_parent_list", 0)
    if isinstance(parent, dict) and (text_at(parent, "subreddit_type") or "public") in _OPEN_TO_ALL:
        words = _text(parent, "selftext")
        text = with_quote(text, _author(parent), "" if words in _GONE else words)
    if not text:
        text = with_alts("", [alt for _, alt in pictures])
    return PostRecord(
        post_shape(
            f"reddit:{key}", title=title,
            text=text or ("" if value_at(thing, "is_self") or thing.get("is_gallery") else link),
            author=_author(thing), tags=_tags(thing),
            created_at=_moment(thing), likes=count_at(thing, "score"), comment_count=count_at(thing, "num_comments"),
            url=_address(thing), images=pictures,
        ),
        key=key,
    )  # fmt: skip


def _comment(thing: dict[str, object]) -> RecordKind:
    text = _text(thing, "body")
    if text in _GONE or not text:
        return SkippedRecord("deleted or removed comments")
    key = _key(thing, "t1_")
    parent = text_at(thing, "link_id") or text_at(thing, "parent_id")
    author, likes, moment = _author(thing), count_at(thing, "score"), _moment(thing)
    alone = post_shape(
        f"reddit:{key}", title=html.unescape(text_at(thing, "link_title")), text=text, author=author,
        tags=_tags(thing), created_at=moment, likes=likes, url=_address(thing),
    )  # fmt: skip
    parent = parent if parent.startswith("t") else f"t3_{parent}"
    return CommentRecord(key, parent, comment_shape(text, author, likes, moment), alone)


def _thing(value: dict[str, object]) -> dict[str, object]:
    inner = value.get("data")
    return inner if isinstance(inner, dict) and str(value.get("kind", "")).startswith("t") else value


def _key(thing: dict[str, object], kind: str) -> str:
    return text_at(thing, "name") if text_at(thing, "name").startswith(kind) else kind + key_at(thing, "id")


def _text(thing: dict[str, object], field: str) -> str:
    # Dumps escape &, < and > of Markdown, which has entities of its own, such as those of its editor's empty lines.
    return _decoded(html.unescape(text_at(thing, field)))


def _decoded(markdown: str) -> str:
    """Markdown with its entities as characters, without those that show nothing."""
    text = _FILLERS.sub("", html.unescape(markdown)).replace("\xa0", " ")
    return _EMPTY_LINES.sub("\n\n", text).strip()


def _author(thing: dict[str, object]) -> str:
    author = text_at(thing, "author")
    return "" if author in _GONE else author


def _tags(thing: dict[str, object]) -> list[str]:
    return [
        tag for tag in (text_at(thing, "subreddit"), html.unescape(text_at(thing, "link_flair_text")).strip()) if tag
    ]


def _moment(thing: dict[str, object]) -> object:
    moment = value_at(thing, "created_utc")
    return moment if moment is not None else value_at(thing, "created")


def _address(thing: dict[str, object]) -> str:
    path = text_at(thing, "permalink")
    if not path and text_at(thing, "link_id"):
        path = f"/comments/{text_at(thing, 'link_id').removeprefix('t3_')}/_/{key_at(thing, 'id')}/"
    return path if path.startswith("http") or not path else f"{_SITE}{path}"


def _pictures(thing: dict[str, object]) -> list[tuple[str, str]]:
    items = list_at(thing, "gallery_data", "items")
    gallery = [
        (_picture_of(thing, key), _decoded(text_at(one, "caption")))
        for one in items
        if (key := key_at(one, "media_id"))
    ]
    if gallery:
        return [(address, caption) for address, caption in gallery if address]
    link = html.unescape(text_at(thing, "url"))
    return [(link, "")] if link.split("?")[0].lower().endswith((".jpg", ".jpeg", ".png", ".gif", ".webp")) else []


def _picture_of(thing: dict[str, object], key: str) -> str:
    """The address of a gallery's picture in its full size."""
    found = value_at(thing, "media_metadata", key)
    return html.unescape(text_at(found, "s", "u") or text_at(found, "s", "gif"))


# "hidden" is what the account that made the listing has put out of its own sight.
REDDIT = Platform("Reddit", fits, read, frozenset({"hidden"}))
ROWS = Platform("Reddit, an account's data", is_row, read_row)
