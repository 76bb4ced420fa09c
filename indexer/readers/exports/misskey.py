"""Misskey: the notes that an account downloads (notes.json), and notes as the API gives them."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.audience import is_no, reason
from indexer.readers.exports.post_shape import post_shape, with_alts, with_quote
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_FOR_ALL = frozenset({"public", "home"})  # "home" is public, and only not in the timelines of strangers


def fits(value: dict[str, object]) -> bool:
    """Whether it is a note."""
    return (
        "createdAt" in value
        and "text" in value
        and "visibility" in value
        and ("renoteId" in value or "cw" in value or "fileIds" in value)
    )


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The note; renotes without words, and notes that were not for everybody, are skipped."""
    visibility = text_at(value, "visibility")
    if not context.private and (visibility not in _FOR_ALL or not is_no(value.get("localOnly"))):
        known = visibility in {"followers", "specified", *_FOR_ALL}
        yield SkippedRecord("private and direct posts" if known else reason("visibility", visibility), not known)
        return
    poll = [f"- {text_at(one, 'text')}" for one in list_at(value, "poll", "choices")]
    text = "\n".join([part for part in (text_at(value, "text"), *poll) if part])
    files = list_at(value, "files")
    pictures = [(text_at(one, "url"), text_at(one, "comment")) for one in files]
    text = with_alts(text, [alt for address, alt in pictures if not address])
    if not text and not any(alt for _, alt in pictures):
        renote = value.get("renoteId") or value.get("renote")
        yield SkippedRecord("renotes" if renote else "pictures without words")
        return
    quoted = value.get("renote")
    if text_at(quoted, "visibility") in _FOR_ALL:
        text = with_quote(text, text_at(quoted, "user", "username"), text_at(quoted, "text"))
    warning = text_at(value, "cw").strip()
    name, host = text_at(value, "user", "username"), text_at(value, "user", "host")
    reactions = value.get("reactions")
    uri = text_at(value, "uri") or text_at(value, "url")
    yield PostRecord(
        post_shape(
            uri or f"misskey:{key_at(value, 'id')}", text=f"{warning}\n\n{text}" if warning else text,
            author=f"{name}@{host}" if host else name,
            tags=[tag for tag in list_at(value, "tags") if isinstance(tag, str)],
            created_at=value.get("createdAt"), url=uri, images=pictures,
            likes=sum(count_at(reactions, emoji) for emoji in reactions) if isinstance(reactions, dict) else 0,
            comment_count=count_at(value, "repliesCount"),
        )
    )  # fmt: skip


MISSKEY = Platform("Misskey", fits, read, frozenset({"visibility", "localOnly"}))
