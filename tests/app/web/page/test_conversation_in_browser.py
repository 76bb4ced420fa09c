"""Conversations in a real browser: with the keyboard, on a phone, in both languages, in the dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.app.web.page.conftest import Served
from tests.app.web.page.test_browser import CONTRAST, sideways

pytestmark = pytest.mark.browser
HERON = "How much is a flat white at Night Heron?"


def test_someone_goes_on_asking_says_that_it_helped_and_comes_back_to_the_same_answer(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1000, "height": 700})
    page.goto(served.url + f"/search?q={HERON}")
    expect(page.locator("#next")).to_be_visible()
    page.wait_for_url("**t=1*")
    page.locator("#next").focus()
    page.keyboard.type("when does it open?")
    page.keyboard.press("Enter")
    expect(page.locator("#understood")).to_contain_text("when does Night Heron open?")
    expect(page.locator("#next")).to_be_visible()
    expect(page.locator("#answer")).to_be_in_viewport()
    expect(page.locator("#turn-1 .asked")).to_have_text(HERON)
    page.get_by_role("button", name="This helped").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_have_text("You found this helpful.")
    asked = len(served.services.asked)
    page.reload()
    expect(page.locator("#sentences")).to_contain_text("You can sit from 9.")
    expect(page.locator("#feedback .said")).to_have_text("You found this helpful.")
    assert len(served.services.asked) == asked


def test_why_an_answer_was_no_help_is_asked_for_and_sent_with_the_keyboard(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(served.url + f"/search?q={HERON}")
    page.locator("details.why summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("It is out of date").check()
    page.get_by_label("Anything else").fill("it is 32 now")
    page.get_by_role("button", name="Send").press("Enter")
    expect(page.locator("#feedback")).to_have_text("You found this not helpful.")


def test_a_suggested_question_is_asked_within_the_conversation(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(served.url + "/search?q=quiet cafe to study")
    page.locator("#followups a").first.click()
    expect(page.locator("#turn-1 .asked")).to_have_text("quiet cafe to study")
    expect(page.locator("#sentences")).to_contain_text("Night Heron")


def test_a_mark_of_an_earlier_turn_leads_to_its_own_post(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(served.url + f"/search?q={HERON}")
    page.locator("#next").fill("when does it open?")
    page.locator("#next").press("Enter")
    page.locator("#turn-1 a.mark").first.click()
    assert page.url.endswith("#turn-1-post-1")
    expect(page.locator("#turn-1-post-1")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "locale"), [(320, "zh-CN"), (390, "en-GB")])
def test_a_conversation_fits_a_phone_and_can_be_read_there(
    served: Served, open_page: Callable[..., Page], width: int, locale: str, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 844}, locale=locale, color_scheme=scheme)
    page.goto(served.url + f"/search?q={HERON}")
    page.locator("#next").fill("when does it open?")
    page.locator("#next").press("Enter")
    expect(page.locator("#understood")).to_contain_text("Night Heron")
    page.locator("details.why summary").click()
    assert sideways(page) == 0
    least: list[Any] = page.evaluate(CONTRAST)
    assert least[0] >= 4.5, least


def test_without_javascript_a_conversation_is_whole(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(served.url + f"/search?q={HERON}&js=off")
    page.locator("#next").fill("when does it open?")
    page.locator("#next").press("Enter")
    expect(page.locator("#sentences")).to_contain_text("You can sit from 9.")
    page.get_by_role("button", name="This helped").click()
    expect(page.locator("#feedback .said")).to_have_text("You found this helpful.")
    assert "js=off" in page.url
    page.get_by_role("button", name="Delete this conversation").click()
    expect(page.get_by_role("status")).to_have_text("The conversation is deleted.")
