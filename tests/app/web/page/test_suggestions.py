"""The search box completing what is typed, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.app.web.page.conftest import Served

pytestmark = pytest.mark.browser


@pytest.fixture
def home(served: Served, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the empty page in contexts of their own; at the end, none may have complained on its console."""
    contexts, complaints = [], list[str]()

    def open_one(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**{"locale": "en-GB", "reduced_motion": "reduce", **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(served.url + path)
        if page.locator("[autofocus]").count():
            # The browser hands over the focus some time after the page has loaded; a key before that goes nowhere.
            expect(page.locator("[autofocus]")).to_be_focused()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Question or words to look for")


def options(page: Page) -> Locator:
    return page.locator("#suggestions").get_by_role("option")


def chosen(page: Page) -> Locator:
    return page.locator("#suggestions [aria-selected=true]")


def test_someone_completes_with_the_keyboard_alone(home: Callable[..., Page]) -> None:
    page = home()
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("sha")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    expect(options(page)).to_have_text(["shanghaitag"])
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_count(1)
    expect(box(page)).to_have_attribute("aria-activedescendant", "suggestion-0")
    expect(box(page)).to_have_value("sha")
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(chosen(page)).to_have_count(1)
    page.route("**/search?*", lambda route: route.fulfill(body="there"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=shanghai")


def test_escape_closes_the_list_and_leaves_what_was_typed(home: Callable[..., Page]) -> None:
    page = home()
    page.keyboard.type("qu")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(box(page)).to_have_value("qu")
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()


def test_enter_without_a_choice_asks_what_was_typed(home: Callable[..., Page]) -> None:
    page = home()
    page.keyboard.type("quiet cafe to study")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=quiet+cafe+to+study")


@pytest.mark.parametrize("touch", [False, True])
def test_a_click_or_a_tap_takes_a_suggestion_with_the_filters_that_are_set(
    home: Callable[..., Page], touch: bool
) -> None:  # fmt: skip
    page = home("/search?q=quiet+cafe+to+study&author=mochi_walks", has_touch=touch)
    expect(page.locator("#answer-end .facts")).to_be_visible()
    box(page).fill("studyc")
    expect(options(page)).to_have_text(["studycafetag"])
    page.route("**/search?*", lambda route: route.fulfill(body="there"))
    (options(page).first.tap if touch else options(page).first.click)()
    page.wait_for_url("**/search?q=studycafe&author=mochi_walks**")


def test_a_click_elsewhere_closes_the_list(home: Callable[..., Page]) -> None:
    page = home()
    page.keyboard.type("qu")
    expect(options(page).first).to_be_visible()
    page.locator(".tagline").click()
    expect(page.locator("#suggestions")).to_be_hidden()


def test_chinese_is_completed_once_it_is_composed_and_not_before(served: Served, home: Callable[..., Page]) -> None:
    page = home(locale="zh-CN")
    typed = len(served.services.typed)
    session = page.context.new_cdp_session(page)
    for pinyin in ("d", "da", "dal", "dali"):
        session.send("Input.imeSetComposition", {"text": pinyin, "selectionStart": len(pinyin), "selectionEnd": 4})
    page.wait_for_timeout(300)
    assert served.services.typed[typed:] == []
    expect(page.locator("#suggestions")).to_be_hidden()
    session.send("Input.insertText", {"text": "大理"})
    expect(options(page).first).to_have_text("大理咖啡标签")
    assert served.services.typed[typed:] == ["大理"]


def test_of_keys_in_quick_succession_only_the_last_is_asked_about(served: Served, home: Callable[..., Page]) -> None:
    page = home()
    typed = len(served.services.typed)
    # All keys in one turn of the browser's loop: however busy the machine is, no time passes between them.
    box(page).evaluate(
        "(box, texts) => { for (box.value of texts) box.dispatchEvent(new Event('input')); }",
        ["s", "sh", "sha", "s", "st", "stu"],
    )
    expect(options(page).first).to_have_text("studycafetag")
    assert served.services.typed[typed:] == ["stu"]
    box(page).fill("")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_an_answer_about_what_is_no_more_in_the_box_is_not_waited_for(home: Callable[..., Page]) -> None:
    page = home()
    held: list[Route] = []
    page.route("**/api/suggest?q=sha", lambda route: held.append(route))  # noqa: PLW0108  # Playwright cannot wrap a built-in
    with page.expect_event("requestfailed") as failed:
        with page.expect_request("**/api/suggest?q=sha"):
            box(page).fill("sha")
        box(page).fill("stu")
    assert failed.value.url.endswith("?q=sha")
    expect(options(page).first).to_have_text("studycafetag")


def test_the_words_of_a_hostile_post_are_shown_and_never_run(served: Served, home: Callable[..., Page]) -> None:
    page = home()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url.removeprefix(served.url).split("?")[0]))
    box(page).fill("script")
    expect(options(page).first).to_contain_text("<script>document.title=")
    box(page).fill("b>ta")
    expect(options(page).first).to_have_text("<b>tag</b>tag")
    assert page.locator("#suggestions bdi *").count() == 0
    assert page.title() == "Stipple"
    assert set(fetched) <= {"/api/suggest", "/static/favicon.svg"}


def test_a_failing_server_leaves_the_box_as_it_is(served: Served, chromium: Browser) -> None:
    page = chromium.new_page()  # not by home: the browser complains of the failure, as it should
    page.goto(served.url)
    failures: list[Callable[[Route], None]] = [lambda route: route.fulfill(status=500), lambda route: route.abort()]
    for number, failure in enumerate(failures):
        page.route("**/api/suggest?*", failure)
        page.locator("#q").fill(f"quiet {number}")
        page.wait_for_timeout(200)
        expect(page.locator("#suggestions")).to_be_hidden()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_list_lies_over_the_page_within_its_width(home: Callable[..., Page], scheme: str) -> None:
    page = home(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    box(page).fill("p")
    expect(options(page)).to_have_count(8)
    page.keyboard.press("ArrowDown")
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0
    rect = options(page).first.bounding_box()
    assert rect is not None
    assert rect["height"] >= 44, "a thumb finds it"


def test_without_javascript_the_box_is_a_plain_one(home: Callable[..., Page]) -> None:
    page = home(java_script_enabled=False)
    expect(page.get_by_role("searchbox")).to_be_visible()
    assert page.locator("[role=combobox], [role=listbox]").count() == 0
