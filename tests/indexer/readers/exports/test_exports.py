"""Platforms' exports as documented: which posts are read, and what is never read."""

from __future__ import annotations

import io
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.exports.recognition import PLATFORMS
from indexer.readers.formats.jsonl import Offered
from indexer.readers.post_reader import Recognised
from indexer.readers.record_kinds import (
    CommentRecord,
    FileContext,
    InvalidRecord,
    NameRecord,
    PostRecord,
    SkippedRecord,
)
from indexer.readers.record_reader import DETECTED, ReadOptions
from indexer.readers.sources import find_sources, read_posts
from indexer.rejects import Rejected
from retrieval.types import Comment, Image, Post

EXPORTS = Path(__file__).parent / "files"
# What the exports hold beside posts: in no post, in no reject.
PERSONAL = (
    "555 0100",
    "@posts.example",
    "192.0.2.",
    "1 Lake Road",
    "for followers alone",
    "just for you",
    "half a thought",
)


class Read:
    """What was read from some files."""

    def __init__(self, *paths: Path, options: ReadOptions = DETECTED) -> None:
        self.notes: list[str] = []
        self.files: list[Recognised] = []
        found = list(
            read_posts(
                find_sources([str(path) for path in paths]), io.BytesIO(), options=options, tell=self.notes.append,
                recognised=self.files.append,
            )
        )  # fmt: skip
        self.offered = [one for one in found if isinstance(one, Offered)]
        self.rejected = [one for one in found if isinstance(one, Rejected)]
        self.posts = {one.post.id: one.post for one in self.offered}

    def passed(self) -> str:
        return " ".join(note.partition("skipped: ")[2] for note in self.notes if "skipped" in note)


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_mastodon_archive_gives_public_posts_with_warning_tags_and_descriptions() -> None:
    read = Read(EXPORTS / "mastodon" / "outbox.json")
    assert read.posts["https://social.example/users/mo/statuses/101"] == Post(
        id="https://social.example/users/mo/statuses/101",
        title="",
        text="coffee prices\n\nFlat white for 25 yuan & a refill,\nin Dali #coffee\n\n"
        "https://maps.example/stalls/dali-corner\n\n[a paper cup on a stone wall]",
        author="mo@social.example",
        tags=("coffee",),
        language="en",
        created_at=at(2024, 5, 12, 7, 20),
        likes=7,
        url="https://social.example/@mo/101",
    )
    assert read.posts["https://social.example/users/mo/statuses/105"].language == "zh"
    assert len(read.posts) == 2
    assert read.passed() == "boosts (1), private and direct posts (2)"


def test_posts_that_were_not_for_everybody_are_read_when_asked() -> None:
    read = Read(EXPORTS / "mastodon", options=ReadOptions(private=True))
    assert "https://social.example/users/mo/statuses/103" in read.posts
    assert "https://other.example/users/li/statuses/202" in read.posts


def test_mastodon_statuses_of_the_api_are_read() -> None:
    read = Read(EXPORTS / "mastodon" / "statuses.json")
    [post] = read.posts.values()
    assert (post.author, post.likes, post.comment_count, post.tags) == ("li@other.example", 14, 2, ("nightmarket",))
    assert post.images == (Image("https://files.example/tofu.jpg", "skewers of tofu over charcoal"),)


def test_bluesky_facets_count_bytes_and_give_tags_and_whole_links() -> None:
    post = Read(EXPORTS / "bluesky" / "feed.json").posts["at://did:plc:aaaabbbbccccdddd/app.bsky.feed.post/3kaaa"]
    assert post.text == "大理的咖啡 ☕ https://maps.example/stalls/7 #咖啡"
    assert (post.tags, post.language, post.likes, post.author) == (("咖啡",), "zh", 9, "mo.posts.example")
    assert post.images == (Image("https://cdn.example/f/1.jpg", "墙上的纸杯"),)


def test_bluesky_reposts_and_records_of_other_collections_are_not_posts() -> None:
    read = Read(EXPORTS / "bluesky")
    assert len(read.posts) == 2
    assert read.passed() == "reposts (1) records that are not posts (1)"


def test_reddit_comments_join_their_submission_from_another_file_or_stand_alone() -> None:
    read = Read(EXPORTS / "reddit")
    where = read.posts["reddit:t3_1caaa"]
    assert where.title == "Where to get a flat white & a seat in Dali?"
    assert where.tags == ("coffee", "Question")
    assert [comment.text for comment in where.comments] == [
        "Corner stall, 25 yuan, two tables.",
        "Closed on Mondays > careful.",
    ]
    assert (where.likes, where.comment_count, where.created_at) == (41, 3, at(2024, 5, 12, 15, 20))
    assert read.posts["reddit:t1_k4"].text == "Pu'er keeps for decades."
    assert read.posts["reddit:t3_1cccc"].text == "https://posts.example/roasting"
    assert read.posts.keys() == {"reddit:t3_1caaa", "reddit:t3_1cccc", "reddit:t1_k4"}


def test_hacker_news_comments_find_their_story_through_the_comments_between() -> None:
    read = Read(EXPORTS / "hackernews" / "items.jsonl")
    story = read.posts["hn:9000001"]
    assert [comment.text for comment in story.comments] == [
        "It's fast.\n\nHow are prices kept up to date?",
        "By hand & weekly.",
    ]
    assert (story.title, story.likes) == ("Show HN: A map of coffee stalls", 57)
    assert read.offered[0].line == 1


def test_comments_that_answer_each_other_in_a_circle_are_posts_of_their_own() -> None:
    read = Read(EXPORTS / "hackernews" / "items.jsonl")
    assert {"hn:9000005", "hn:9000006"} <= read.posts.keys()


def test_hacker_news_hits_of_algolia_are_read() -> None:
    post = Read(EXPORTS / "hackernews" / "search.json").posts["hn:9100001"]
    assert (post.text, post.likes, post.comment_count) == ("Paper & thin.", 33, 12)


def test_stack_exchange_answers_are_comments_with_names_from_the_file_beside() -> None:
    read = Read(EXPORTS / "coffee.stackexchange.com")
    question = read.posts["coffee.stackexchange.com:1"]
    assert question.text == "How long do whole beans keep?\n\n- in a jar\n- in the freezer"
    assert (question.author, question.tags, question.collects) == ("Bean Counter", ("storage", "whole-bean"), 3)
    assert question.comments == (
        Comment("Jar", "About three weeks in a closed jar.", 15, at(2015, 1, 28, 8)),
        Comment("Bean Counter", "Four if you freeze them.", 3, at(2015, 1, 29, 9)),
    ), "the answer, and what was said of it"
    other = read.posts["coffee.stackexchange.com:4"]
    assert other.tags == ("brewing", "temperature")
    assert [(comment.author, comment.text) for comment in other.comments] == [("guest2", "九十二度。")]
    assert not read.rejected


def test_discourse_topics_hold_their_posts_and_a_users_archive_its_own() -> None:
    read = Read(EXPORTS / "discourse")
    topic = read.posts["discourse:12"]
    assert topic.text == "Which grinder under 500 yuan? :thinking:"
    assert (topic.likes, [comment.text for comment in topic.comments]) == (6, ["The steel one, 420."])
    archived = read.posts["discourse:forum.example/33/2"]
    assert archived.text == "A stall with pu'er,\nby the lake."
    assert (archived.tags, archived.created_at) == (("Places", "Tea"), at(2024, 5, 12, 7, 20))
    assert len(read.posts) == 2


def test_an_x_archive_gives_tweets_with_whole_links_and_long_texts_and_the_handle_alone_of_the_account() -> None:
    read = Read(EXPORTS / "x")
    short, long = read.posts["x:1700000000000000001"], read.posts["x:1700000000000000003"]
    assert short.text == "Flat white & cake, 40 yuan #coffee https://maps.example/stalls"
    assert (short.author, short.likes, short.created_at) == ("mochi_walks", 12, at(2024, 5, 12, 7, 20))
    assert short.images == (Image("https://pbs.example/media/a.jpg", "a slice of cake"),)
    assert long.text.endswith("here it all is, once and for good.")
    assert len(read.posts) == 2


def test_a_wordpress_export_gives_published_posts_with_approved_comments() -> None:
    [post] = Read(EXPORTS / "feeds" / "wordpress.xml").posts.values()
    assert (post.id, post.title, post.text) == (
        "https://blog.example/?p=7", "Three stalls in Dali", "The first one opens at seven.",
    )  # fmt: skip
    assert post.comments == (Comment("Bo", "Closed on Mondays.", 0, at(2024, 5, 13, 8)),)
    assert (post.tags, post.images) == (("Walks", "coffee"), (Image("https://blog.example/stall.jpg", "a blue stall"),))


def test_rss_atom_and_json_feeds_are_read() -> None:
    read = Read(*(EXPORTS / "feeds" / name for name in ("rss.xml", "atom.xml", "feed.json")))
    rss, atom, feed = read.posts.values()
    assert (rss.text, rss.author, rss.tags, rss.language) == ("洱海东岸，\xa040 元一晚。", "Mo", ("露营",), "zh")
    assert (atom.title, atom.text, atom.author, atom.tags) == ("Round the lake", "18 km, flat.", "Mo", ("walking",))
    assert (feed.title, feed.text, feed.created_at) == ("Over the pass", "9 hours, steep.", at(2024, 6, 1, 23, 20))


def test_nothing_personal_that_lies_beside_posts_comes_into_a_post_or_a_reject() -> None:
    read = Read(EXPORTS)
    assert len(read.posts) == 22
    assert not read.rejected
    told = repr(read.posts) + repr(read.rejected) + repr(read.notes)
    assert [word for word in PERSONAL if word in told] == []


@pytest.mark.parametrize("folder", ["mastodon", "coffee.stackexchange.com", "discourse", "x", "reddit"])
def test_a_zip_of_an_export_gives_what_its_folder_gives(folder: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / f"{folder}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((EXPORTS / folder).rglob("*.*")):
            archive.write(file, file.relative_to(EXPORTS))
    assert Read(tmp_path).posts == Read(EXPORTS / folder).posts


def test_a_tar_of_an_export_gives_what_its_folder_gives(tmp_path: Path) -> None:
    made = shutil.make_archive(str(tmp_path / "archive"), "gztar", EXPORTS / "mastodon")
    assert Read(Path(made)).posts == Read(EXPORTS / "mastodon").posts


def test_what_each_file_was_taken_for_is_reported() -> None:
    files = {
        (Path(file.source).name, file.platform, file.format) for file in Read(EXPORTS / "x", EXPORTS / "feeds").files
    }
    assert ("tweets.js", "X archive", "json") in files
    assert ("wordpress.xml", "WordPress export", "xml") in files


FIELDS = sorted(
    {"#", "id", "text", "title", "type", "actor", "object", "content", "account", "uri", "visibility", "to", "cc",
     "attachment", "tag", "name", "post", "record", "$type", "createdAt", "facets", "index", "byteStart", "features",
     "embed", "images", "subreddit", "selftext", "body", "link_id", "data", "kind", "by", "kids", "time", "children",
     "objectID", "_tags", "PostTypeId", "Id", "Body", "DisplayName", "Reputation", "post_stream", "posts", "topic_id",
     "post_number", "cooked", "topic_title", "post_raw", "tweet", "full_text", "id_str", "created_at", "entities",
     "noteTweet", "core", "wp:post_type", "wp:status", "wp:comment", "content:encoded", "category", "guid", "link",
     "atom:title", "atom:link", "content_html", "authors", "description", "url", "contentMap", "reblog"}
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "1", "5", "a", "<p>x</p>", "Create", "Note", "publish", "post", "item", "atom:entry",
     "story", "comment", "t3_1", "a",
     "https://www.w3.org/ns/activitystreams#Public", "http://[", "app.bsky.feed.post", "\ud83d", "\0", "RT @a: b"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=8), st.booleans())
def test_no_record_makes_a_platforms_reader_fail(value: dict[str, object], private: bool) -> None:
    for platform in PLATFORMS:
        platform.fits(value)  # those that do not fit are read all the same here
        for record in platform.read(value, FileContext("any/file.json", private)):
            assert isinstance(record, PostRecord | NameRecord | SkippedRecord | CommentRecord | InvalidRecord)
