"""Where things are on screens of all sizes, and that they stay there while an answer comes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.app.web.page.conftest import Served
from tests.app.web.page.test_browser import finished, sideways

pytestmark = pytest.mark.browser

# Cumulative layout shift, summed over the whole visit: never less than the metric, which takes the worst five seconds.
WATCH_SHIFTS = """
window.shifts = [];
const note = (list) => {
  for (const shift of list) if (!shift.hadRecentInput) {
    const moved = shift.sources.map((one) => one.node?.id || one.node?.className || one.node?.nodeName || '');
    window.shifts.push([shift.value, moved.join(' ')]);
  }
};
window.watching = new PerformanceObserver((list) => note(list.getEntries()));
window.watching.observe({ type: 'layout-shift', buffered: true });
window.allShifts = () => { note(window.watching.takeRecords()); return window.shifts; };
"""


@pytest.mark.parametrize("question", ["a long answer", "大理 咖啡馆", "scuba diving price"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (1440, 900), (1920, 1080)])
def test_nothing_jumps_while_an_answer_comes(
    served: Served, open_page: Callable[..., Page], width: int, height: int, question: str
) -> None:
    page = open_page(viewport={"width": width, "height": height}, reduced_motion="no-preference")
    page.add_init_script(WATCH_SHIFTS)
    page.goto(served.url + f"/search?q={question}")
    finished(page)
    expect(page.locator("#stop")).to_be_hidden()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shifts: list[Any] = page.evaluate("allShifts()")
    assert sum(value for value, _ in shifts) <= 0.05, shifts


@pytest.mark.parametrize("width", [1100, 1440, 1920])
def test_a_wide_screen_has_the_answer_on_the_left_and_the_posts_on_the_right(
    served: Served, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    page.goto(served.url + "/search?q=a long answer")
    finished(page)
    answer, posts = page.locator("#answer").bounding_box(), page.locator("#posts").bounding_box()
    assert answer is not None
    assert posts is not None
    assert answer["x"] + answer["width"] <= posts["x"]
    assert posts["x"] + posts["width"] >= width - 60, "the width is used"
    assert sideways(page) == 0
    page.mouse.wheel(0, 600)
    expect(page.locator("#answer-heading")).to_be_in_viewport()


def test_cards_stand_in_columns_without_gaps_in_their_order(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(served.url + "/search?q=a long answer")
    finished(page)
    boxes: list[Any] = page.locator("li.card").evaluate_all(
        "cards => cards.map((card) => { const r = card.getBoundingClientRect(); return [r.left, r.top, r.bottom]; })"
    )
    columns: dict[float, list[Any]] = {}
    for left, top, bottom in boxes:
        columns.setdefault(left, []).append((top, bottom))
    assert len(columns) == 3
    for cards in columns.values():
        gaps = [after[0] - before[1] for before, after in itertools.pairwise(cards)]
        assert all(8 <= gap <= 24 for gap in gaps), gaps
    assert [top for _, top, _ in boxes] == sorted(top for _, top, _ in boxes), "no card stands over one before it"


def test_a_phone_shows_the_answer_then_its_sources_then_the_posts(
    served: Served, open_page: Callable[..., Page]
) -> None:  # fmt: skip
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(served.url + "/search?q=quiet cafe to study")
    finished(page)
    tops = [
        page.locator(one).evaluate("e => e.getBoundingClientRect().top") for one in ("#sentences", "#sources", "#posts")
    ]
    assert tops == sorted(tops)
    expect(page.locator("#sources li")).to_have_count(3)
    expect(page.locator("#sources li").first).to_contain_text("mochi_walks")


def test_without_javascript_the_posts_are_all_there(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False, viewport={"width": 1440, "height": 900}, reduced_motion="no-preference")
    page.goto(served.url + "/search?q=a long answer&js=off")
    for card in page.locator("li.card").all():
        expect(card).to_be_visible()
