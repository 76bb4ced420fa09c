"""A post's own page."""

from __future__ import annotations

from tests.app.web.page.conftest import Served
from tests.app.web.page.page_of import whole
from tests.app.web.page.read_html import read_html

POST = "/post/post-1"


def test_a_post_has_a_page_with_all_its_comments_tags_and_the_way_to_the_original(served: Served) -> None:
    page = read_html(served.get(POST).text)
    assert [heading.text for heading in page.all("h1")] == ["Upstairs at Night Heron, exam week edition"]
    post = page.by_id("post").text
    for words in ("@mochi_walks", "18 Nov 2025", "Yuyuan Road, Shanghai", "1,822 likes", "Bring a jumper",
                  "2 comments here", "is there parking for bikes?", "a two hour limit", "#shanghai"):  # fmt: skip
        assert words in post
    (original,) = page.all("a", "original")
    assert original.attributes["href"] == "https://posts.example/p/1"
    assert original.attributes["rel"] == "noopener noreferrer nofollow ugc"


def test_a_post_names_others_like_it_but_not_itself(served: Served) -> None:
    page = read_html(served.get(POST).text)
    like_it = [link.attributes["href"] for link in page.all("a", "open")]
    assert like_it == ["/post/post-2", "/post/post-3"]


def test_a_card_leads_to_its_post_where_the_quotes_are_lit_and_the_post_back_to_the_answer(served: Served) -> None:
    results = whole(served, "quiet cafe to study")
    addresses = [one.attributes["href"] for one in results.all("a", "whole")]
    page = read_html(served.get(addresses[0]).text)
    lit = [mark.text for mark in page.all("mark", "quote")]
    assert lit == [
        "eleven single desks, a socket at each, and nobody talks.", "there is a two hour limit at weekends now.",
    ]  # fmt: skip
    back = next(one for one in page.all("a") if "Back to the results" in one.text)
    assert back.attributes["href"].startswith("/search?q=quiet+cafe+to+study")


def test_an_author_and_a_tag_of_a_post_that_was_not_asked_for_lead_to_their_posts(served: Served) -> None:
    page = read_html(served.get(POST).text)
    assert page.all("a", "author")[0].attributes["href"] == "/search?q=from%3Amochi_walks"
    assert page.all("a", "tag")[0].attributes["href"] == "/search?q=%23studycafe"


def test_a_post_that_is_gone_is_a_page_with_one_sentence(served: Served) -> None:
    answer = served.get("/post/nobody/wrote/this")
    assert answer.status_code == 404
    assert "This post is not here" in read_html(answer.text).all("h1", "problem")[0].text
    assert (
        read_html(served.get("/post/nobody", ui="zh").text).all("h1", "problem")[0].text.startswith("这里没有这篇帖子")
    )


def test_a_hostile_post_stays_text_on_its_page_and_quotes_that_are_nowhere_mark_nothing(served: Served) -> None:
    for quote in ("text-0-999999999", "comment99-0-5", "comment0-0-4", "title-5-2", "text-x-y", "<script>"):
        page = read_html(served.get("/post/post-21", quote=quote).text)
        assert not page.all("b")
        assert not page.all("img")
        assert {one.attributes["src"].split("?")[0] for one in page.all("script")} == {"/static/stipple.js"}
        assert "javascript:" not in "".join(link.attributes["href"] for link in page.all("a"))


def test_the_posts_with_a_tag_come_alone_for_an_answer_that_stays(served: Served) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study", tag="shanghai", narrow="1").text)
    assert page.by_id("narrowed-heading").text == "Posts with #shanghai"
    assert next(card.attributes["id"] for card in page.all("li", "card")) == "narrowed-post-1"
    assert not page.all("html")
    assert page.all("a", "widen")[0].attributes["href"] == "/search?q=quiet+cafe+to+study"
