"""WordPress's export (WXR), which is RSS with more in it: the status and the password of each post among that."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.posts.html_text import html_text, text_and_pictures
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.formats.xml import TEXT
from indexer.readers.paths import list_at, text_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

# Names that only such an export has, whatever their prefix: a file with them is not read as a mere feed.
SIGNS = frozenset({"post_type", "post_password", "post_status", "comment_status", "ping_status", "post_parent"})
_OTHER_TYPES = re.compile(
    r"attachment|revision|nav_menu_item|custom_css|customize_changeset|oembed_cache|user_request|wp_\w+"
)
_TAGS = frozenset({"post_tag", "category"})
_COMMENTS = frozenset({"", "comment", "review"})  # others are notices, or notes for the editors
_NO_DATE = "0000-00-00 00:00:00"
_OPENING = re.compile(r"\[(/?)([a-zA-Z][\w-]{0,40})((?:\s[^\[\]<>]{0,1000})?)(/?)\]")


def is_wordpress(value: dict[str, object]) -> bool:
    """Whether it is an item of a WordPress export."""
    return value.get("#") == "item" and "wp:post_type" in value


def read_wordpress(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A published post or page with its approved comments; drafts and password-protected ones are skipped."""
    if (kind := _all_texts(value, "wp:post_type")) not in {"post", "page"}:
        plain = _OTHER_TYPES.fullmatch(kind)
        yield SkippedRecord(
            "attachments, menus and the like" if plain else f"items of the type {kind[:40]!r}", not plain
        )
        return
    if not context.private and (why := _hindrance(value)) is not None:
        yield why
        return
    body, pictures = text_and_pictures(without_shortcodes(_blocks(_text(value, "content:encoded"))))
    comments = [
        _wordpress_comment(one) for one in list_at(value, "wp:comment") if _text(one, "wp:comment_approved") == "1"
    ]
    moment = _text(value, "wp:post_date_gmt")
    link = _text(value, "link")
    guid = _text(value, "guid") or link or f"wordpress:{_text(value, 'wp:post_id')}"
    yield PostRecord(
        post_shape(
            guid, title=html_text(_text(value, "title")), text=body or html_text(_text(value, "excerpt:encoded")),
            author=_author(_text(value, "dc:creator"), context),
            tags=[_text(one) for one in list_at(value, "category") if text_at(one, "domain") in _TAGS],
            language=str(context.document.get("language", "")),
            created_at=moment if moment and moment != _NO_DATE else _text(value, "pubDate"),
            url=link, images=[(one.url, one.alt) for one in pictures],
            comments=[one for one in comments if "text" in one], comment_count=len(comments),
        )
    )  # fmt: skip


def _hindrance(value: dict[str, object]) -> SkippedRecord | None:
    """Why an item is not public."""
    if _all_texts(value, "wp:post_password"):
        return SkippedRecord("private posts")
    status = _all_texts(value, "wp:status")
    if status == "publish":
        return None
    if status == "private":
        return SkippedRecord("private posts")
    if status in {"draft", "pending", "future", "auto-draft", "trash", "inherit"}:
        return SkippedRecord("drafts and unpublished posts")
    return SkippedRecord(f"posts whose status is {status[:40]!r}" if status else "posts without a status", unusual=True)


def _author(login: str, context: FileContext) -> str:
    """The name that the site shows for a login, if the export says it."""
    names = context.known.get("names")
    if not isinstance(names, dict):
        names = context.known["names"] = {
            _text(one, "wp:author_login"): _text(one, "wp:author_display_name")
            for one in list_at(context.document.get("wp:author"))
        }
    return names.get(login) or login


def _wordpress_comment(one: object) -> dict[str, object]:
    if _text(one, "wp:comment_type").lower() not in _COMMENTS:
        return {}
    moment = _text(one, "wp:comment_date_gmt")
    # An export also has each commenter's e-mail address and IP: they are not read.
    return comment_shape(
        html_text(_text(one, "wp:comment_content")),
        _text(one, "wp:comment_author"),
        created_at=moment if moment != _NO_DATE else None,
    )


def without_shortcodes(content: str) -> str:
    """A post's content without shortcodes; what they enclose stays.

    Words in brackets are a shortcode if they have attributes, close one, or are closed further on.

    >>> without_shortcodes('[caption width="3"]<img src="a"/> A cup[/caption] [gallery ids="1,2"] [sic]')
    '<img src="a"/> A cup  [sic]'
    """
    found = list(_OPENING.finditer(content))
    closed = {one[2] for one in found if one[1]}
    pieces, at = [], 0
    for one in found:
        literal = content[one.start() - 1 : one.start()] == "[" and content[one.end() : one.end() + 1] == "]"
        if not literal and (one[2] in closed or "=" in one[3] or one[4]):
            pieces.append(content[at : one.start()])
            at = one.end()
    return "".join([*pieces, content[at:]]).strip()


def _blocks(content: str) -> str:
    """A post's content, with paragraphs separated as WordPress does if it has no tags."""
    return content if "<p" in content or "<!-- wp:" in content else content.replace("\n\n", "<p>")


def _text(value: object, *names: str) -> str:
    """The text of an element, with or without attributes; of several with the same name, the first."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
        value = value[0] if isinstance(value, list) and value else value
    return (text_at(value) or text_at(value, TEXT)).strip()


def _all_texts(value: object, name: str) -> str:
    """The text of an element in lower case; of several the different ones, so that no second one goes unseen."""
    texts = [_text(one).lower() for one in list_at(value, name)]
    return ", ".join(dict.fromkeys(text for text in texts if text))


WORDPRESS = Platform("WordPress export", is_wordpress, read_wordpress, frozenset({"wp:status", "wp:post_password"}))
