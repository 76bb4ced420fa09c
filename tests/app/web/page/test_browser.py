from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.recent_searches import RecentSearches
from tests.app.web.page.conftest import Served

pytestmark = pytest.mark.browser


def finished(page: Page) -> None:
    """Wait for the end of the answer."""
    expect(page.locator("#answer-end .facts, #sentences .declined").first).to_be_visible()


def in_view(page: Page, selector: str) -> bool:
    shown: bool = page.locator(selector).first.evaluate(
        "e => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight && r.width > 0 }"
    )
    return shown


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_someone_asks_and_follows_a_mark_to_the_quote_in_its_post(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1000, "height": 420})
    page.goto(served.url)
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("quiet cafe to study")
    page.keyboard.press("Enter")
    finished(page)
    expect(page.locator(".sentence")).to_have_count(2)
    expect(page.locator("#answer-status")).to_have_text("Written by smollm2; each sentence checked")
    expect(page.locator("#stop")).to_be_hidden()
    assert not in_view(page, "#post-3 mark.quote")
    page.get_by_role("link", name="citation 3: exam_goblin").click()
    quote = page.locator("#post-3 mark.quote")
    expect(quote).to_have_text("Quiet, cold, cheap.")
    expect(quote).to_be_in_viewport(ratio=1)
    expect(page.locator("#post-3")).to_be_focused()
    assert page.url.endswith("#post-3")


def test_sentences_arrive_one_by_one_and_what_is_targeted_stays_so(
    served: Served, open_page: Callable[..., Page]
) -> None:  # fmt: skip
    page = open_page()
    page.goto(served.url + "/search?q=slow", wait_until="commit")
    expect(page.locator("#answer-status")).to_contain_text("reading 3 posts…")
    expect(page.locator(".sentence")).to_have_count(1)
    assert page.locator("#answer-end").inner_text() == ""
    page.locator("a.mark").first.click()
    expect(page.locator(".sentence")).to_have_count(2)
    finished(page)
    expect(page.locator("#post-1 mark.quote")).to_be_visible()
    assert page.locator("#post-1").evaluate("e => e.matches(':target')")


def test_a_quoted_and_a_declined_answer_take_their_own_form(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(locale="zh-CN")
    page.goto(served.url + "/search?q=大理 咖啡馆")
    finished(page)
    expect(page.locator(".basis .kind")).to_have_text("摘自帖子原文，一字未改")
    expect(page.locator("blockquote")).to_have_count(3)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.goto(served.url + "/search?q=scuba diving price")
    finished(page)
    expect(page.locator("#sentences")).to_contain_text("这些帖子没有提到。")
    expect(page.locator("#posts-heading")).to_have_text("最接近的帖子")


def test_without_javascript_the_whole_answer_comes_by_itself(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(served.url)
    page.locator("#q").fill("quiet cafe to study")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**js=off**")
    assert page.locator("a.mark").all_inner_texts() == ["[1]", "[3]", "[1]"]
    page.locator("a.mark").nth(1).click()
    expect(page.locator("#post-3 mark.quote")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Search").click()
    assert "js=off" in page.url, "the next question goes the short way"


@pytest.mark.parametrize("question", ["quiet cafe to study", "大理 咖啡馆", "coffee", "no index", ""])
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_never_scrolls_sideways(
    served: Served, open_page: Callable[..., Page], question: str, width: int
) -> None:  # fmt: skip
    page = open_page(viewport={"width": width, "height": 844})
    page.goto(served.url + f"/search?q={question}")
    if question in ("quiet cafe to study", "大理 咖啡馆", "coffee"):
        finished(page)
        page.locator("details.filters summary").click()
    assert sideways(page) == 0


def test_hostile_posts_run_nothing_and_load_nothing(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(served.url + "/search?q=coffee")
    finished(page)
    page.locator("#post-1 a.open").first.click()
    expect(page.locator("#panel .post")).to_be_visible()
    assert page.title() == "coffee · Stipple"
    assert {address.removeprefix(served.url).split("?")[0] for address in fetched} <= {
        "/search", "/answer/stream", "/post/post-21", "/static/favicon.svg", "/static/stipple.css",
        "/static/stipple.js", "/static/results.css", "/static/results.js", "/static/vendor/htmx.min.js",
        "/static/vendor/sse.js",
    }  # fmt: skip
    # What an override turns around stays in its own field: the marks after the sentence still read from left to right.
    boxes = [mark.bounding_box() for mark in page.locator("a.mark").all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] < boxes[1]["x"]


def test_more_posts_are_added_to_those_that_are_there(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(served.url + "/search?q=many")
    finished(page)
    page.get_by_role("link", name="More posts").click()
    expect(page.locator("li.card")).to_have_count(20)
    page.get_by_role("link", name="More posts").click()
    expect(page.locator("li.card")).to_have_count(25)
    expect(page.get_by_role("link", name="More posts")).to_have_count(0)
    assert page.locator("li.card").evaluate_all("cards => new Set(cards.map(card => card.id)).size") == 25


def test_an_answer_that_had_to_search_again_shows_what_it_found(
    served: Served, open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.services, "recent_searches", RecentSearches(seconds=0))
    page = open_page()
    page.goto(served.url + "/search?q=new generation")
    finished(page)
    expect(page.locator("li.card")).to_have_count(2)
    page.locator("a.mark").click()
    expect(page.locator("#post-1 mark.quote")).to_have_text("My own kitchen at 5 am")


def test_a_problem_leaves_the_posts_and_offers_to_ask_again(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(served.url + "/search?q=breaks")
    expect(page.locator("#answer .problem").first).to_contain_text("the store went away")
    expect(page.locator("li.card")).to_have_count(3)
    expect(page.locator("#lost")).to_be_hidden()


def test_a_lost_connection_is_told_and_does_not_ask_the_question_again(served: Served, chromium: Browser) -> None:
    page = chromium.new_page()  # not by open_page: the browser complains of the lost connection, as it should
    asked = len(served.services.asked)
    page.goto(served.url + "/search?q=drops")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("li.card")).to_have_count(3)
    page.wait_for_timeout(4000)  # a browser's own reconnection comes after 3 s
    assert len(served.services.asked) == asked + 1
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("question", ["quiet cafe to study", "no index"])
def test_words_can_be_told_from_what_they_stand_on(
    served: Served, open_page: Callable[..., Page], scheme: str, question: str
) -> None:
    page = open_page(color_scheme=scheme)
    page.goto(served.url + f"/search?q={question}#post-1")
    expect(page.locator("#answer-end .facts, h1.problem").first).to_be_visible()
    least: list[Any] = page.evaluate(CONTRAST)
    assert least[0] >= 4.5, least


# WCAG 2.2, 1.4.3: the ratio of each text's colour to the nearest painted background behind it.
CONTRAST = """() => {
  const light = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).slice(0, 3).map((v) => {
      const c = v / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const css = getComputedStyle(e).backgroundColor;
      if (css !== 'rgba(0, 0, 0, 0)' && css !== 'transparent') return css;
    }
    return 'rgb(255, 255, 255)';
  };
  let worst = [21, ''];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const e = text.parentElement;
    if (!text.data.trim() || !e.checkVisibility()) continue;
    const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 120)];
  }
  return worst;
}"""
