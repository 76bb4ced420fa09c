"""Feeds: RSS 2.0 and 1.0, Atom, JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from indexer.posts.html_text import Picture, html_text, text_and_pictures
from indexer.readers.exports.post_shape import post_shape
from indexer.readers.exports.wordpress import SIGNS
from indexer.readers.formats.xml import TEXT
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import FileContext, InvalidRecord, Platform, PostRecord, RecordKind, SkippedRecord

# Blogger's export is an Atom feed with settings, templates and comments as entries, told apart by a category or a type.
_BLOGGER_KIND = "http://schemas.google.com/blogger/2008/kind#"


def is_feed(value: dict[str, object]) -> bool:
    """Whether it is an item of RSS or an entry of Atom."""
    named = {"title", "description", "link", "guid", "content:encoded", "atom:title", "atom:content", "atom:id"}
    return text_at(value, "#") in {"item", "atom:entry"} and bool(named & value.keys())


def read_feed(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The item as a post; drafts are skipped, and an export that is more than a feed is rejected."""
    strange = [name for name in value if name.rpartition(":")[2] in SIGNS]
    if strange or any(name.rpartition(":")[2] == "wxr_version" for name in context.document):
        problem = (
            f"the feed has elements of a WordPress export that are not where it has them: {', '.join(strange[:8])}"
        )
        expected = "an export with its namespaces: they say which posts are private"
        yield InvalidRecord("", problem.removesuffix(": "), expected)
        return
    atom = value.get("#") == "atom:entry"
    if why := _hindrance(value):
        yield why
        return
    fields = ("atom:content", "atom:summary") if atom else (
        "content:encoded", "xhtml:body", "description", "atom:content", "atom:summary"
    )  # fmt: skip
    name, written = next(((name, text) for name in fields if (text := _text(value, name))), ("", ""))
    body, pictures = text_and_pictures(written)
    base = urljoin(_base(value, context), text_at(value.get(name), "xml:base") if name else "")
    link = urljoin(_base(value, context), _link(value) if atom else _text(value, "link") or _link(value))
    post_id = _text(value, "atom:id") if atom else _text(value, "guid") or text_at(value, "about")
    title = html_text(_text(value, "atom:title" if atom else "title"))
    if not (post_id or link) or not (title or body):
        yield SkippedRecord("items without an address, or without words", unusual=True)
        return
    tags = [text_at(one, "term") or _text(one) for one in list_at(value, "atom:category")] if atom else [
        _text(one) for one in list_at(value, "category")
    ]  # fmt: skip
    dates = ("atom:published", "atom:updated", "atom:issued") if atom else ("pubDate", "dc:date", "atom:published")
    media = [
        one
        for one in [*list_at(value, "media:content"), *list_at(value, "media:group", "media:content")]
        if text_at(one, "medium") == "image" or text_at(one, "type").startswith("image/")
    ]
    media += [one for one in list_at(value, "enclosure") if text_at(one, "type").startswith("image/")]
    yield PostRecord(
        post_shape(
            post_id or link, title=title, text=body, author=_author(value, context), tags=[tag.strip() for tag in tags],
            language=str(value.get("xml:lang") or context.document.get("language") or ""),
            created_at=next((at for name in dates if (at := _text(value, name))), None),
            comment_count=count_at(value, "slash:comments"), url=link,
            images=[*((urljoin(base, one.url), one.alt) for one in pictures if not _is_emoji(one)),
                    *((text_at(one, "url"), _text(one, "media:description")) for one in media)],
        )
    )  # fmt: skip


def _hindrance(value: dict[str, object]) -> SkippedRecord | None:
    """Why an entry is no public post; what its plain fields say was looked at before."""
    kinds = [text_at(one, "term") for one in list_at(value, "atom:category")]
    kinds = [kind.removeprefix(_BLOGGER_KIND) for kind in kinds if kind.startswith(_BLOGGER_KIND)]
    kinds += [kind for name in ("type", "blogger:type") if (kind := _text(value, name).lower())]
    if any(kind in {"settings", "template", "comment"} for kind in kinds):
        return SkippedRecord("settings, templates and comments of Blogger")
    for control in list_at(value, "control") + list_at(value, "app:control"):
        draft = _text(control, "draft") or _text(control, "app:draft")
        if draft.lower() != "no":
            return SkippedRecord("drafts and unpublished posts")
    return None


def _author(value: dict[str, object], context: FileContext) -> str:
    """Who wrote an item, or all that is in the feed."""
    names = [_text(one, "atom:name") for one in list_at(value, "atom:author")]
    names = names or [_text(one) for one in list_at(value, "dc:creator")] or [
        _without_mail(_text(one)) for one in list_at(value, "author")
    ]  # fmt: skip
    if not any(names):
        names = [_text(one, "atom:name") for one in list_at(context.document.get("atom:author"))]
    if not any(names):
        about = context.document
        names = [_without_mail(str(about.get(name) or "")) for name in ("dc:creator", "managingEditor", "author")][:3]
        names = [name for name in names if name][:1]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _base(value: dict[str, object], context: FileContext) -> str:
    """What relative addresses in an item begin with."""
    about = context.document
    site = str(about.get("xml:base") or about.get("link") or "")
    return urljoin(site, text_at(value, "xml:base"))


def _is_emoji(picture: Picture) -> bool:
    """Whether a picture is an emoji that the text has in words: Weibo's [微笑]."""
    return picture.alt.startswith("[") and picture.alt.endswith("]") and len(picture.alt) <= 20


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


FEED = Platform("feed", is_feed, read_feed)
JSON_FEED = Platform("JSON Feed", is_json_feed, read_json_feed)
