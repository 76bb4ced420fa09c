"""Bluesky: records of the collection app.bsky.feed.post, and pages of its API (getAuthorFeed, getPosts, searchPosts).

Shapes: the lexicons of the AT Protocol. Facets count bytes of the UTF-8 text.
"""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.exports.post_shape import post_shape, with_alts
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

POST = "app.bsky.feed.post"
_FACET = "app.bsky.richtext.facet"


def fits(value: dict[str, object]) -> bool:
    """Whether it is a post record, a post view, an entry of a feed, or a record of any collection."""
    kinds = (
        value_at(value, "$type"),
        value_at(value, "value", "$type"),
        value_at(value, "record", "$type"),
        value_at(value, "commit", "record", "$type"),
    )
    return _record(value) is not None or any(isinstance(kind, str) and kind.startswith("app.bsky.") for kind in kinds)


def read(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """The post; reposts and records of other collections are skipped."""
    if "Repost" in text_at(value, "reason", "$type") or "repost" in text_at(value, "reason", "$type"):
        yield SkippedRecord("reposts")
        return
    record = _record(value)
    if record is None or not isinstance(record.get("text"), str):
        yield SkippedRecord("records that are not posts")
        return
    inner = value.get("post")
    view: dict[str, object] = inner if isinstance(inner, dict) else value
    uri = text_at(view, "uri")
    author = text_at(view, "author", "handle") or text_at(view, "did") or _repository(uri)
    key = key_at(view, "rkey") or uri.rpartition("/")[2] or text_at(record, "createdAt")
    text = text_at(record, "text")
    images = _images(view, record)
    yield PostRecord(
        post_shape(
            uri or f"at://{author or 'unknown'}/{POST}/{key}",
            text=with_alts(
                _with_links(text, record), [*_cards(record), *(alt for address, alt in images if not address)]
            ),
            author=author,
            tags=[*_facet_tags(record), *(tag for tag in list_at(record, "tags") if isinstance(tag, str))],
            language=text_at(record, "langs", 0),
            created_at=record.get("createdAt"),
            likes=count_at(view, "likeCount"),
            collects=count_at(view, "bookmarkCount"),
            comment_count=count_at(view, "replyCount"),
            url=f"https://bsky.app/profile/{author}/post/{key}" if uri and author and key else "",
            images=images,
        )
    )


def _record(value: object) -> dict[str, object] | None:
    """The record inside its envelope: itself, {uri, cid, value}, a post view, an entry of a feed, a commit."""
    for steps in ((), ("value",), ("record",), ("post", "record"), ("commit", "record")):
        found = value_at(value, *steps)
        if isinstance(found, dict) and (
            found.get("$type") == POST or (steps and "createdAt" in found and "text" in found)
        ):
            return found
    return None


def _repository(uri: str) -> str:
    return uri.removeprefix("at://").partition("/")[0] if uri.startswith("at://") else ""


def _facet_tags(record: dict[str, object]) -> list[str]:
    features = [feature for facet in list_at(record, "facets") for feature in list_at(facet, "features")]
    return [text_at(feature, "tag") for feature in features if text_at(feature, "$type") == f"{_FACET}#tag"]


def _with_links(text: str, record: dict[str, object]) -> str:
    """The text with shortened links ("posts.example/a-ve...") written out, according to its facets.

    A facet that is outside the text, or cuts a character, is ignored.
    """
    data = text.encode("utf-8")
    end = len(data)
    links: list[tuple[int, int, str]] = []
    for facet in list_at(record, "facets"):
        start, stop = value_at(facet, "index", "byteStart"), value_at(facet, "index", "byteEnd")
        if not (isinstance(start, int) and isinstance(stop, int) and 0 <= start < stop <= end):
            continue
        uris = [text_at(one, "uri") for one in list_at(facet, "features") if text_at(one, "$type") == f"{_FACET}#link"]
        links += [(start, stop, uri) for uri in uris if uri]
    for start, stop, uri in sorted(links, reverse=True):
        try:
            before, shown, after = data[:start].decode(), data[start:stop].decode(), data[stop:].decode()
        except UnicodeDecodeError:
            continue
        if stop <= end and (shown.endswith(("...", "…")) or "://" not in shown):
            whole = uri if shown.rstrip(".…") in uri else f"{shown} ({uri})"
            data = f"{before}{whole}{after}".encode()
        end = start  # of overlapping facets the last one counts
    return data.decode()


def _images(view: dict[str, object], record: dict[str, object]) -> list[tuple[str, str]]:
    """Pairs of address ("" in a bare record, which has none) and description."""
    found: list[tuple[str, str]] = []
    for holder in (value_at(view, "embed"), value_at(record, "embed")):
        for embed in (holder, value_at(holder, "media")):
            pictures = [*list_at(embed, "images"), *list_at(embed, "items")]
            found += [(text_at(one, "fullsize"), text_at(one, "alt")) for one in pictures if isinstance(one, dict)]
            if alt := text_at(embed, "alt"):
                found.append((text_at(embed, "thumbnail"), alt))
        if found:
            return found
    return found


def _cards(record: dict[str, object]) -> list[str]:
    """The title of a linked page, which the platform shows under the text."""
    cards = [value_at(record, "embed", "external"), value_at(record, "embed", "media", "external")]
    return [f"{title} {text_at(card, 'uri')}".strip() for card in cards if (title := text_at(card, "title").strip())]


BLUESKY = Platform("Bluesky", fits, read)
