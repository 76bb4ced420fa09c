"""Slack: the export of a workspace, a folder a channel. Only channels of channels.json, which all members read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import PurePath

from indexer.readers.exports.post_shape import comment_shape, post_shape
from indexer.readers.paths import count_at, key_at, list_at, text_at
from indexer.readers.record_kinds import CommentRecord, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_SAID = frozenset({"", "thread_broadcast", "me_message", "file_share", "bot_message"})
# <https://a.example|words>, <@U1>, <#C1|general>, <!here>
_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def fits(value: dict[str, object]) -> bool:
    """Whether it is a message."""
    return value.get("type") == "message" and "ts" in value and bool({"text", "blocks"} & value.keys())


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The message, or the comment that it is if it answers another; messages that not all could read are skipped."""
    known = _known(context)
    channel = PurePath(context.name).parent.name
    if not context.private and channel not in known.public:
        private = channel in known.private
        why = "messages of private channels" if private else "messages of channels that are not in channels.json"
        yield SkippedRecord(why, unusual=not private)
        return
    if text_at(value, "subtype") not in _SAID:
        yield SkippedRecord("notices of the channel")
        return
    text = known.plain(text_at(value, "text") or _of_blocks(value.get("blocks"))).strip()
    if not text:
        yield SkippedRecord("pictures without words" if value.get("files") else "messages without words")
        return
    moment, thread = key_at(value, "ts"), key_at(value, "thread_ts")
    user = text_at(value, "user")
    profile = value.get("user_profile")
    author = text_at(profile, "display_name") or text_at(profile, "real_name") or known.users.get(user, "")
    author = author or text_at(value, "username") or user
    likes = sum(count_at(one, "count") for one in list_at(value, "reactions"))
    shape = post_shape(
        f"slack:{channel}/{moment}", text=text, author=author, tags=[channel], created_at=moment, likes=likes
    )
    if thread and thread != moment:
        comment = comment_shape(text, author, likes, moment)
        yield CommentRecord(f"{channel}/{moment}", f"{channel}/{thread}", comment, shape)
    else:
        yield PostRecord(shape, f"{channel}/{moment}")


class _Workspace:
    """What the files above the channels' folders say."""

    def __init__(self, context: FileContext) -> None:
        self.public = _names(context, "channels.json")
        self.private = {name for file in ("groups.json", "dms.json", "mpims.json") for name in _names(context, file)}
        self.users = {
            text_at(one, "id"): text_at(one, "profile", "display_name") or text_at(one, "real_name")
            for one in list_at(_json(context.beside("../users.json")))
        }

    def plain(self, text: str) -> str:
        """The text with links and names in place of references, and its entities as characters."""

        def shown(found: re.Match[str]) -> str:
            kind, target, label = found[1], found[2], found[3]
            match kind:
                case "@":
                    return f"@{label or self.users.get(target) or target}"
                case "#":
                    return f"#{label or target}"
                case "!":
                    return f"@{label or target}"
            return target if not label or label in target else f"{label} ({target})"

        return html.unescape(_REFERENCE.sub(shown, text))


def _known(context: FileContext) -> _Workspace:
    known = context.known.get("workspace")
    if not isinstance(known, _Workspace):
        known = context.known["workspace"] = _Workspace(context)
    return known


def _names(context: FileContext, file: str) -> set[str]:
    found = [one for one in list_at(_json(context.beside(f"../{file}"))) if isinstance(one, dict)]
    shared = [one for one in found if file != "channels.json" or one.get("is_private") in (None, False)]
    return {name for one in shared for name in (text_at(one, "name"), text_at(one, "id")) if name}


def _json(data: bytes | None) -> object:
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None


def _of_blocks(blocks: object) -> str:
    """The words of rich text, in Slack's own marks."""
    words: list[str] = []
    waiting: list[object] = list(reversed(list_at(blocks)))
    while waiting:
        one = waiting.pop()
        kind = text_at(one, "type")
        if kind == "link":
            words.append(f"<{text_at(one, 'url')}|{text_at(one, 'text')}>")
        elif kind == "user":
            words.append(f"<@{text_at(one, 'user_id')}>")
        elif kind == "emoji":
            words.append(f":{text_at(one, 'name')}:")
        elif text := text_at(one, "text") or text_at(one, "text", "text"):
            words.append(text)
        elif kind.startswith("rich_text_") and words:
            words.append("\n")
        waiting += reversed(list_at(one, "elements") or list_at(one, "fields"))
    return "".join(words)


SLACK = Platform("Slack", fits, read)
