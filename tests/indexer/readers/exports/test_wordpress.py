"""WordPress's export: what of it is public, and its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.readers.exports.wordpress import without_shortcodes
from indexer.readers.record_reader import DETECTED, ReadOptions
from tests.indexer.readers.exports.test_exports import Read

HEAD = (
    '<rss version="2.0" xmlns:content="{0}://purl.org/rss/1.0/modules/content/" xmlns:dc="{0}://purl.org/dc/elements/1.1/"'
    ' xmlns:wp="{0}://wordpress.org/export/1.2/"><channel><title>Boats</title><link>https://boats.example</link>'
    "<wp:author><wp:author_login>root</wp:author_login><wp:author_display_name>Nell</wp:author_display_name></wp:author>"
)
PUBLISHED = "<wp:post_type>post</wp:post_type><wp:status>publish</wp:status>"


def an_item(number: int, inside: str, text: str = "keel and rudder") -> str:
    return (
        f"<item><title>Boat {number}</title><guid>https://boats.example/?p={number}</guid><dc:creator>root</dc:creator>"
        f"<content:encoded><![CDATA[{text}]]></content:encoded>{inside}</item>"
    )


def read(tmp_path: Path, *items: str, scheme: str = "http", options: ReadOptions = DETECTED) -> Read:
    path = tmp_path / "export.xml"
    path.write_text(HEAD.format(scheme) + "".join(items) + "</channel></rss>", "utf-8")
    return Read(path, options=options)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "inside",
    [
        "<wp:post_type>post</wp:post_type><wp:status>draft</wp:status>",
        "<wp:post_type>post</wp:post_type><wp:status>Private</wp:status>",
        "<wp:post_type>post</wp:post_type><wp:status>members-only</wp:status>",
        "<wp:post_type>post</wp:post_type><wp:status>publish</wp:status><wp:status>draft</wp:status>",
        "<wp:post_type>post</wp:post_type>",
        f"{PUBLISHED}<wp:post_password>x</wp:post_password>",
        "<wp:post_type>attachment</wp:post_type><wp:status>inherit</wp:status>",
        "<wp:post_type>diary</wp:post_type><wp:status>publish</wp:status>",
        f"{PUBLISHED}<visibility>subscribers</visibility>",
    ],
)
def test_what_is_not_known_to_be_published_for_all_is_passed_over(inside: str, scheme: str, tmp_path: Path) -> None:
    found = read(tmp_path, an_item(1, PUBLISHED), an_item(2, inside, "SECRET"), scheme=scheme)
    assert list(found.posts) == ["https://boats.example/?p=1"]
    assert "SECRET" not in repr(found.offered)
    assert found.passed().endswith("(1)")


def test_a_status_that_nobody_knows_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, an_item(1, "<wp:post_type>post</wp:post_type><wp:status>embargoed</wp:status>"))
    assert found.passed() == "posts whose status is 'embargoed' (1)"


def test_an_export_in_a_namespace_that_nobody_knows_is_refused_and_not_read_as_a_feed(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    text = HEAD.replace("xmlns:wp", "xmlns:q").replace("wp:", "q:").replace("{0}://wordpress.org/export/1.2/", "urn:q")
    item = an_item(1, "<q:post_type>post</q:post_type><q:status>draft</q:status>", "SECRET")
    path.write_text(text.format("http") + item + "</channel></rss>", "utf-8")
    found = Read(path)
    assert not found.posts
    assert found.rejected or found.passed()


def test_the_author_is_the_name_that_the_site_shows(tmp_path: Path) -> None:
    assert read(tmp_path, an_item(1, PUBLISHED)).posts["https://boats.example/?p=1"].author == "Nell"


def test_comments_are_those_of_readers_that_were_approved(tmp_path: Path) -> None:
    comments = "".join(
        f"<wp:comment><wp:comment_content>{kind or 'plain'}{approved}</wp:comment_content>"
        f"<wp:comment_approved>{approved}</wp:comment_approved><wp:comment_type>{kind}</wp:comment_type></wp:comment>"
        for kind in ("", "comment", "pingback", "note", "order_note")
        for approved in ("1", "0", "spam", "hold")
    )
    [post] = read(tmp_path, an_item(1, PUBLISHED + comments)).posts.values()
    assert [one.text for one in post.comments] == ["plain1", "comment1"]


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ('[caption id="a"]<img src="x"/> A keel[/caption]', '<img src="x"/> A keel'),
        ('before [gallery ids="1,2"] after', "before  after"),
        ("[embed]https://v.example/1[/embed]", "https://v.example/1"),
        ("[vc_row][vc_column width='1/2']words[/vc_column][/vc_row]", "words"),
        ("he said [sic] and [1]", "he said [sic] and [1]"),
        ("[[gallery ids='1']]", "[[gallery ids='1']]"),
    ],
)
def test_shortcodes_go_and_what_they_enclose_stays(written: str, left: str) -> None:
    assert without_shortcodes(written) == left
