from __future__ import annotations

import re
import time

import httpx
import pytest

from app.web.rendering import HEADERS
from tests.pages.conftest import Served
from tests.pages.invented_posts import HOSTILE
from tests.pages.read_html import Html, read_html
from tests.pages.test_sse import parsed


def whole(served: Served, question: str, **parameters: str) -> Html:
    """The page that a browser without JavaScript ends up with."""
    answer = served.get("/search", q=question, js="off", **parameters)
    assert answer.status_code == 200
    return read_html(answer.text)


def streamed(served: Served, question: str, **parameters: str) -> list[tuple[str, str]]:
    answer = served.get("/answer/stream", q=question, **parameters)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return parsed(answer.text)


def stream_of(page: Html) -> str:
    return page.by_id("answer").attributes["sse-connect"]


def test_the_empty_page_has_a_search_box_and_questions_to_try(served: Served) -> None:
    page = read_html(served.get("/").text)
    assert page.by_id("q").attributes["name"] == "q"
    (form,) = page.all("form")
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
    asked = len(served.finder.asked)
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    assert [card.attributes["id"] for card in page.all("li", "card")] == ["post-1", "post-2", "post-3"]
    assert stream_of(page).startswith("/answer/stream?q=quiet+cafe+to+study&shown=")
    assert len(served.finder.asked) == asked, "no answer is asked for before the browser connects"


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
    assert "Written by smollm2" in page.by_id("answer-end").text
    assert "1 sentence was not shown" in page.by_id("answer-end").text


def test_a_quoted_answer_says_so_and_shows_quotes(served: Served) -> None:
    page = whole(served, "大理 咖啡馆", ui="zh")
    assert "摘自帖子原文" in page.by_id("sentences").text
    assert len(page.all("blockquote")) == 3
    assert "当前模型不会写这种语言" in page.by_id("sentences").text


def test_a_declined_answer_shows_the_nearest_posts(served: Served) -> None:
    page = whole(served, "scuba diving price")
    assert page.by_id("sentences").text.strip() == "These posts don't say."
    assert page.by_id("posts-heading").text == "Nearest posts"
    assert len(page.all("li", "card")) == 3


def test_the_stream_brings_each_sentence_with_the_cards_it_cites(served: Served) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    answer = served.get(stream_of(page))
    events = parsed(answer.text)
    assert [name for name, _ in events] == ["status", "status", "sentence", "sentence", "end", "followups", "close"]
    assert "reading 3 posts…" in events[0][1]
    assert "1 sentence withheld" in events[1][1]
    first = read_html(events[2][1])
    assert [mark.text for mark in first.all("a", "mark")] == ["[1]", "[3]"]
    replaced = [element.attributes["id"] for element in first.elements if "hx-swap-oob" in element.attributes]
    assert replaced == ["post-1-title", "post-1-words", "post-3-title", "post-3-words"]
    second = read_html(events[3][1])
    assert len(second.by_id("post-1-words").text) > 0
    quoted = [mark.text for mark in second.all("mark", "quote")]
    assert "eleven single desks, a socket at each, and nobody talks." in quoted, "earlier quotes stay marked"
    assert events[-1] == ("close", "")


def test_the_stream_and_the_whole_page_show_the_same_answer(served: Served) -> None:
    for question in ("quiet cafe to study", "大理 咖啡馆", "scuba diving price"):
        events = streamed(served, question)
        end = read_html(next(data for name, data in events if name == "end"))
        fragments = [read_html(data) for name, data in events if name == "sentence"]
        sentences = "".join(
            [*fragment.all("span", "sentence"), *fragment.all("blockquote")][0].text for fragment in fragments
        )
        page = whole(served, question)
        if "sentences" in [element.attributes.get("id") for element in end.elements]:
            sentences = end.by_id("sentences").text
        assert " ".join(sentences.split()) == " ".join(page.by_id("sentences").text.split())
        assert page.all("p", "facts")[0].text == end.all("p", "facts")[0].text


def test_an_answer_that_saw_other_posts_replaces_the_cards_so_that_marks_fit(served: Served) -> None:
    page = read_html(served.get("/search", q="new generation").text)
    events = parsed(served.get(stream_of(page)).text)
    status = read_html(events[0][1])
    assert status.by_id("posts").attributes["hx-swap-oob"] == "innerHTML"
    headings = [status.by_id(f"post-{number}-title").text for number in (1, 2, 3)]
    assert [heading[:7] for heading in headings] == ["Ranking", "Upstair", "Paper L"]
    assert "My own kitchen" in read_html(events[1][1]).by_id("post-1-words").text


def test_an_answer_that_saw_the_same_posts_leaves_the_cards_alone(served: Served) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    assert "post-" not in parsed(served.get(stream_of(page)).text)[0][1]


def test_an_answer_from_more_posts_than_a_page_holds_shows_them_all_and_goes_on_after_them(served: Served) -> None:
    page = whole(served, "many seen")
    assert len(page.all("li", "card")) == 15
    (more,) = page.all("a", "more")
    assert "offset=15" in more.attributes["href"]
    events = parsed(served.get(stream_of(read_html(served.get("/search", q="many seen").text))).text)
    status = read_html(events[0][1])
    assert len(status.all("li", "card")) == 15
    assert "offset=15" in status.all("a", "more")[0].attributes["href"]


def test_later_pages_go_on_counting_and_ask_for_no_answer(served: Served) -> None:
    first = read_html(served.get("/search", q="many").text)
    (more,) = first.all("a", "more")
    second = read_html(served.get(more.attributes["href"]).text)
    assert [card.attributes["id"] for card in second.all("li", "card")] == [f"post-{n}" for n in range(11, 21)]
    assert not [element for element in second.elements if element.attributes.get("id") == "answer"]
    third = read_html(served.get(second.all("a", "more")[0].attributes["href"]).text)
    assert len(third.all("li", "card")) == 5
    assert not third.all("a", "more")


def test_filters_reach_search_and_answer_and_can_be_taken_back_one_by_one(served: Served) -> None:
    parameters = {"author": "mochi", "since": "2025-01-01", "min_likes": "10"}
    page = whole(served, "bikes", **parameters)
    filters = served.finder.asked[-1].filters
    assert (filters.authors, filters.min_likes) == (("mochi",), 10)
    assert served.finder.searched[-1].filters == filters
    chips = [link for link in page.all("a") if link.attributes.get("aria-label", "").startswith("Remove the filter")]
    assert len(chips) == 3
    assert "author" not in chips[0].attributes["href"]
    assert "min_likes=10" in chips[0].attributes["href"]


def test_a_passage_from_a_comment_is_shown_under_its_author(served: Served) -> None:
    page = whole(served, "bikes")
    assert "comment by @tofu_rider" in page.by_id("post-1-words").text


def test_a_card_shows_what_is_known_of_its_post(served: Served) -> None:
    card = whole(served, "quiet cafe to study").by_id("post-1").text
    for words in ("@mochi_walks", "18 Nov 2025", "Yuyuan Road, Shanghai", "1,822 likes", "340 saves", "12 comments",
                  "#studycafe", "2 pictures: a desk by the window"):  # fmt: skip
        assert words in card


def test_links_out_give_nothing_away_and_get_no_credit(served: Served) -> None:
    page = whole(served, "quiet cafe to study")
    outward = [link for link in page.all("a") if "//" in link.attributes["href"]]
    assert len(outward) == 3
    assert {link.attributes["rel"] for link in outward} == {"noopener noreferrer nofollow ugc"}


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
    (problem,) = page.all("p", "problem")
    assert words in problem.text
    assert "stipple reindex" not in answer.text, "the mend is for the operator"
    assert page.by_id("q").attributes["value"] == parameters["q"], "what was typed is kept"


def test_a_problem_in_the_middle_of_an_answer_is_told_in_its_stream(served: Served) -> None:
    events = streamed(served, "breaks")
    assert [name for name, _ in events][-3:] == ["sentence", "status", "close"]
    assert "No answer now: the store went away." in events[-2][1]
    assert "Ask again" in events[-2][1]


@pytest.mark.parametrize("parameters", [{"q": "a" * 3000}, {"q": "many", "until": "x"}, {"q": ""}, {"q": "no index"}])
def test_a_stream_that_cannot_be_is_one_event_and_the_end(served: Served, parameters: dict[str, str]) -> None:
    answer = served.get("/answer/stream", **parameters)
    assert answer.status_code == 200
    assert [name for name, _ in parsed(answer.text)] == ["status", "close"]


def test_an_asker_who_leaves_ends_the_answer(served: Served) -> None:
    closed = served.finder.closed
    with httpx.stream("GET", served.url + "/answer/stream?q=slow", timeout=30) as answer:
        next(answer.iter_lines())
    give_up = time.monotonic() + 5
    while served.finder.closed == closed:
        assert time.monotonic() < give_up, "the answer goes on though nobody listens"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "path", ["/", "/search?q=coffee", "/search?q=coffee&js=off", "/search?q=no+index", "/search?since=x"]
)
def test_every_page_leaves_under_the_strict_headers(served: Served, path: str) -> None:
    headers = served.get(path).headers
    assert {name: headers[name] for name in HEADERS} == dict(HEADERS)
    assert "unsafe" not in headers["content-security-policy"]


def test_files_may_be_kept_for_good_under_the_address_that_carries_their_fingerprint(served: Served) -> None:
    page = read_html(served.get("/search", q="many").text)
    addresses = [element.attributes.get("src") for element in page.all("script")]
    addresses += [link.attributes["href"] for link in page.all("link")]
    assert len(addresses) == 5
    for address in addresses:
        assert address
        answer = served.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert served.get("/static/stipple.css").headers["cache-control"] == "no-cache"


def test_hostile_posts_stay_text_in_the_page_and_in_the_stream(served: Served) -> None:
    fragments = [data for name, data in streamed(served, "coffee") if name != "close"]
    for html in (served.get("/search", q="coffee", js="off").text, served.get("/search", q="coffee").text, *fragments):
        page = read_html(html)
        for element in page.elements:
            assert not [name for name in element.attributes if name.startswith("on")], element
            assert element.tag not in {"img", "iframe", "b"}, element
            assert element.tag != "script" or element.attributes["src"].startswith("/static/"), element
            assert "javascript:" not in element.attributes.get("href", ""), element
            assert element.attributes.get("hx-get", "/search").startswith("/search"), element
    assert HOSTILE[0].title in whole(served, "coffee").by_id("post-1-title").text


def test_a_forged_mark_is_no_link(served: Served) -> None:
    page = whole(served, "coffee")
    assert [mark.attributes["href"] for mark in page.all("a", "mark")] == ["#post-1", "#post-2"]
    assert "[7]" in page.by_id("sentences").text


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


def test_filters_that_were_typed_are_chips_that_take_them_out_again(served: Served) -> None:
    page = whole(served, "quiet cafe to study #studycafe from:mochi_walks")
    (chips,) = page.all("ul", "chips")
    assert "Tag studycafe" in " ".join(chips.text.split())
    assert "Author mochi_walks" in " ".join(chips.text.split())
    assert page.by_id("q").attributes["value"] == "quiet cafe to study #studycafe from:mochi_walks"
    assert served.finder.searched[-1].text == "quiet cafe to study"
    assert served.finder.searched[-1].filters.tags == ("studycafe",)
    assert served.finder.asked[-1].filters.authors == ("mochi_walks",)
    links = [link.attributes["href"] for link in page.all("a") if "%23studycafe" not in link.attributes.get("href", "")]
    assert any("from%3Amochi_walks" in link for link in links)


def test_a_mistake_in_the_query_is_explained_in_the_words_of_the_page(served: Served) -> None:
    for ui, words in (("en", "write a whole number, as in likes>100"), ("zh", "请写整数")):
        (notes,) = whole(served, "quiet likes>abc", ui=ui).all("ul", "notes")
        assert words in notes.text
    assert not whole(served, "quiet cafe to study").all("ul", "notes")


def test_filters_alone_list_posts_and_ask_for_no_answer(served: Served) -> None:
    asked_before = len(served.finder.asked)
    page = whole(served, "#studycafe")
    assert len(page.all("li", "card")) == 3
    assert not [one for one in page.elements if one.attributes.get("id") == "answer"]
    assert len(served.finder.asked) == asked_before
