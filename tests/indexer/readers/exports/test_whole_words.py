"""Words that platforms write in parts, twice escaped, shortened or elsewhere: nothing of them is lost."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from indexer.readers.record_reader import DETECTED, ReadOptions
from retrieval.types import Image
from tests.indexer.readers.exports.test_exports import Read


def lines(tmp_path: Path, *records: object, name: str = "a.jsonl", options: ReadOptions = DETECTED) -> Read:
    path = tmp_path / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return Read(path, options=options)


def a_submission(**fields: object) -> dict[str, object]:
    return {
        "id": "q1",
        "title": "Oars",
        "selftext": "",
        "subreddit": "boats",
        "num_comments": 0,
        "created_utc": 1715500000,
        "permalink": "/r/boats/comments/q1/oars/",
        "url": "https://www.reddit.com/r/boats/q1",
        "is_self": True,
    } | fields


def test_entities_that_a_dump_escapes_again_are_characters(tmp_path: Path) -> None:
    text = "Ash &amp;gt; pine.\n\n&amp;#x200B;\n\n6&amp;nbsp;ft &amp;amp; light"
    [post] = lines(tmp_path, a_submission(selftext=text)).posts.values()
    assert post.text == "Ash > pine.\n\n6 ft & light"


def test_a_gallery_has_its_pictures_in_order_with_captions(tmp_path: Path) -> None:
    media = {
        "b": {"s": {"u": "https://p.example/b.jpg?a=1&amp;b=2"}},
        "a": {"s": {"u": "https://p.example/a.jpg"}},
    }
    items = [{"media_id": "b", "caption": "a blade"}, {"media_id": "a"}]
    gallery = a_submission(is_self=False, is_gallery=True, gallery_data={"items": items}, media_metadata=media)
    [post] = lines(tmp_path, gallery).posts.values()
    assert post.images == (Image("https://p.example/b.jpg?a=1&b=2", "a blade"), Image("https://p.example/a.jpg", ""))
    assert "a blade" in post.text


def test_a_crosspost_has_its_parents_words_marked_as_theirs(tmp_path: Path) -> None:
    parent = a_submission(id="q0", selftext="Varnish twice.", author="nell")
    crosspost = a_submission(is_self=False, url="/r/boats/comments/q0/oars/", crosspost_parent_list=[parent])
    gone = crosspost | {"id": "q2", "crosspost_parent_list": [parent | {"selftext": "[removed]"}]}
    closed = crosspost | {"id": "q3", "crosspost_parent_list": [parent | {"subreddit_type": "private"}]}
    posts = lines(tmp_path, crosspost, gone, closed).posts
    assert posts["reddit:t3_q1"].text == "> nell: Varnish twice."
    for other in ("reddit:t3_q2", "reddit:t3_q3"):
        assert posts[other].text == "https://www.reddit.com/r/boats/comments/q0/oars/"


def test_a_thread_of_bluesky_is_a_post_with_comments_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    def a_view(key: str, text: str, handle: str) -> dict[str, object]:
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2024-05-12T07:20:00Z"}
        return {
            "uri": f"at://did:plc:{handle}/app.bsky.feed.post/{key}",
            "author": {"handle": handle},
            "record": record,
        }

    kind = "app.bsky.feed.defs#"
    reply = {
        "$type": f"{kind}threadViewPost",
        "post": a_view("2", "second", "bo.example"),
        "replies": [{"$type": f"{kind}threadViewPost", "post": a_view("3", "third", "cy.example")}],
    }
    missing = [
        {"$type": f"{kind}notFoundPost", "uri": "x"},
        {"$type": f"{kind}blockedPost"},
        {"$type": f"{kind}newKind"},
    ]
    thread = {
        "$type": f"{kind}threadViewPost",
        "post": a_view("1", "first", "mo.example"),
        "replies": [reply, *missing],
    }
    path = tmp_path / "thread.json"
    path.write_text(json.dumps({"thread": thread}))
    read = Read(path)
    [post] = read.posts.values()
    assert (post.text, [one.text for one in post.comments]) == ("first", ["second", "third"])
    assert (
        read.passed() == "blocked posts (1), parts of a thread of the type 'newKind' (1), posts that are not found (1)"
    )


def test_an_old_archive_of_x_gives_its_tweets_once_from_a_folder_and_from_a_zip(tmp_path: Path) -> None:
    tweet = {
        "id_str": "9",
        "text": "Launch day http://t.co/a",
        "created_at": "2013-05-17 13:59:05 +0000",
        "entities": {"urls": [{"url": "http://t.co/a", "expanded_url": "http://boats.example/launch"}], "media": []},
        "user": {"screen_name": "mo", "protected": False},
    }
    folder = tmp_path / "archive"
    scripts = folder / "data" / "js" / "tweets"
    scripts.mkdir(parents=True)
    (scripts / "2013_05.js").write_text(f"Grailbird.data.tweets_2013_05 = \n {json.dumps([tweet])}")
    (folder / "data" / "js" / "user_details.js").write_text('var user_details = {"screen_name": "mo"}')
    table = "tweet_id,timestamp,text,expanded_urls\n9,2013-05-17 13:59:05 +0000,Launch day http://t.co/a,http://boats.example/launch\n"
    (folder / "tweets.csv").write_text(table)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    found, zipped = Read(folder), Read(tmp_path / "archive.zip")
    assert found.posts == zipped.posts
    assert (found.rejected, zipped.rejected) == ([], [])
    assert found.posts["x:9"].text == "Launch day http://boats.example/launch"
    assert Read(folder / "tweets.csv").posts["x:9"].text == found.posts["x:9"].text


def test_pictures_without_words_are_passed_over_and_with_descriptions_they_are_posts(tmp_path: Path) -> None:
    activity = {
        "type": "Create",
        "actor": "https://s.example/users/mo",
        "object": {
            "type": "Note",
            "id": "https://s.example/1",
            "content": "",
            "to": ["as:Public"],
            "attachment": [{"type": "Document", "url": "/media/a.jpg", "name": None}],
        },
    }
    read = lines(tmp_path, activity)
    assert (read.posts, read.rejected, read.passed()) == ({}, [], "pictures without words (1)")
    own = {"id": "1", "images": [{"url": "https://i.example/1.jpg"}]}
    described = {"id": "2", "images": [{"url": "https://i.example/2.jpg", "alt": "two oars"}]}
    read = lines(tmp_path, own, described)
    assert read.posts["2"].text == "[two oars]"
    assert (len(read.posts), read.rejected, read.passed()) == (1, [], "pictures without words (1)")


def test_a_feeds_author_base_and_language_are_those_of_items_that_say_none(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(
        '<feed xmlns="https://www.w3.org/2005/Atom" xml:base="https://boats.example/blog/" xml:lang="en">'
        "<title>Boats</title>"
        "<author><name>Nell</name></author>"
        '<entry><id>urn:1</id><title>Keel</title><link href="keel"/><content type="xhtml">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>Oak, <em>steamed</em>.</p><img src="/k.jpg" alt="a keel"/></div>'
        "</content></entry>"
        "<entry><id>urn:2</id><title>Mast</title><author><name>Bo</name></author><author><name>Cy</name></author></entry>"
        "</feed>"
    )
    keel, mast = Read(path).posts.values()
    assert (keel.text, keel.author, keel.url) == ("Oak, steamed.", "Nell", "https://boats.example/blog/keel")
    assert keel.images == (Image("https://boats.example/k.jpg", "a keel"),)
    assert mast.author == "Bo, Cy"


def test_words_of_slack_have_names_and_whole_links(tmp_path: Path) -> None:
    (tmp_path / "boats").mkdir()
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "see "},
                        {"type": "link", "url": "https://b.example/1", "text": "plan"},
                    ],
                }
            ],
        }
    ]
    messages = [
        {
            "type": "message",
            "ts": "1.1",
            "user": "U1",
            "text": "<@U1> a &amp; b <https://b.example/2|plan> in <#C1|boats>",
        },
        {"type": "message", "ts": "2.1", "user": "U1", "text": "", "blocks": blocks, "thread_ts": "1.1"},
        {"type": "message", "ts": "3.1", "subtype": "channel_join", "text": "joined"},
    ]
    (tmp_path / "boats" / "2024-05-12.json").write_text(json.dumps(messages))
    (tmp_path / "channels.json").write_text(json.dumps([{"name": "boats"}]))
    (tmp_path / "users.json").write_text(json.dumps([{"id": "U1", "profile": {"display_name": "nell"}}]))
    [post] = Read(tmp_path).posts.values()
    assert post.text == "@nell a & b plan (https://b.example/2) in #boats"
    assert [one.text for one in post.comments] == ["see plan (https://b.example/1)"]


def test_a_download_of_facebook_is_mended_where_it_is_read(tmp_path: Path) -> None:
    words = "洱海边的船".encode().decode("latin-1")
    entry = {"timestamp": 1715500000, "data": [{"post": words}], "attachments": [], "title": "Mo"}
    path = tmp_path / "your_posts_1.json"
    path.write_text(json.dumps([entry]))
    [post] = Read(path, options=ReadOptions(private=True)).posts.values()
    assert (post.text, post.language) == ("洱海边的船", "zh")


def test_an_accounts_own_posts_and_comments_of_reddit_are_read_and_nothing_else_of_its_data(tmp_path: Path) -> None:
    (tmp_path / "ip_logs.csv").write_text("date,ip\n2024-05-12 07:20:00 UTC,192.0.2.1\n")
    (tmp_path / "messages.csv").write_text("id,from,to,body\n1,mo,bo,just for you\n")
    (tmp_path / "posts.csv").write_text(
        "id,permalink,date,ip,subreddit,gildings,title,url,body\n"
        "q1,https://www.reddit.com/r/boats/comments/q1/oars/,2024-05-12 07:20:00 UTC,192.0.2.1,boats,0,Oars,,"
        "Ash or pine?\n"
    )
    (tmp_path / "comments.csv").write_text(
        "id,permalink,date,ip,subreddit,gildings,link,parent,body,media\n"
        "c1,/r/boats/comments/q1/oars/c1/,2024-05-12 08:20:00 UTC,192.0.2.1,boats,0,https://www.reddit.com/r/boats/comments/q1/oars/,,Ash.,\n"
    )
    read = Read(tmp_path)
    [post] = read.posts.values()
    assert (post.id, post.text, [one.text for one in post.comments]) == ("reddit:t3_q1", "Ash or pine?", ["Ash."])
    assert "192.0.2" not in repr(read.offered[0].post)
    assert "just for you" not in repr(read.offered)


def test_lemmy_and_misskey_give_posts_and_what_they_quote(tmp_path: Path) -> None:
    view = {
        "post": {"id": 1, "name": "Oars", "body": "Ash.", "ap_id": "https://l.example/post/1"},
        "creator": {"name": "nell"},
        "community": {"name": "boats", "visibility": "Public"},
        "counts": {"score": 4, "comments": 1},
    }
    comment = view | {"comment": {"id": 2, "content": "Pine.", "ap_id": "https://l.example/comment/2"}}
    (tmp_path / "posts.json").write_text(json.dumps({"posts": [view]}))
    (tmp_path / "comments.json").write_text(json.dumps({"comments": [comment]}))
    note = {
        "id": "n",
        "createdAt": "2024-05-12T07:20:00Z",
        "text": "so true",
        "cw": "boats",
        "visibility": "home",
        "renoteId": "m",
        "renote": {"text": "Pine rots", "visibility": "public", "user": {"username": "bo"}},
    }
    (tmp_path / "notes.json").write_text(json.dumps([note, note | {"id": "o", "text": None, "cw": None}]))
    read = Read(tmp_path)
    assert [one.text for one in read.posts["lemmy:https://l.example/post/1"].comments] == ["Pine."]
    assert read.posts["misskey:n"].text == "boats\n\nso true\n\n> bo: Pine rots"
    assert read.passed() == "renotes (1)"
