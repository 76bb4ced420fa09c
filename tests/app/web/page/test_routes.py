"""Pages as a browser without JavaScript gets them, and what it needs to know to stream."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.app.web.page.conftest import Served
from tests.app.web.page.page_of import stream_of, whole
from tests.app.web.page.read_html import read_html


def test_the_empty_page_has_a_search_box_and_questions_to_try(served: Served) -> None:
    page = read_html(served.get("/").text)
    assert page.by_id("q").attributes["name"] == "q"
    (form,) = [one for one in page.all("form") if one.attributes.get("role") == "search"]
    assert (form.attributes["action"], form.attributes["method"]) == ("/search", "get")
    examples = [link for link in page.all("a") if link.attributes["href"].startswith("/search?q=")]
    assert examples[0].text == "quiet cafe to study"
    assert [script.attributes["src"].split("?")[0] for script in page.all("script")] == ["/static/stipple.js"]


@pytest.mark.parametrize("question", ["", "   ", "\u200b", "\x00"])
def test_asking_nothing_gives_the_empty_page(served: Served, question: str) -> None:
    answer = served.get("/search", q=question)
    assert answer.status_code == 200
    assert 'class="home"' in answer.text


def test_the_page_has_the_posts_at_once_and_says_where_the_answer_streams_from(served: Served) -> None:
    asked = len(served.services.asked)
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    assert [card.attributes["id"] for card in page.all("li", "card")] == ["post-1", "post-2", "post-3"]
    assert stream_of(page).startswith("/answer/stream?q=quiet+cafe+to+study&search=")
    assert len(served.services.asked) == asked, "no answer is asked for before the browser connects"


def test_a_browser_without_javascript_is_sent_to_the_whole_page(served: Served) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    (refresh,) = [meta for meta in page.all("meta") if meta.attributes.get("http-equiv") == "refresh"]
    assert refresh.attributes["content"] == "0; url=/search?q=quiet+cafe+to+study&js=off"
    unscripted = read_html(served.get("/search", q="quiet cafe to study", js="off").text)
    assert not [meta for meta in unscripted.all("meta") if meta.attributes.get("http-equiv") == "refresh"]
    hidden = [field.attributes for field in unscripted.all("input") if field.attributes.get("type") == "hidden"]
    assert {"type": "hidden", "name": "js", "value": "off"} in hidden


def test_without_javascript_every_mark_leads_to_the_card_that_holds_its_quote(served: Served) -> None:
    page = whole(served, "quiet cafe to study")
    marks = page.all("a", "mark")
    assert [mark.text for mark in marks] == ["[1]", "[3]", "[1]"]
    assert [mark.attributes["aria-label"] for mark in marks] == [
        "citation 1: mochi_walks", "citation 3: exam_goblin", "citation 1: mochi_walks",
    ]  # fmt: skip
    quoted = [mark.text for mark in page.all("mark", "quote")]
    assert "eleven single desks, a socket at each, and nobody talks." in quoted
    assert "there is a two hour limit at weekends now." in quoted
    for mark in marks:
        card = page.by_id(mark.attributes["href"].removeprefix("#"))
        assert all(quote in card.text for quote in mark.attributes["title"].split(" … "))
    assert page.all("p", "kind")[0].text == "Written by smollm2; each sentence checked"
    assert "1 sentence was not shown" in page.by_id("answer-end").text


def test_a_quoted_answer_says_so_and_shows_quotes(served: Served) -> None:
    page = whole(served, "大理 咖啡馆", ui="zh")
    assert page.all("p", "kind")[0].text == "摘自帖子原文，一字未改"
    assert len(page.all("blockquote")) == 3
    assert "当前模型不会写这种语言" in page.by_id("answer-end").text
    assert page.all("cite")[0].text == "大理古城这家咖啡馆，院子里有三只猫"


def test_a_declined_answer_shows_the_nearest_posts(served: Served) -> None:
    page = whole(served, "scuba diving price")
    assert page.by_id("sentences").text.strip() == "These posts don't say."
    assert page.by_id("posts-heading").text == "Nearest posts"
    assert len(page.all("li", "card")) == 3


def test_later_pages_go_on_counting_and_ask_for_no_answer(served: Served) -> None:
    first = read_html(served.get("/search", q="many").text)
    (more,) = first.all("a", "more")
    second = read_html(served.get(more.attributes["href"]).text)
    assert [card.attributes["id"] for card in second.all("li", "card")] == [f"post-{n}" for n in range(11, 21)]
    assert not [element for element in second.elements if element.attributes.get("id") == "answer"]
    third = read_html(served.get(second.all("a", "more")[0].attributes["href"]).text)
    assert len(third.all("li", "card")) == 5
    assert not third.all("a", "more")


def test_a_passage_from_a_comment_is_shown_under_its_author(served: Served) -> None:
    page = whole(served, "bikes")
    assert "comment by @tofu_rider" in page.by_id("post-1-words").text


def test_a_card_shows_what_is_known_of_its_post(served: Served) -> None:
    card = whole(served, "quiet cafe to study").by_id("post-1").text
    for words in ("@mochi_walks", "18 Nov 2025", "Yuyuan Road, Shanghai", "1,822 likes", "340 saves", "12 comments",
                  "#studycafe", "2 pictures: a desk by the window"):  # fmt: skip
        assert words in card


def test_no_posts_are_told_plainly(served: Served) -> None:
    assert "No posts found." in whole(served, "nothing at all").all("p", "nothing")[0].text
    assert "Remove one" in whole(served, "nothing at all", tag="x").all("p", "nothing")[0].text


@pytest.mark.parametrize("ui", ["en", "zh"])
def test_the_language_of_the_page_can_be_chosen_and_is_kept_in_links(served: Served, ui: str) -> None:
    page = whole(served, "quiet cafe to study", ui=ui)
    assert page.all("html")[0].attributes["lang"] == {"en": "en", "zh": "zh-Hans"}[ui]
    inward = [link.attributes["href"] for link in page.all("a") if link.attributes["href"].startswith("/search")]
    other = [address for address in inward if f"ui={ui}" not in address]
    assert len(other) == 1, "only the switch leads to the other language"


def test_the_browsers_language_decides_where_nothing_is_chosen(served: Served) -> None:
    answer = httpx.get(served.url, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert 'lang="zh-Hans"' in answer.text
    assert answer.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"q": "a" * 10_000}, 400, "That is 10,000 characters long"),
        ({"q": "many", "since": "yesterday"}, 400, "write a date as YYYY-MM-DD"),
        ({"q": "many", "offset": "-1"}, 400, "write a whole number"),
        ({"q": "no index"}, 503, "No answer now: nothing was indexed yet."),
        ({"q": "no index", "js": "off"}, 503, "No answer now: nothing was indexed yet."),
    ],
)
def test_what_cannot_be_answered_is_a_page_with_one_sentence(
    served: Served, parameters: dict[str, str], status: int, words: str
) -> None:
    answer = served.get("/search", **parameters)
    assert answer.status_code == status
    page = read_html(answer.text)
    (problem,) = page.all("h1", "problem")
    assert words in problem.text
    assert "stipple reindex" not in answer.text, "the fix is for the operator"
    assert page.by_id("q").attributes["value"] == parameters["q"], "what was typed is kept"


def test_every_address_within_a_page_exists(served: Served) -> None:
    for question in ("quiet cafe to study", "coffee", "大理 咖啡馆"):
        page = whole(served, question)
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(set(ids)) == len(ids)
        within = {link.attributes["href"][1:] for link in page.all("a") if link.attributes["href"].startswith("#")}
        named = {element.attributes.get("aria-labelledby", "posts") for element in page.elements}
        assert within | named <= set(ids)


def test_an_unknown_word_of_the_page_would_be_an_error_not_a_gap(served: Served) -> None:
    assert not re.search(r"\{\w+\}|Undefined|Markup\(", whole(served, "quiet cafe to study").all("html")[0].text)
