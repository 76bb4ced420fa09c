"""Telegram: result.json as its desktop app exports a chat or an account. Only public channels and groups are read."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.posts.audience import reason
from indexer.readers.exports.post_shape import comment_shape, post_shape, with_quote
from indexer.readers.paths import count_at, joined_text, key_at, list_at, text_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_PUBLIC = frozenset({"public_channel", "public_supergroup"})
_PRIVATE = frozenset({
    "personal_chat", "bot_chat", "saved_messages", "private_group", "private_supergroup", "private_channel", "replies",
    "verification_codes",
})  # fmt: skip
_MEDIA = frozenset({"photo", "file", "media_type", "sticker_emoji", "thumbnail"})


def is_message(value: dict[str, object]) -> bool:
    """Whether it is a message of a chat."""
    return (
        text_at(value, "type") in {"message", "service"}
        and "date" in value
        and "text" in value
        and bool({"from_id", "actor_id", "date_unixtime", "text_entities", "from"} & value.keys())
    )


def is_chat(value: dict[str, object]) -> bool:
    """Whether it is a chat with its messages."""
    messages = value.get("messages")
    return (
        isinstance(messages, list)
        and "type" in value
        and any(isinstance(one, dict) and is_message(one) for one in messages[:5])
    )


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The messages of a public chat: those that answer another as its comments; messages of other chats are skipped."""
    chat = value if is_chat(value) else context.document
    messages = [one for one in list_at(chat, "messages") if isinstance(one, dict)] if chat is value else [value]
    kind = text_at(chat, "type")
    for message in messages:
        if not context.private and kind not in _PUBLIC:
            known = kind in _PRIVATE
            why = "messages of private chats" if known else reason("type", kind).replace("posts", "messages of chats")
            yield SkippedRecord(why if kind else "messages of chats of which no type says who reads them", not known)
        elif message.get("type") != "message":
            yield SkippedRecord("notices of the chat")
        else:
            yield _of_message(message, chat)


def _of_message(message: dict[str, object], chat: dict[str, object]) -> RecordKind:
    text = (joined_text(message.get("text")) or joined_text(message.get("text_entities"))).strip()
    poll = [f"- {option}" for one in list_at(message, "poll", "answers") if (option := text_at(one, "text"))]
    text = "\n".join([part for part in (text, text_at(message, "poll", "question"), *poll) if part])
    if not text:
        media = bool(_MEDIA & message.keys())
        return SkippedRecord("pictures without words" if media else "messages without words", not media)
    if forwarded := text_at(message, "forwarded_from"):
        text = with_quote("", forwarded, text)
    key = f"{key_at(chat, 'id') or 'chat'}/{key_at(message, 'id')}"
    author = text_at(message, "from")
    moment = message.get("date_unixtime") or message.get("date")
    likes = sum(count_at(one, "count") for one in list_at(message, "reactions"))
    tags = [
        text_at(one, "text").lstrip("#")
        for one in [*list_at(message, "text"), *list_at(message, "text_entities")]
        if text_at(one, "type") == "hashtag"
    ]
    shape = post_shape(f"telegram:{key}", text=text, author=author, tags=tags, created_at=moment, likes=likes)
    answered = key_at(message, "reply_to_message_id")
    if not answered or message.get("reply_to_peer_id"):
        return PostRecord(shape, f"telegram/{key}")
    comment = comment_shape(text, author, likes, moment)
    return CommentRecord(f"telegram/{key}", f"telegram/{key_at(chat, 'id') or 'chat'}/{answered}", comment, shape)


TELEGRAM = Platform("Telegram", lambda value: is_message(value) or is_chat(value), read)
