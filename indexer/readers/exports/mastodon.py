"""Mastodon: the archive that an account downloads (outbox.json, ActivityPub), and statuses as its API gives them.

Shapes: docs.joinmastodon.org, "Status" and "ActivityPub"; an archive's outbox is an OrderedCollection of Create and
Announce activities.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from indexer.posts.audience import is_no, reason
from indexer.posts.html_text import html_text
from indexer.readers.exports.post_shape import post_shape, with_alts, with_quote
from indexer.readers.paths import count_at, list_at, text_at, value_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_PUBLIC = frozenset({"www.w3.org/ns/activitystreams#public", "as:public", "public"})
_FOR_ALL = frozenset({"public", "unlisted"})  # unlisted posts are public, and only not recommended
_ACTIVITIES = frozenset({"Create", "Announce", "Update", "Delete"})
_OBJECTS = frozenset({"Note", "Question", "Article", "Page", "Image", "Video", "Audio", "Event"})


def is_activity(value: dict[str, object]) -> bool:
    """Whether it is an entry of an outbox."""
    return text_at(value, "type") in _ACTIVITIES and isinstance(value.get("actor"), str) and "object" in value


def read_activity(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post of a Create; boosts and posts that were not public are skipped."""
    note = value.get("object")
    if value.get("type") == "Announce":
        yield SkippedRecord("boosts")
    elif value.get("type") != "Create" or not isinstance(note, dict) or text_at(note, "type") not in _OBJECTS:
        yield SkippedRecord("activities that are not posts")
    elif not context.private and not _is_public(note):
        yield SkippedRecord("private and direct posts")
    else:
        post = _of_note(note, text_at(value, "actor"))
        if _media_of(note) and not post.keys() & {"text", "title"}:
            yield SkippedRecord("pictures without words")
        else:
            yield PostRecord(post)


def _is_public(note: dict[str, object]) -> bool:
    """Whether it was public, listed or not."""
    readers = [reader for reader in [*list_at(note, "to"), *list_at(note, "cc")] if isinstance(reader, str)]
    return is_no(note.get("directMessage")) and any(
        reader.lower().removeprefix("https://").removeprefix("http://") in _PUBLIC for reader in readers
    )


def _of_note(note: dict[str, object], actor: str) -> dict[str, object]:
    media = _media_of(note)
    options = [text_at(option, "name") for option in [*list_at(note, "oneOf"), *list_at(note, "anyOf")]]
    languages = value_at(note, "contentMap")
    by_language = languages if isinstance(languages, dict) else {}
    body = text_at(note, "content") or next((text for text in by_language.values() if isinstance(text, str)), "")
    text = "\n".join([html_text(body), *(f"- {option}" for option in options if option)]).strip()
    return post_shape(
        text_at(note, "id") or text_at(note, "atomUri"),
        title=text_at(note, "name"),
        # In an archive pictures are files without a web address: their descriptions become part of the text.
        text=with_alts(_warned(text_at(note, "summary"), text), [_alt(one) for one in media if not _address(one)]),
        author=_handle(text_at(note, "attributedTo") or actor),
        tags=_hashtags(note),
        language=next(iter(by_language), ""),
        created_at=value_at(note, "published"),
        likes=count_at(note, "likes", "totalItems"),
        comment_count=count_at(note, "replies", "totalItems"),
        url=text_at(note, "url") or text_at(note, "id"),
        images=[(_address(one), _alt(one)) for one in media],
    )


def is_status(value: dict[str, object]) -> bool:
    """Whether it is a status of the API."""
    return isinstance(value.get("account"), dict) and "content" in value and ("uri" in value or "visibility" in value)


def read_status(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post of a status; boosts and posts that were not public are skipped."""
    if isinstance(value.get("reblog"), dict):
        yield SkippedRecord("boosts")
        return
    if not context.private and (visibility := text_at(value, "visibility").strip().lower()) not in _FOR_ALL:
        known = visibility in {"private", "direct"}
        why = "private and direct posts" if known else reason("visibility", value.get("visibility"))
        yield SkippedRecord(why, not known)
        return
    media = list_at(value, "media_attachments")
    poll = [f"- {title}" for option in list_at(value, "poll", "options") if (title := text_at(option, "title"))]
    text = "\n".join([html_text(text_at(value, "content")), *poll]).strip()
    quoted = value_at(value, "quote", "quoted_status") or value.get("quote")
    if text_at(quoted, "visibility") in _FOR_ALL:
        text = with_quote(text, text_at(quoted, "account", "acct"), html_text(text_at(quoted, "content")))
    account = text_at(value, "account", "acct")
    host = urlsplit(text_at(value, "account", "url")).hostname if "@" not in account else None
    yield PostRecord(
        post_shape(
            text_at(value, "uri") or text_at(value, "url") or text_at(value, "id"),
            text=with_alts(
                _warned(text_at(value, "spoiler_text"), text),
                [text_at(one, "description") for one in media if not _media_address(one)],
            ),
            author=f"{account}@{host}" if account and host else account,
            tags=[text_at(tag, "name") for tag in list_at(value, "tags")],
            language=text_at(value, "language"),
            created_at=value.get("created_at"),
            likes=count_at(value, "favourites_count"),
            comment_count=count_at(value, "replies_count"),
            url=text_at(value, "url") or text_at(value, "uri"),
            images=[(_media_address(one), text_at(one, "description")) for one in media],
        )
    )


def _media_of(note: dict[str, object]) -> list[dict[str, object]]:
    return [entry for entry in list_at(note, "attachment") if isinstance(entry, dict)]


def _warned(warning: str, text: str) -> str:
    """The text under its content warning, as the platform shows it."""
    return f"{warning.strip()}\n\n{text}".strip() if warning.strip() else text


def _hashtags(note: dict[str, object]) -> list[str]:
    return [text_at(tag, "name").lstrip("#") for tag in list_at(note, "tag") if text_at(tag, "type") == "Hashtag"]


def _alt(media: object) -> str:
    return text_at(media, "name") or text_at(media, "summary")


def _address(media: object) -> str:
    address = text_at(media, "url") or text_at(media, "href") or text_at(media, "url", "href")
    return address if address.startswith(("http://", "https://")) else ""


def _media_address(media: object) -> str:
    return text_at(media, "url") or text_at(media, "remote_url") or text_at(media, "preview_url")


def _handle(actor: str) -> str:
    """The handle of an actor: "mo@social.example" of https://social.example/users/mo and https://social.example/@mo."""
    try:
        parts = urlsplit(actor)
    except ValueError:
        return actor
    name = parts.path.rstrip("/").rsplit("/", 1)[-1].lstrip("@")
    return f"{name}@{parts.hostname}" if name and parts.hostname else actor


ARCHIVE = Platform("Mastodon archive", is_activity, read_activity, frozenset({"directMessage"}))
STATUSES = Platform("Mastodon API", is_status, read_status, frozenset({"visibility"}))
