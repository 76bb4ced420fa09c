"""Recognises a platform's export by the shape of its first records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import TypeVar

from indexer.posts.schema import FIELDS
from indexer.readers.exports import (
    bluesky,
    discourse,
    feeds,
    hackernews,
    lemmy,
    mastodon,
    meta,
    misskey,
    reddit,
    stackexchange,
    twitter,
    wordpress,
)
from indexer.readers.exports.chats import discord, slack, telegram
from indexer.readers.exports.crawls import mediacrawler, weibo
from indexer.readers.record_kinds import Platform

# The first that fits is taken; those with less specific shapes come later.
PLATFORMS: tuple[Platform, ...] = (
    stackexchange.POSTS, stackexchange.USERS, stackexchange.COMMENTS, wordpress.WORDPRESS, mastodon.ARCHIVE,
    mastodon.STATUSES, bluesky.BLUESKY, reddit.REDDIT, reddit.ROWS, telegram.TELEGRAM, discord.DISCORD, slack.SLACK,
    mediacrawler.COMMENTS, mediacrawler.NOTES, weibo.WEIBO, lemmy.LEMMY, misskey.MISSKEY, meta.META,
    discourse.DISCOURSE, twitter.TWEETS, twitter.NOTES, twitter.ROWS,
    hackernews.HACKER_NEWS, feeds.JSON_FEED, feeds.FEED,
)  # fmt: skip
# Where API pages and files of archives have their records.
PAGES: tuple[tuple[str, ...], ...] = (
    ("orderedItems",), ("feed",), ("posts",), ("statuses",), ("items",), ("hits",), ("latest_posts",), ("records",),
    ("results",), ("tweets",), ("data",), ("data", "children"), ("topic_list", "topics"),
)  # fmt: skip
# The same, but what a file says before such an array is needed to read its elements: they are no records by themselves.
ARRAYS: tuple[tuple[str, ...], ...] = (
    *PAGES, ("messages",), ("chats", "list"), ("left_chats", "list"), ("weibo",),
)  # fmt: skip
_SLACK = frozenset(
    f"{name}.json"
    for name in (
        "canvases", "channels", "dms", "file_conversations", "groups", "huddle_transcripts", "integration_logs",
        "lists", "mpims", "org_users", "users",
    )
)  # fmt: skip
_REDDIT = frozenset(
    f"{name}.csv"
    for name in (
        "account_gender", "announcements", "approved_submitter_subreddits", "birthdate", "chat_history", "checkfile",
        "comment_headers", "comment_votes", "drafts", "friends", "gilded_content", "gold_received", "hidden_posts",
        "ip_logs", "linked_identities", "linked_phone_number", "message_headers", "messages", "messages_archive",
        "moderated_subreddits", "multireddits", "payouts", "persona", "poll_votes", "post_headers", "post_votes",
        "purchases", "reddit_gold_information", "saved_comments", "saved_posts", "scheduled_posts",
        "sensitive_ads_preferences", "statistics", "stripe", "subscribed_subreddits", "twitter", "user_preferences",
    )
)  # fmt: skip
# Files of an archive that are not posts but about a person, by the file that identifies the archive. X's archive needs
# no entry: of its .js files only those with tweets are read.
BESIDE_POSTS = {
    "outbox.json": frozenset({
        "actor.json", "likes.json", "bookmarks.json", "following_accounts.csv", "followers.csv", "lists.csv",
        "muted_accounts.csv", "blocked_accounts.csv", "blocked_domains.csv", "bookmarks.csv",
    }),
    "data/js/tweets": frozenset({"tweets.csv"}),  # the same tweets without their pictures
    "user_archive.csv": frozenset({
        "user_archive_profile.csv", "preferences.json", "auth_tokens.csv", "auth_token_logs.csv", "badges.csv",
        "bookmarks.csv", "category_preferences.csv", "flags.csv", "likes.csv", "post_actions.csv", "queued_posts.csv",
        "visits.csv",
    }),
    "channels.json": _SLACK,
    "ip_logs.csv": _REDDIT,
    "Posts.xml": frozenset({
        "Badges.xml", "PostHistory.xml", "PostLinks.xml", "Tags.xml", "Votes.xml",
    }),
}  # fmt: skip


AnyPath = TypeVar("AnyPath", bound=PurePath)


def is_own(value: object) -> bool:
    """Whether a record has the shape of a post file's line."""
    return isinstance(value, dict) and "id" in value and ("text" in value or "title" in value) and set(value) <= _OWN


def recognise(values: Iterable[object]) -> Platform | None:
    """The platform of the first record that fits one; None if none does."""
    for value in values:
        for record in records_in(value):
            for platform in PLATFORMS:
                if platform.fits(record):
                    return platform
    return None


def records_in(value: object) -> Iterator[dict[str, object]]:
    """The records of a value: the entries of an API's page or of a list, else the value itself."""
    if isinstance(value, list):
        for entry in value:
            yield from records_in(entry) if isinstance(entry, list) else [entry] if isinstance(entry, dict) else []
        return
    if not isinstance(value, dict):
        return
    for path in () if meta.is_facebook(value) else PAGES:  # its entries have a list called data too
        entries: object = value
        for name in path:
            entries = entries.get(name) if isinstance(entries, dict) else None
        if isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries):
            yield from entries
            return
    yield value


def folders_inside(folder: AnyPath, exists: Callable[[AnyPath], bool]) -> list[str]:
    """The folders inside a folder by which an archive is recognised."""
    return [marker for marker in BESIDE_POSTS if "/" in marker and exists(folder / marker)]


def holds_no_posts(name: str, beside: Iterable[str]) -> bool:
    """Whether this is a file of a platform's archive without posts.

    Args:
        name: The file's name without its folder.
        beside: Names of the files in the same folder, and paths of folders in it that tell an archive.
    """
    return any(marker in beside and name in others for marker, others in BESIDE_POSTS.items())


_OWN = frozenset(FIELDS)
