"""Bluesky: records of the collection app.bsky.feed.post, and pages of its API (getAuthorFeed, getPosts, searchPosts).

Shapes: the lexicons of the AT Protocol. Facets count bytes of the UTF-8 text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from indexer.readers.exports.post_shape import comment_shape, post_shape, with_alts, with_quote
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

POST = "app.bsky.feed.post"
_THREAD = "#threadViewPost"
_FACET = "app.bsky.richtext.facet"


def fits(value: dict[str, object]) -> bool:
    """Whether it is a post record, a post view, an entry of a feed, or a record of any collection."""
    kinds = (
        value_at(value, "$type"),
        value_at(value, "value", "$type"),
        value_at(value, "record", "$type"),
        value_at(value, "commit", "record", "$type"),
    )
    items = [text_at(one, "$type") or text_at(one, "value", "$type") for one in list_at(value, "thread")[:1]]
    return _record(value) is not None or any(
        isinstance(kind, str) and kind.startswith(("app.bsky.", "chat.bsky.")) for kind in (*kinds, *items)
    )


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The post, or a thread's first post with the others as comments; reposts and records of other collections are
    skipped, and so is what is not for everybody.
    """
    if "thread" in value or _THREAD in text_at(value, "$type"):
        yield from _thread(value, context)
        return
    if text_at(value, "$type").startswith("chat."):
        yield SkippedRecord("direct messages")
        return
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
    labels = [text_at(label, "val") for label in list_at(view, "author", "labels")]
    labels += [text_at(label, "val") for label in list_at(record, "labels", "values")]
    if not context.private and "!no-unauthenticated" in labels:
        yield SkippedRecord("posts of accounts that are shown to signed-in readers alone")
        return
    author = text_at(view, "author", "handle") or text_at(view, "did") or _repository(uri)
    key = key_at(view, "rkey") or uri.rpartition("/")[2] or text_at(record, "createdAt")
    text = _with_links(text_at(record, "text"), record)
    quoted = value_at(view, "embed", "record")
    quoted = quoted if value_at(quoted, "value") else value_at(quoted, "record")
    text = with_quote(text, text_at(quoted, "author", "handle"), text_at(quoted, "value", "text"))
    images = _images(view, record)
    if not text and record.get("embed") and not any(alt.strip() for _, alt in images) and not _cards(record):
        yield SkippedRecord("pictures without words")
        return
    yield PostRecord(
        post_shape(
            uri or f"at://{author or 'unknown'}/{POST}/{key}",
            text=with_alts(text, [*_cards(record), *(alt for address, alt in images if not address)]),
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


def _thread(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The posts of a thread: the first of them with what answers it."""
    top = value.get("thread", value)
    if isinstance(top, list):  # as getPostThreadV2 has it
        found = [(one.get("value"), count_at(one, "depth")) for one in top if isinstance(one, dict)]
    else:
        found = []
        above = top
        while isinstance(above := value_at(above, "parent"), dict):
            found.insert(0, (above, 0))
        waiting: list[object] = [top]
        while waiting:
            one = waiting.pop()
            found.append((one, 1))
            waiting += reversed(list_at(one, "replies"))
    root = ""
    for one, _ in found:
        if not isinstance(one, dict) or not isinstance(one.get("post"), dict):
            kind = text_at(one, "$type").rpartition("#")[2]
            known = {"notFoundPost": "posts that are not found", "threadItemNotFound": "posts that are not found",
                     "blockedPost": "blocked posts", "threadItemBlocked": "blocked posts"}  # fmt: skip
            yield SkippedRecord(known.get(kind, f"parts of a thread of the type {kind[:40]!r}"), kind not in known)
            continue
        post = one["post"]
        assert isinstance(post, dict)
        for made in read(post, context):
            uri = text_at(post, "uri")
            if not isinstance(made, PostRecord):
                yield made
            elif not root:
                root = uri
                yield replace(made, key=uri)
            else:
                comment = comment_shape(
                    text_at(made.post, "text"), text_at(made.post, "author"), count_at(made.post, "likes"),
                    made.post.get("created_at"),
                )  # fmt: skip
                yield (
                    CommentRecord(uri, root, comment, made.post)
                    if "text" in comment
                    else SkippedRecord("pictures without words")
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
