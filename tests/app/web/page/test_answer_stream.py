"""The stream that brings an answer into its page."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.app.web.page.conftest import Served
from tests.app.web.page.page_of import stream_of, streamed, whole
from tests.app.web.page.read_html import read_html
from tests.app.web.test_sse import parsed


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
    assert replaced == [
        "post-1-title", "post-1-words", "post-1-way", "post-3-title", "post-3-words", "post-3-way",
    ]  # fmt: skip
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
        assert "".join(sentences.split()) == "".join(page.by_id("sentences").text.split())
        assert [kind.text for kind in page.all("p", "kind")] == [kind.text for kind in end.all("p", "kind")]
        assert page.all("p", "facts")[0].text == end.all("p", "facts")[0].text


@pytest.mark.parametrize("known", [True, False])
def test_an_answer_is_made_from_the_posts_that_the_page_shows(served: Served, known: bool) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    searched = len(served.services.searched)
    if not known:
        served.services.recent_searches.forget(["any"])
    status = parsed(served.get(stream_of(page)).text)[0][1]
    assert len(served.services.searched) - searched == (0 if known else 1), "one search a question"
    assert ("post-" in status) == (not known), "cards stay unless others were found"


def test_an_answer_that_had_to_search_again_replaces_the_cards_so_that_marks_fit(served: Served) -> None:
    page = read_html(served.get("/search", q="new generation").text)
    served.services.recent_searches.forget(["any"])
    events = parsed(served.get(stream_of(page)).text)
    status = read_html(events[0][1])
    assert status.by_id("posts").attributes["hx-swap-oob"] == "innerHTML"
    headings = [status.by_id(f"post-{number}-title").text for number in (1, 2)]
    assert [heading[:7] for heading in headings] == ["Ranking", "Upstair"]
    assert "My own kitchen" in read_html(events[1][1]).by_id("post-1-words").text


def test_a_search_serves_the_question_it_was_made_for_alone(served: Served) -> None:
    page = read_html(served.get("/search", q="quiet cafe to study").text)
    search = stream_of(page).rpartition("search=")[2]
    events = parsed(served.get("/answer/stream", q="scuba diving price", search=search).text)
    assert "post-1" in events[0][1]
    assert served.services.searched[-1].text == "scuba diving price"


def test_an_answer_from_more_posts_than_a_page_holds_shows_them_all_and_goes_on_after_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.services, "answer_hits", 15)
    for page in (whole(served, "many"), read_html(served.get("/search", q="many").text)):
        assert len(page.all("li", "card")) == 15
        (more,) = page.all("a", "more")
        assert "offset=15" in more.attributes["href"]
    events = streamed(served, "many")
    status = read_html(events[0][1])
    assert len(status.all("li", "card")) == 15
    assert "offset=15" in status.all("a", "more")[0].attributes["href"]


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
    closed = served.services.closed
    with httpx.stream("GET", served.url + "/answer/stream?q=slow", timeout=30) as answer:
        next(answer.iter_lines())
    give_up = time.monotonic() + 5
    while served.services.closed == closed:
        assert time.monotonic() < give_up, "the answer goes on though nobody listens"
        time.sleep(0.01)
