"""Conversations on the page, as it is sent: whole without JavaScript, and the same with it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.app.web.page.conftest import Served
from tests.app.web.page.read_html import Html, read_html

HERON = "How much is a flat white at Night Heron?"


def page(served: Served, question: str, **parameters: str) -> Html:
    return read_html(served.get("/search", q=question, js="off", **parameters).text)


def conversation_of(shown: Html) -> str:
    return next(one.attributes["value"] for one in shown.all("input") if one.attributes.get("name") == "c")


def post(served: Served, path: str, **fields: str) -> httpx.Response:
    return httpx.post(served.url + path, data=fields, headers={"Accept-Language": "en"}, timeout=30)


def answer_id(shown: Html) -> str:
    return next(one.attributes["value"] for one in shown.all("input") if one.attributes.get("name") == "answer_id")


def test_a_follow_up_says_how_it_was_understood_and_stands_under_the_turns_before_it(served: Served) -> None:
    first = page(served, HERON)
    second = page(served, "when does it open?", c=conversation_of(first), t="2")
    assert second.by_id("understood").text.strip() == "Understood as:when does Night Heron open?"
    assert HERON in second.by_id("turn-1").text
    assert "A flat white is 28 yuan" in second.by_id("turn-1").text
    assert second.by_id("turn-1-post-1").text.strip().startswith("1")
    assert second.by_id("answer-heading").text.strip() == "when does it open?"
    assert "You can sit from 9." in second.by_id("sentences").text


def test_an_answer_that_is_kept_is_shown_again_and_not_asked_again(served: Served) -> None:
    first = page(served, HERON)
    asked = len(served.services.asked)
    again = page(served, HERON, c=conversation_of(first), t="1")
    scripted = read_html(served.get("/search", q=HERON, c=conversation_of(first), t="1").text)
    assert len(served.services.asked) == asked
    for shown in (again, scripted):
        assert "A flat white is 28 yuan" in shown.by_id("sentences").text
        assert shown.all("mark", "quote")


def test_questions_to_go_on_with_are_links_into_the_conversation(served: Served) -> None:
    first = page(served, "quiet cafe to study")
    links = [one.attributes["href"] for one in first.all("a") if "Night+Heron" in one.attributes.get("href", "")]
    assert links
    wanted = parse_qs(urlsplit(links[0]).query)
    assert (wanted["c"], wanted["t"], wanted["js"]) == ([conversation_of(first)], ["2"], ["off"])


@pytest.mark.parametrize("conversation", ["x", "a" * 22, "../../etc", "<script>", "' OR 1=1 --", "c" * 5000])
def test_an_unknown_conversation_costs_its_context_and_no_answer(served: Served, conversation: str) -> None:
    for scripted in ({}, {"js": "off"}):
        shown = read_html(served.get("/search", q=HERON, c=conversation, t="3", **scripted).text)
        assert "That conversation is gone" in shown.all("ul", "notes")[0].text
        assert shown.all("li", "card")


def test_a_full_conversation_is_told_and_the_question_begins_a_new_one(served: Served) -> None:
    conversation = conversation_of(page(served, HERON))
    for turn in range(2, 7):
        page(served, HERON, c=conversation, t=str(turn))
    shown = page(served, "when does it open?", c=conversation, t="7")
    assert "This conversation is full." in shown.all("ul", "notes")[0].text
    assert "You can sit from 9." in shown.by_id("sentences").text
    assert conversation_of(shown) != conversation


def test_feedback_is_a_plain_form_and_the_page_says_what_was_said(served: Served) -> None:
    first = page(served, HERON)
    fields = {"answer_id": answer_id(first), "back": f"/search?q=x&c={conversation_of(first)}&t=1"}
    sent = post(served, "/feedback", verdict="down", reason="outdated", words="32 now", **fields)
    assert sent.status_code == 303
    assert sent.headers["location"] == fields["back"] + "#answer-end"
    assert "You found this not helpful." in page(served, HERON, c=conversation_of(first), t="1").by_id("feedback").text
    post(served, "/feedback", verdict="up", **fields)
    assert "You found this helpful." in page(served, HERON, c=conversation_of(first), t="1").by_id("feedback").text


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/search?q=\r\nSet-Cookie: a", "javascript:x"]
)
def test_feedback_sends_nobody_elsewhere(served: Served, back: str) -> None:
    sent = post(served, "/feedback", verdict="up", answer_id=answer_id(page(served, HERON)), back=back)
    assert sent.headers["location"] == "/#answer-end"


def test_feedback_for_an_unknown_answer_or_without_a_verdict_is_refused_in_words(served: Served) -> None:
    gone = post(served, "/feedback", verdict="up", answer_id="a" * 22)
    assert gone.status_code == 404
    assert "no longer saved" in gone.text
    assert post(served, "/feedback", verdict="sideways", answer_id="a" * 22).status_code == 400
    assert post(served, "/feedback", words="x" * 50_000).status_code == 400


def test_words_that_are_too_long_are_cut_and_an_unknown_reason_is_another(served: Served) -> None:
    shown = page(served, HERON)
    sent = post(served, "/feedback", verdict="down", reason="<b>", words="好" * 2000, answer_id=answer_id(shown))
    assert sent.status_code == 303


def test_a_conversation_can_be_deleted_and_then_is_gone(served: Served) -> None:
    conversation = conversation_of(page(served, HERON))
    for _ in range(2):
        sent = post(served, "/conversations/delete", c=conversation)
        assert (sent.status_code, sent.headers["location"]) == (303, "/?deleted=1")
    assert "deleted" in served.get("/", deleted="1").text
    assert "gone" in served.get("/search", q=HERON, c=conversation, t="1").text


def test_a_forgotten_posts_words_are_withdrawn_from_the_turns_above_and_from_the_answer_itself(served: Served) -> None:
    first = page(served, HERON)
    served.services.gone.add("post-1")
    try:
        again = page(served, HERON, c=conversation_of(first), t="1")
        later = page(served, "大理 咖啡馆", c=conversation_of(first), t="2")
    finally:
        served.services.gone.clear()
    assert "28 yuan" not in again.by_id("sentences").text
    assert "1 sentence was withdrawn" in again.by_id("answer-end").text
    assert "28 yuan" not in later.by_id("turn-1").text


def test_what_a_model_thought_is_shown_closed_and_only_to_who_asks(served: Served) -> None:
    asked = page(served, "a thoughtful question", think="1")
    thoughts = asked.all("details", "thoughts")
    assert len(thoughts) == 1
    assert "open" not in thoughts[0].attributes
    assert "<b>hm</b>" in thoughts[0].text
    assert not page(served, "a thoughtful question").all("details", "thoughts")
