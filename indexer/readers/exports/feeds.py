"""Feeds: RSS 2.0 and 1.0, Atom, JSON Feed; and WordPress's export, which is RSS with more in it."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.html_text import html_text, text_and_pictures
from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.formats.xml import TEXT
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_TAGS = frozenset({"post_tag", "category"})
_NO_DATE = "0000-00-00 00:00:00"


def is_wordpress(value: dict[str, object]) -> bool:
    """Whether it is an item of a WordPress export."""
    return value.get("#") == "item" and "wp:post_type" in value


def read_wordpress(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A published post or page with its approved comments; drafts and password-protected ones are skipped."""
    if _text(value, "wp:post_type") not in {"post", "page"}:
        yield SkippedRecord("attachments, menus and the like")
        return
    status = _text(value, "wp:status")
    if status == "private" or _text(value, "wp:post_password"):
        if not context.private:
            yield SkippedRecord("private posts")
            return
    elif status != "publish":
        yield SkippedRecord("drafts and unpublished posts")
        return
    body, pictures = text_and_pictures(_blocks(_text(value, "content:encoded")))
    comments = [
        _wordpress_comment(one) for one in list_at(value, "wp:comment") if _text(one, "wp:comment_approved") == "1"
    ]
    moment = _text(value, "wp:post_date_gmt")
    link = _text(value, "link")
    guid = _text(value, "guid") or link or f"wordpress:{_text(value, 'wp:post_id')}"
    yield PostRecord(
        post_shape(
            guid, title=html_text(_text(value, "title")), text=body or html_text(_text(value, "excerpt:encoded")),
            author=_text(value, "dc:creator"),
            tags=[_text(one) for one in list_at(value, "category") if text_at(one, "domain") in _TAGS],
            language=str(context.document.get("language", "")),
            created_at=moment if moment and moment != _NO_DATE else _text(value, "pubDate"),
            url=link, images=[(one.url, one.alt) for one in pictures],
            comments=[one for one in comments if "text" in one], comment_count=len(comments),
        )
    )  # fmt: skip


def _wordpress_comment(one: object) -> dict[str, object]:
    if _text(one, "wp:comment_type") in {"pingback", "trackback"}:
        return {}
    moment = _text(one, "wp:comment_date_gmt")
    # An export also has each commenter's e-mail address and IP: they are not read.
    return comment_shape(
        html_text(_text(one, "wp:comment_content")),
        _text(one, "wp:comment_author"),
        created_at=moment if moment != _NO_DATE else None,
    )


def _blocks(content: str) -> str:
    """A post's content, with paragraphs separated as WordPress does if it has no tags."""
    return content if "<p" in content or "<!-- wp:" in content else content.replace("\n\n", "<p>")


def is_feed(value: dict[str, object]) -> bool:
    """Whether it is an item of RSS or an entry of Atom."""
    named = {"title", "description", "link", "guid", "content:encoded", "atom:title", "atom:content", "atom:id"}
    return text_at(value, "#") in {"item", "atom:entry"} and bool(named & value.keys())


def read_feed(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The item as a post."""
    atom = value.get("#") == "atom:entry"
    fields = ("atom:content", "atom:summary") if atom else ("content:encoded", "description", "atom:summary")
    written = next((text for name in fields if (text := _text(value, name))), "")
    body, pictures = text_and_pictures(written)
    link = _link(value) if atom else _text(value, "link") or _link(value)
    post_id = _text(value, "atom:id") if atom else _text(value, "guid")
    title = html_text(_text(value, "atom:title" if atom else "title"))
    if not (post_id or link) or not (title or body):
        yield SkippedRecord("items without an address, or without words")
        return
    tags = [text_at(one, "term") or _text(one) for one in list_at(value, "atom:category")] if atom else [
        _text(one) for one in list_at(value, "category")
    ]  # fmt: skip
    dates = ("atom:published", "atom:updated", "atom:issued") if atom else ("pubDate", "dc:date", "atom:published")
    author = (
        text_at(value, "atom:author", "atom:name")
        or _text(value, "dc:creator")
        or _without_mail(_text(value, "author"))
    )
    media = [
        one
        for one in list_at(value, "media:content")
        if text_at(one, "medium") == "image" or text_at(one, "type").startswith("image/")
    ]
    media += [one for one in list_at(value, "enclosure") if text_at(one, "type").startswith("image/")]
    yield PostRecord(
        post_shape(
            post_id or link, title=title, text=body, author=author, tags=[tag.strip() for tag in tags],
            language=str(value.get("xml:lang") or context.document.get("language") or ""),
            created_at=next((at for name in dates if (at := _text(value, name))), None),
            comment_count=count_at(value, "slash:comments"), url=link,
            images=[*((one.url, one.alt) for one in pictures),
                    *((text_at(one, "url"), _text(one, "media:description")) for one in media)],
        )
    )  # fmt: skip


def is_json_feed(value: dict[str, object]) -> bool:
    """Whether it is an item of a JSON Feed."""
    return bool({"content_html", "content_text"} & value.keys()) and "id" in value


def read_json_feed(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The item as a post."""
    body, pictures = text_and_pictures(text_at(value, "content_html"))
    authors = list_at(value, "authors") or list_at(value, "author") or list_at(context.document.get("authors"))
    images = [(one.url, one.alt) for one in pictures]
    if image := text_at(value, "image"):
        images.insert(0, (image, ""))
    yield PostRecord(
        post_shape(
            key_at(value, "id") or text_at(value, "url"), title=text_at(value, "title"),
            text=body or text_at(value, "content_text") or text_at(value, "summary"),
            author=text_at(authors, 0, "name"),
            tags=[tag for tag in list_at(value, "tags") if isinstance(tag, str)],
            language=text_at(value, "language") or str(context.document.get("language") or ""),
            created_at=value.get("date_published") or value.get("date_modified"),
            url=text_at(value, "url") or text_at(value, "external_url"), images=images,
        )
    )  # fmt: skip


def _text(value: object, *names: str) -> str:
    """The text of an element, with or without attributes; of several with the same name, the first."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
        value = value[0] if isinstance(value, list) and value else value
    return (text_at(value) or text_at(value, TEXT)).strip()


def _link(value: dict[str, object]) -> str:
    links = list_at(value, "atom:link")
    chosen = [one for one in links if text_at(one, "rel") in {"", "alternate"}]
    return text_at((chosen or links or [None])[0], "href")


def _without_mail(author: str) -> str:
    """The name of "mo@posts.example (Mo)", as RSS asks authors to be written; a bare address gives ""."""
    if "@" not in author:
        return author
    return author.partition("(")[2].rstrip(") ")


WORDPRESS = Platform("WordPress export", is_wordpress, read_wordpress)
FEED = Platform("feed", is_feed, read_feed)
JSON_FEED = Platform("JSON Feed", is_json_feed, read_json_feed)
