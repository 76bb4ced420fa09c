"""Why one may believe an answer: marks that open their source, lead to the quote and back; posts in a panel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.app.web.page.conftest import Served
from tests.app.web.page.test_browser import finished

pytestmark = pytest.mark.browser
CAFE = "/search?q=quiet cafe to study"


def test_hovering_over_a_mark_opens_its_source_which_can_be_hovered_and_dismissed(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(served.url + CAFE)
    finished(page)
    page.locator("a.mark").nth(2).hover()
    source = page.locator(".source:popover-open")
    expect(source).to_contain_text("@mochi_walks")
    expect(source).to_contain_text("18 Nov 2025")
    expect(source).to_contain_text("1,822 likes")
    expect(source).to_contain_text("in a comment by @lena_reads")
    expect(source.locator("mark.quote")).to_have_text("there is a two hour limit at weekends now.")
    expect(source.locator(".context")).to_contain_text("Went on a Sunday:")
    source.hover()
    expect(source).to_be_visible()
    page.keyboard.press("Escape")
    expect(source).to_have_count(0)


def test_a_mark_is_large_enough_for_a_finger(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 320, "height": 640})
    page.goto(served.url + CAFE)
    finished(page)
    for mark in page.locator("a.mark").all():
        box = mark.bounding_box()
        assert box is not None
        assert box["width"] >= 24
        assert box["height"] >= 24


def test_the_keyboard_opens_a_source_goes_to_its_quote_and_comes_back(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 390, "height": 500})
    page.goto(served.url + CAFE)
    finished(page)
    page.locator("#answer").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a.mark')"):
            break
    expect(page.locator(".source:popover-open")).to_contain_text("eleven single desks")
    page.keyboard.press("Enter")
    expect(page.locator("#post-1")).to_be_focused()
    expect(page.locator("#post-1 mark.quote").first).to_be_in_viewport()
    page.locator("#return").click()
    expect(page.locator("a.mark").first).to_be_focused()
    expect(page.locator("a.mark").first).to_be_in_viewport()
    expect(page.locator("#return")).to_be_hidden()


def test_a_finger_opens_the_source_first_and_goes_on_from_there(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(served.url + CAFE)
    finished(page)
    page.locator("a.mark").nth(1).tap()
    source = page.locator(".source:popover-open")
    expect(source).to_contain_text("Quiet, cold, cheap.")
    assert "#post-3" not in page.url
    source.get_by_role("link", name="Show among the posts").tap()
    expect(page.locator("#post-3 mark.quote")).to_be_in_viewport()
    expect(source).to_have_count(0)


def test_a_sentence_that_rests_on_two_posts_says_so_and_one_that_was_kept_back_is_explained(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(served.url + CAFE)
    finished(page)
    expect(page.locator(".agreeing")).to_have_text(["2 posts"])
    page.locator("details.withheld summary").click()
    expect(page.locator("details.withheld li")).to_have_text(["no post says it"])


def test_a_post_opens_in_a_panel_and_closing_it_leaves_everything_as_it_was(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(served.url + CAFE)
    finished(page)
    address = page.url
    page.locator("#post-1 h3 a").click()
    panel = page.get_by_role("dialog", name="Whole post")
    expect(panel.get_by_role("heading", level=1)).to_have_text("Upstairs at Night Heron, exam week edition")
    expect(panel).to_contain_text("is there parking for bikes?")
    expect(panel.locator("mark.quote").first).to_have_text("eleven single desks, a socket at each, and nobody talks.")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.url == address
    expect(page.locator("#sentences")).to_contain_text("two hours")


def test_a_phone_goes_to_the_posts_own_page_and_back_to_the_same_answer(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(served.url + CAFE)
    finished(page)
    page.wait_for_url("**t=1*")
    asked = len(served.services.asked)
    page.locator("#post-1 h3 a").click()
    page.wait_for_url("**/post/post-1*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Upstairs at Night Heron, exam week edition")
    page.go_back()
    expect(page.locator("#sentences")).to_contain_text("two hours")
    assert len(served.services.asked) == asked


def test_a_tag_narrows_the_posts_and_leaves_the_answer_and_a_mark_widens_them_again(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(served.url + CAFE)
    finished(page)
    asked = len(served.services.asked)
    page.locator("#post-1 a.tag").first.click()
    expect(page.get_by_role("heading", name="Posts with #studycafe")).to_be_focused()
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator("#narrowed li.card").first).to_be_visible()
    expect(page.locator("#sentences")).to_contain_text("two hours")
    page.locator("a.mark").nth(1).click()
    expect(page.locator("#post-3 mark.quote")).to_be_in_viewport()
    expect(page.locator("#narrowed")).to_be_empty()
    assert len(served.services.asked) == asked


def test_an_answer_can_be_stopped_and_what_came_stays(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    closed = served.services.closed
    page.goto(served.url + "/search?q=never ends", wait_until="commit")
    expect(page.locator(".sentence").first).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#stopped")).to_contain_text("Stopped.")
    expect(page.locator("#stop")).to_be_hidden()
    count = page.locator(".sentence").count()
    page.wait_for_function("() => true")
    for _ in range(200):
        if served.services.closed > closed:
            break
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    assert served.services.closed > closed, "the writer goes on for nobody"
    expect(page.locator(".sentence")).to_have_count(count)


def test_an_answer_is_copied_as_markdown_with_its_sources(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(served.url + CAFE)
    finished(page)
    page.get_by_text("Copy as Markdown").click()
    expect(page.locator(".markdown summary")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "nobody talks there. [1][3]" in copied
    assert (
        "- [3] [Ranking every quiet corner I studied in this year](https://posts.example/p/3) · @exam\\_goblin"
        in copied
    )
    expect(page.locator(".markdown textarea")).to_be_hidden()


def test_the_posts_can_be_walked_and_opened_by_single_keys_which_can_be_switched_off(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(served.url + CAFE)
    finished(page)
    page.locator("#answer").focus()
    page.keyboard.press("j")
    expect(page.locator("#post-1")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#post-3")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .post")).to_contain_text("Live jazz every evening")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("j?")
    expect(page.locator("#q")).to_have_value("j?")
    page.locator("#answer").focus()
    page.keyboard.press("?")
    help_sheet = page.get_by_role("dialog", name="Help")
    expect(help_sheet).to_contain_text("with exactly these words")
    help_sheet.get_by_label("Single keys do this").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#sentences")).to_contain_text("two hours")
    page.locator("#answer").focus()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("#answer")).to_be_focused()
    expect(help_sheet).to_be_hidden()
