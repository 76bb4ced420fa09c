"""X, formerly Twitter: tweets.js of the archive that an account downloads, with the long texts of note-tweet.js.

Of the other files only account.js is read, and of that only the user's own handle.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

from indexer.readers.exports.post_shape import post_shape, with_quote
from indexer.readers.paths import count_at, key_at, list_at, text_at, value_at
from indexer.readers.record_kinds import SCRIPT_NAME, FileContext, Platform, PostRecord, RecordKind, SkippedRecord

_PREFIX = re.compile(rb"^\s*[\w.]+\s*=\s*")
_SHORT = re.compile(r"https?://t\.co/\w+")
_HASHTAG = re.compile(r"(?<![\w&])[#＃](\w+)")
# The names of an archive's scripts with public tweets; circles, deleted tweets and messages are in others.
_PUBLIC_SCRIPTS = re.compile(
    r"(?:window\.)?(?:YTD\.(?:tweets?|community_tweets?|note_tweets?)\.part\d+|Grailbird\.data\.tweets_\d{4}_\d{2})"
)
_SAME = 200  # characters that a long text and its beginning in tweets.js share


def fits(value: dict[str, object]) -> bool:
    """Whether it is a tweet of an archive."""
    tweet = _tweet(value)
    return ("full_text" in tweet or ("text" in tweet and "id_str" in tweet)) and "created_at" in tweet


def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """The tweet with links written out, and its full text if it is a long one; retweets are skipped."""
    tweet = _tweet(value)
    script = str(context.document.get(SCRIPT_NAME) or "")
    if not context.private and (script and not _PUBLIC_SCRIPTS.fullmatch(script)):
        yield SkippedRecord(f"tweets of {script[:60]!r}, which may not be public", unusual=True)
        return
    if not context.private and value_at(tweet, "scopes", "followers") is True:
        yield SkippedRecord("posts of protected accounts")
        return
    if tweet.get("deleted_at"):
        yield SkippedRecord("deleted tweets")
        return
    text = text_at(tweet, "full_text") or text_at(tweet, "text")
    if text.startswith("RT @") or isinstance(tweet.get("retweeted_status"), dict):
        yield SkippedRecord("retweets")
        return
    key = key_at(tweet, "id_str") or key_at(tweet, "id")
    handle = text_at(tweet, "user", "screen_name") or _known(context).handle
    media = list_at(tweet, "extended_entities", "media") or list_at(tweet, "entities", "media")
    note = _known(context).note_of(html.unescape(text))
    links = {text_at(url, "url"): text_at(url, "expanded_url") for url in list_at(tweet, "entities", "urls")}
    links |= {text_at(one, "url"): "" for one in media}  # links to its own pictures are removed
    if note is not None:
        text = text_at(note, "text")
        links |= {text_at(url, "shortUrl"): text_at(url, "expandedUrl") for url in list_at(note, "urls")}
    quoted = value_at(tweet, "quoted_status")
    if value_at(quoted, "user", "protected") is not True:
        words = html.unescape(text_at(quoted, "full_text") or text_at(quoted, "text"))
    else:
        words = ""
    tags = [text_at(tag, "text") for tag in list_at(tweet, "entities", "hashtags")]
    tags += [text_at(tag, "text") or text_at(tag, "hashtag") for tag in list_at(note, "hashtags")]
    yield PostRecord(
        post_shape(
            f"x:{key}",
            text=with_quote(
                html.unescape(_expanded(text, links)).strip(), text_at(quoted, "user", "screen_name"), words
            ),
            author=handle, tags=tags,
            language=text_at(tweet, "lang"), created_at=tweet.get("created_at"),
            likes=count_at(tweet, "favorite_count"), comment_count=count_at(tweet, "reply_count"),
            url=f"https://x.com/{handle or 'i'}/status/{key}",
            images=[(_picture(one), text_at(one, "ext_alt_text")) for one in media],
        )
    )  # fmt: skip


def is_row(value: dict[str, object]) -> bool:
    """Whether it is a row of tweets.csv, which archives of 2012 to 2018 have beside their scripts."""
    return value.keys() >= {"tweet_id", "text", "timestamp"}


def read_row(value: dict[str, object], _: FileContext) -> Iterator[RecordKind]:
    """The tweet with whole links; retweets are skipped."""
    key, text = key_at(value, "tweet_id"), text_at(value, "text")
    if text_at(value, "retweeted_status_id") or text.startswith("RT @"):
        yield SkippedRecord("retweets")
        return
    whole = [link for link in text_at(value, "expanded_urls").split(",") if link]
    shorts = list(dict.fromkeys(_SHORT.findall(text)))
    if len(shorts) == len(dict.fromkeys(whole)):
        text = _expanded(text, dict(zip(shorts, dict.fromkeys(whole), strict=True)))
    yield PostRecord(
        post_shape(
            f"x:{key}", text=html.unescape(text).strip(), created_at=value.get("timestamp"),
            tags=_HASHTAG.findall(text), url=f"https://x.com/i/status/{key}",
        )
    )  # fmt: skip


def is_note(value: dict[str, object]) -> bool:
    """Whether it is a long text of note-tweet.js."""
    return isinstance(value_at(value, "noteTweet", "core"), dict)


def read_note(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
    """A long text, for archives without tweets.js."""
    note = value_at(value, "noteTweet", "core")
    links = {text_at(url, "shortUrl"): text_at(url, "expandedUrl") for url in list_at(note, "urls")}
    handle = _known(context).handle
    yield PostRecord(
        post_shape(
            f"x:note-{key_at(value, 'noteTweet', 'noteTweetId')}",
            text=html.unescape(_expanded(text_at(note, "text"), links)).strip(),
            author=handle,
            tags=[text_at(tag, "text") or text_at(tag, "hashtag") for tag in list_at(note, "hashtags")],
            created_at=value_at(value, "noteTweet", "createdAt"),
        )
    )


def without_prefix(data: bytes) -> bytes:
    """The JSON in an archive's file, without the script around it."""
    return _PREFIX.sub(b"", data, count=1)


class _Archive:
    """What other files of the archive say: the handle, and long texts by their beginnings."""

    def __init__(self, context: FileContext) -> None:
        self.handle = text_at(_json(context.beside("account.js")), 0, "account", "username")
        notes = list_at(_json(context.beside("note-tweet.js")))
        self._notes = {
            text_at(note, "noteTweet", "core", "text")[:_SAME]: value_at(note, "noteTweet", "core") for note in notes
        }

    def note_of(self, text: str) -> object:
        """The long text that starts with this text; None if the text is complete."""
        return self._notes.get(text[:_SAME]) if self._notes and len(text) >= _SAME else None


def _known(context: FileContext) -> _Archive:
    archive = context.known.get("archive")
    if not isinstance(archive, _Archive):
        archive = context.known["archive"] = _Archive(context)
    return archive


def _json(data: bytes | None) -> object:
    try:
        return json.loads(without_prefix(data)) if data else None
    except (ValueError, RecursionError):
        return None


def _tweet(value: dict[str, object]) -> dict[str, object]:
    inner = value.get("tweet")
    return inner if isinstance(inner, dict) else value


def _expanded(text: str, links: dict[str, str]) -> str:
    for short in sorted(filter(None, links), key=len, reverse=True):
        text = text.replace(short, links[short])
    return text


def _picture(media: object) -> str:
    return text_at(media, "media_url_https") or text_at(media, "media_url")


TWEETS = Platform("X archive", fits, read)
ROWS = Platform("X archive, tweets.csv", is_row, read_row)
NOTES = Platform("X archive, long posts", is_note, read_note)
