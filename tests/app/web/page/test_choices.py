"""How the posts are to be seen: orders, tags and folds, in the page's links."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from app.web.page.page_request import PageRequest
from app.web.page.views.cards import card
from app.web.page.words.labels import EN, ZH
from retrieval.types import Filters, Sort
from tests.app.web.page.conftest import Served
from tests.app.web.page.invented_posts import a_hit, a_post
from tests.app.web.page.read_html import read_html


@given(st.sampled_from(["relevance", "newest", "most_liked"]), st.booleans(), st.integers(0, 1000))
def test_what_is_chosen_stands_in_the_address_and_nothing_else_does(sort: Sort, fold: bool, offset: int) -> None:
    asked = PageRequest(text="cafe", sort=sort, fold=fold, offset=offset)
    assert PageRequest.read(asked.parameters()) == asked
    assert PageRequest(text="cafe").parameters() == [("q", "cafe")]
    query = asked.query("cafe", Filters(), 6)
    assert (query.sort, query.fold, query.offset) == (sort, fold, offset)
    assert query.answer_hits == (6 if sort == "relevance" and fold else 0)


def test_another_order_begins_at_the_first_page() -> None:
    asked = PageRequest(text="cafe", offset=20, fold=False)
    assert asked.sorted_by("newest") == "/search?q=cafe&sort=newest&fold=0"
    assert asked.folding(True) == "/search?q=cafe"


def test_a_card_says_how_many_copies_it_stands_for() -> None:
    hit = replace(a_hit(a_post()), similar_ids=("b", "c", "d"))
    asked = PageRequest(text="cafe", offset=10)
    for labels, words in ((EN, "3 similar posts"), (ZH, "3 篇相似的帖子")):
        similar = card(1, hit, (), asked, labels, "en").similar
        assert similar is not None
        assert (similar.text, similar.address) == (words, "/search?q=cafe&fold=0")
    assert card(1, a_hit(a_post()), (), asked, EN, "en").similar is None


def test_the_best_order_has_an_answer_and_no_other_has(served: Served) -> None:
    assert read_html(served.get("/search", q="quiet cafe to study").text).by_id("answer")
    for parameters in ({"sort": "newest"}, {"fold": "0"}):
        assert 'id="answer"' not in served.get("/search", q="quiet cafe to study", **parameters).text


def test_tags_that_several_posts_have_are_offered_escaped(served: Served) -> None:
    html = served.get("/search", q="long tags").text
    assert "<b>" not in html
    assert "#<bdi>&lt;b&gt;</bdi>" in html
    assert 'class="chips tags"' not in served.get("/search", q="quiet cafe to study").text


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390])
def test_nothing_sticks_out_of_a_phone(served: Served, chromium: Browser, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{served.url}/search?q=long+tags&sort=newest&fold=0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [page.locator(".chips.tags a").nth(at).bounding_box() for at in range(3)]
    assert all(box is not None and box["x"] + box["width"] <= width for box in boxes)
    page.close()
