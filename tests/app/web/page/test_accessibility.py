"""axe-core finds nothing on any page, on screens of all sizes, in the light and in the dark, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.app.web.page.conftest import Served
from tests.app.web.page.test_browser import finished

pytestmark = pytest.mark.browser

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS: list[tuple[int, Literal["light", "dark"]]] = [
    (320, "light"), (320, "dark"), (390, "light"), (1440, "light"), (1440, "dark"), (1920, "light"),
]  # fmt: skip
PAGES = {
    "empty": "/",
    "answered": "/search?q=quiet cafe to study",
    "quoted": "/search?q=大理 咖啡馆",
    "declined": "/search?q=scuba diving price",
    "other order": "/search?q=many&sort=newest",
    "hostile": "/search?q=coffee",
    "post": "/post/post-1?q=quiet cafe to study&quote=text-0-30",
    "refused": "/search?q=no index",
}


def violations(page: Page) -> list[str]:
    found: dict[str, Any] = Axe().run(page, options={"runOnly": LEVELS, "resultTypes": ["violations"]}).response
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(served: Served, open_page: Callable[..., Page], name: str, locale: str) -> None:
    page = open_page(locale=locale)
    page.goto(served.url + PAGES[name])
    if name in {"answered", "quoted", "declined", "hostile"}:
        finished(page)
    for width, scheme in SCREENS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], (width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens_over_a_page(
    served: Served, open_page: Callable[..., Page], scheme: str
) -> None:
    page = open_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page.goto(served.url + PAGES["answered"])
    finished(page)
    page.locator("a.mark").first.hover()
    expect(page.locator(".source:popover-open")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#post-1 h3 a").click()
    expect(page.locator("#panel .post")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#answer").focus()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert violations(page) == []
