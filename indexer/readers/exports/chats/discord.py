"""Discord: channels as DiscordChatExporter writes them in JSON. Direct messages and private threads are skipped."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.audience import reason
from indexer.readers.exports.post_shape import comment_shape, post_shape, with_alts
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_PUBLIC = frozenset({
    "guildtextchat", "guildnews", "guildpublicthread", "guildnewsthread", "guildforum", "guildmedia", "guildstagevoice",
    "guildvoicechat",
})  # fmt: skip
_PRIVATE = frozenset({"directtextchat", "directgrouptextchat", "dm", "groupdm", "guildprivatethread"})
_SAID = frozenset({"default", "reply", "threadstartermessage"})  # other types are notices: pins, calls, who joined


def fits(value: dict[str, object]) -> bool:
    """Whether it is a message."""
    return (
        isinstance(value.get("author"), dict)
        and "content" in value
        and ("timestampEdited" in value or "isPinned" in value)
    )


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The message, or the comment that it is if it answers another."""
    channel = value_at(context.document, "channel")
    kind = text_at(channel, "type")
    plain = kind.replace("_", "").lower()
    if not context.private and plain not in _PUBLIC:
        known = plain in _PRIVATE
        why = "direct messages and private threads" if known else reason("channel.type", kind)
        yield SkippedRecord(why if kind else "messages of channels without a type", not known)
        return
    if text_at(value, "type").lower() not in _SAID and value.get("type") not in (0, 19):
        yield SkippedRecord("notices of the channel")
        return
    attached = list_at(value, "attachments")
    embeds = list_at(value, "embeds")
    shown = [text_at(one, "title") or text_at(one, "description") for one in embeds]
    text = with_alts(text_at(value, "content").strip(), shown)
    pictures = [
        (text_at(one, "url"), text_at(one, "description"))
        for one in attached
        if text_at(one, "fileName").lower().endswith((".jpg", ".jpeg", ".png", ".gif", ".webp"))
    ]
    if not text and attached and not any(alt for _, alt in pictures):
        yield SkippedRecord("pictures without words")
        return
    key = key_at(value, "id")
    author = text_at(value, "author", "nickname") or text_at(value, "author", "name")
    likes = sum(count_at(one, "count") for one in list_at(value, "reactions"))
    guild, place = key_at(context.document, "guild", "id"), key_at(channel, "id")
    shape = post_shape(
        f"discord:{key}", text=text, author=author, tags=[text_at(channel, "name")],
        created_at=value.get("timestamp"), likes=likes, images=pictures,
        url=f"https://discord.com/channels/{guild}/{place}/{key}" if guild and place else "",
    )  # fmt: skip
    answered = key_at(value, "reference", "messageId")
    comment = comment_shape(text, author, likes, value.get("timestamp"))
    if answered and "text" in comment:
        yield CommentRecord(key, answered, comment, shape)
    else:
        yield PostRecord(shape, key)


DISCORD = Platform("Discord", fits, read)
