"""Words that were not for everybody never become public posts, whatever says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.readers.mapping.mapping_file import parse_mapping
from indexer.readers.record_reader import ReadOptions
from tests.indexer.readers.exports.test_exports import Read

TO_ALL = "https://www.w3.org/ns/activitystreams#Public"


def an_activity(**note: object) -> dict[str, object]:
    return {
        "type": "Create", "actor": "https://s.example/users/mo",
        "object": {"type": "Note", "id": "https://s.example/1", "content": "SECRET", "to": [TO_ALL]} | note,
    }  # fmt: skip


def a_status(**fields: object) -> dict[str, object]:
    account = {"acct": "mo", "url": "https://s.example/@mo"}
    return {
        "id": "1",
        "uri": "https://s.example/1",
        "content": "SECRET",
        "account": account,
        "visibility": "public",
    } | fields


def a_thing(**fields: object) -> dict[str, object]:
    return {
        "id": "q1",
        "title": "SECRET",
        "selftext": "SECRET",
        "subreddit": "boats",
        "created_utc": 1715500000,
    } | fields


def a_tweet(**fields: object) -> dict[str, object]:
    return {"tweet": {"id_str": "1", "full_text": "SECRET", "created_at": "Sun May 12 07:20:00 +0000 2024"} | fields}


def a_sky_post(**view: object) -> dict[str, object]:
    record = {"$type": "app.bsky.feed.post", "text": "SECRET", "createdAt": "2024-05-12T07:20:00Z"}
    return {"uri": "at://did:plc:a/app.bsky.feed.post/1", "record": record, "author": {"handle": "mo.example"}} | view


def a_topic(**fields: object) -> dict[str, object]:
    posts = [{"id": 1, "cooked": "<p>SECRET</p>", "post_number": 1, "post_type": 1, "topic_id": 1, "username": "mo"}]
    return {"id": 1, "title": "SECRET", "archetype": "regular", "post_stream": {"posts": posts}} | fields


def a_note(**fields: object) -> dict[str, object]:
    return {"id": "1", "createdAt": "2024-05-12T07:20:00Z", "text": "SECRET", "cw": None, "renoteId": None,
            "visibility": "public", "localOnly": False} | fields  # fmt: skip


def a_lemmy_post(**fields: object) -> dict[str, object]:
    post = {"id": 1, "name": "SECRET", "body": "SECRET", "ap_id": "https://l.example/post/1", "deleted": False}
    return {"post": post, "creator": {"name": "mo"}, "community": {"name": "boats"} | fields, "counts": {"score": 1}}


def a_mblog(**fields: object) -> dict[str, object]:
    return {
        "id": "1",
        "bid": "A",
        "text": "SECRET",
        "attitudes_count": 1,
        "user": {"id": 5, "screen_name": "mo"},
    } | fields


OPEN = [
    an_activity(), an_activity(to=["http://www.w3.org/ns/activitystreams#Public"]),
    an_activity(to=[], cc=["as:Public"]),
    a_status(), a_status(visibility="unlisted"), a_thing(), a_thing(subreddit_type="public", hidden=True), a_tweet(),
    a_sky_post(), a_topic(), a_note(), a_note(visibility="home"), a_lemmy_post(), a_lemmy_post(visibility="Public"),
    a_mblog(), a_mblog(visible={"type": 0, "list_id": 0}),
    {"title": "SECRET", "id": "1", "content_text": "SECRET"},
]  # fmt: skip
CLOSED = [
    an_activity(to=["https://s.example/users/mo/followers"]), an_activity(to=[]),
    an_activity(to=[TO_ALL], directMessage=True),
    an_activity(to=["https://s.example/ns#PublicToFriends"]),
    a_status(visibility="private"), a_status(visibility="mutuals_only"), a_status(visibility="local"),
    a_status(visibility=""), a_status(visibility=None),
    a_thing(subreddit_type="private"), a_thing(subreddit_type="employees_only"),
    {"kind": "t4", "data": {"name": "t4_1", "body": "SECRET", "subreddit": None, "parent_id": None, "dest": "bo"}},
    a_tweet(user={"screen_name": "mo", "protected": True}), a_tweet(scopes={"followers": True}),
    a_tweet(deleted_at="2024-05-13"), a_tweet(visibility="circle"),
    a_sky_post(author={"handle": "mo.example", "labels": [{"val": "!no-unauthenticated"}]}),
    {"$type": "chat.bsky.convo.defs#messageView", "id": "1", "text": "SECRET"},
    a_topic(archetype="private_message"), a_topic(archetype="assignment"), a_topic(visible=False),
    {"topic_title": "SECRET", "post_raw": "SECRET", "is_pm": "Ja", "url": "https://f.example/t/a/1/1"},
    {"topic_title": "SECRET", "post_raw": "SECRET", "is_pm": "Kyllä", "url": "https://f.example/t/a/1/1"},
    {"topic_title": "SECRET", "post_raw": "SECRET", "url": "https://f.example/t/a/1/1"},
    a_note(visibility="followers"), a_note(visibility="specified"), a_note(visibility="circle"), a_note(localOnly=True),
    a_lemmy_post(visibility="LocalOnlyPrivate"), a_lemmy_post(visibility="Whatever"),
    {"private_message": {"id": 1, "content": "SECRET"}, "creator": {"name": "mo"}},
    a_mblog(visible={"type": 1, "list_id": 0}), a_mblog(visible={"type": 10}), a_mblog(visible=True),
    {"id": "1", "content_text": "SECRET", "status": "draft"},
    {"id": "1", "content_text": "SECRET", "visibility": "paid"},
    {"timestamp": 1715500000, "data": [{"post": "SECRET"}], "title": "Mo"},
    {"media": [{"uri": "a.jpg", "creation_timestamp": 1715500000, "title": "SECRET"}]},
    {"sender_name": "Mo", "timestamp_ms": 1715500000000, "content": "SECRET"},
]  # fmt: skip


def written(tmp_path: Path, record: object, name: str = "a.json") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    return path


@pytest.mark.parametrize("record", OPEN, ids=str)
def test_a_public_post_is_read(record: dict[str, object], tmp_path: Path) -> None:
    assert len(Read(written(tmp_path, [record])).posts) == 1


@pytest.mark.parametrize("record", CLOSED, ids=str)
def test_what_is_not_known_to_be_for_everybody_is_passed_over_and_counted(
    record: dict[str, object], tmp_path: Path
) -> None:
    read = Read(written(tmp_path, [record]))
    assert (read.offered, read.rejected) == ([], [])
    assert read.passed().endswith("(1)")
    assert "SECRET" not in repr(read.notes)


@pytest.mark.parametrize("kind", ["public_channel", "public_supergroup"])
def test_messages_of_a_public_chat_are_posts(kind: str, tmp_path: Path) -> None:
    assert len(Read(written(tmp_path, a_chat(kind), "result.json")).posts) == 1


@pytest.mark.parametrize(
    "kind", ["private_channel", "private_group", "personal_chat", "saved_messages", "secret_chat", ""]
)
def test_messages_of_other_chats_are_not(kind: str, tmp_path: Path) -> None:
    read = Read(written(tmp_path, a_chat(kind), "result.json"))
    assert (read.offered, read.rejected) == ([], [])
    account = {"chats": {"about": "", "list": [a_chat(kind), a_chat("public_channel")]}}
    assert len(Read(written(tmp_path, account, "account.json")).posts) == 1


def a_chat(kind: str) -> dict[str, object]:
    message = {"id": 2, "type": "message", "date": "2024-05-12T15:20:00", "date_unixtime": "1715498400", "from": "Mo",
               "from_id": "user1", "text": "SECRET", "text_entities": []}  # fmt: skip
    return {"name": "Boats", "type": kind, "id": 7, "messages": [message]}


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("GuildTextChat", 1),
        ("GuildPublicThread", 1),
        ("DirectTextChat", 0),
        ("GuildPrivateThread", 0),
        ("GuildCave", 0),
        ("", 0),
    ],
)
def test_channels_of_discord_are_read_if_their_type_is_known_to_be_open(kind: str, count: int, tmp_path: Path) -> None:
    message = {"id": "5", "type": "Default", "timestamp": "2024-05-12T15:20:00+00:00", "timestampEdited": None,
               "isPinned": False, "content": "SECRET", "author": {"id": "1", "name": "mo"}}  # fmt: skip
    export = {
        "guild": {"id": "1", "name": "Boats"},
        "channel": {"id": "2", "type": kind, "name": "hulls"},
        "messages": [message],
    }
    read = Read(written(tmp_path, export))
    assert (len(read.posts), read.rejected) == (count, [])


def test_of_a_workspace_only_channels_that_are_listed_as_open_are_read(tmp_path: Path) -> None:
    message = {"type": "message", "ts": "1715498400.000200", "user": "U1", "text": "SECRET"}
    for channel in ("boats", "board", "D01", "unknown"):
        written(tmp_path, [message], f"{channel}/2024-05-12.json")
    written(tmp_path, [{"id": "C1", "name": "boats"}], "channels.json")
    written(tmp_path, [{"id": "G1", "name": "board"}], "groups.json")
    written(tmp_path, [{"id": "D01"}], "dms.json")
    written(tmp_path, [{"id": "U1", "real_name": "Mo", "profile": {"email": "mo@posts.example"}}], "users.json")
    read = Read(tmp_path)
    assert list(read.posts) == ["slack:boats/1715498400.000200"]
    assert read.offered[0].post.author == "Mo"
    assert not read.rejected
    assert "posts.example" not in repr(read.offered)


@pytest.mark.parametrize("name", ["window.YTD.twitter_circle_tweet.part0", "window.YTD.deleted_tweets.part0", "x.y"])
def test_scripts_of_an_archive_that_are_not_of_public_tweets_are_passed_over(name: str, tmp_path: Path) -> None:
    path = tmp_path / "some.js"
    path.write_text(f"{name} = {json.dumps([a_tweet()])}")
    assert not Read(path).posts


@pytest.mark.parametrize(
    "inside",
    [
        "<app:control xmlns:app='http://www.w3.org/2007/app'><app:draft>yes</app:draft></app:control>",
        "<b:status xmlns:b='http://schemas.google.com/blogger/2018'>DRAFT</b:status>",
        "<category scheme='k' term='http://schemas.google.com/blogger/2008/kind#settings'/>",
        "<security>friends</security>", "<x:password>a</x:password>", "<access>members</access>",
    ],
)  # fmt: skip
def test_entries_of_a_feed_that_are_drafts_or_for_some_are_passed_over(inside: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(
        f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>urn:1</id><title>SECRET</title>{inside}</entry></feed>"
    )
    read = Read(path)
    assert (read.offered, read.rejected) == ([], [])


def test_what_is_unknown_is_not_ignored_where_it_says_who_may_read_a_post(tmp_path: Path) -> None:
    record = {"id": "1", "text": "SECRET", "audience": "friends", "mood": "fine"}
    read = Read(written(tmp_path, [record]), options=ReadOptions(ignore_unknown=True))
    assert (read.offered, read.passed()) == ([], "posts whose 'audience' is 'friends' (1)")
    [refused] = Read(written(tmp_path, [record])).rejected
    assert "'audience' may say who may read it" in refused.expected
    table = tmp_path / "a.csv"
    table.write_text("id,text,可见范围\n1,SECRET,好友\n2,open,公开\n")
    assert list(Read(table, options=ReadOptions(ignore_unknown=True)).posts) == ["2"]


def test_all_of_it_is_read_when_asked(tmp_path: Path) -> None:
    read = Read(written(tmp_path, [a_status(visibility="circle")]), options=ReadOptions(private=True))
    assert len(read.posts) == 1


@pytest.mark.parametrize(
    "record",
    [
        {"node": {"posts": [{"id": "1", "html": "SECRET", "status": "draft"}]}},
        {"node": {"posts": [{"id": "1", "html": "SECRET"}], "visibility": "members"}},
        {"node": {"posts": [{"id": "1", "html": "SECRET"}]}, "settings": {"privacy": "friends"}},
    ],
)
def test_a_mapping_into_an_object_heeds_what_the_object_says(record: dict[str, object], tmp_path: Path) -> None:
    mapping = parse_mapping('[post]\nid = "node.posts[0].id"\ntext = "node.posts[0].html"\n')
    read = Read(written(tmp_path, [record]), options=ReadOptions(mapping=mapping))
    assert (read.offered, read.rejected) == ([], [])
    open_to_all = {"node": {"posts": [{"id": "1", "html": "a", "status": "published"}]}, "user": {"status": "busy"}}
    assert len(Read(written(tmp_path, [open_to_all]), options=ReadOptions(mapping=mapping)).posts) == 1


def test_what_a_file_says_before_its_records_holds_for_them(tmp_path: Path) -> None:
    album = {"status": "ok", "visibility": "friends", "items": [{"id": "1", "content_text": "SECRET"}]}
    assert Read(written(tmp_path, album)).passed() == "posts whose 'visibility' is 'friends' (1)"
    assert len(Read(written(tmp_path, album | {"visibility": "public"})).posts) == 1


def test_of_the_comments_of_a_record_those_that_are_not_for_all_are_left_out_and_counted(tmp_path: Path) -> None:
    answers = [{"body": "open"}, {"body": "SECRET", "private": True}, {"body": "SECRET", "visibility": "staff"}]
    record = {"id": "1", "text": "a", "answers": answers}
    mapping = parse_mapping('[post]\nid = "id"\ntext = "text"\ncomments = { path = "answers[*]", text = "body" }\n')
    read = Read(written(tmp_path, [record]), options=ReadOptions(mapping=mapping))
    assert [one.text for one in read.posts["1"].comments] == ["open"]
    assert (
        read.passed() == "answers: posts whose 'private' is true (1), answers: posts whose 'visibility' is 'staff' (1)"
    )
    own = {"id": "1", "text": "a", "comments": [{"text": "open"}, {"text": "SECRET", "is_private": 1}]}
    read = Read(written(tmp_path, [own]), options=ReadOptions(ignore_unknown=True))
    assert [one.text for one in read.posts["1"].comments] == ["open"]
