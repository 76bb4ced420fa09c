"""Filters in a page: typed or chosen, shown as chips, taken back one by one."""

from __future__ import annotations

from tests.app.web.page.conftest import Served
from tests.app.web.page.page_of import whole


def test_filters_reach_search_and_answer_and_can_be_taken_back_one_by_one(served: Served) -> None:
    parameters = {"author": "mochi", "since": "2025-01-01", "min_likes": "10"}
    page = whole(served, "bikes", **parameters)
    filters = served.services.asked[-1].filters
    assert (filters.authors, filters.min_likes) == (("mochi",), 10)
    assert served.services.searched[-1].filters == filters
    chips = [link for link in page.all("a") if link.attributes.get("aria-label", "").startswith("Remove the filter")]
    assert len(chips) == 3
    assert "author" not in chips[0].attributes["href"]
    assert "min_likes=10" in chips[0].attributes["href"]


def test_filters_that_were_typed_are_chips_that_take_them_out_again(served: Served) -> None:
    page = whole(served, "quiet cafe to study #studycafe from:mochi_walks")
    (chips,) = page.all("ul", "chips")
    assert "Tag studycafe" in " ".join(chips.text.split())
    assert "Author mochi_walks" in " ".join(chips.text.split())
    assert page.by_id("q").attributes["value"] == "quiet cafe to study #studycafe from:mochi_walks"
    assert served.services.searched[-1].text == "quiet cafe to study"
    assert served.services.searched[-1].filters.tags == ("studycafe",)
    assert served.services.asked[-1].filters.authors == ("mochi_walks",)
    links = [link.attributes["href"] for link in page.all("a") if "%23studycafe" not in link.attributes.get("href", "")]
    assert any("from%3Amochi_walks" in link for link in links)


def test_a_mistake_in_the_query_is_explained_in_the_words_of_the_page(served: Served) -> None:
    for ui, words in (("en", "write a whole number, as in likes>100"), ("zh", "请写整数")):
        (notes,) = whole(served, "quiet likes>abc", ui=ui).all("ul", "notes")
        assert words in notes.text
    assert not whole(served, "quiet cafe to study").all("ul", "notes")


def test_filters_alone_list_posts_and_ask_for_no_answer(served: Served) -> None:
    asked_before = len(served.services.asked)
    page = whole(served, "#studycafe")
    assert len(page.all("li", "card")) == 3
    assert not [one for one in page.elements if one.attributes.get("id") == "answer"]
    assert len(served.services.asked) == asked_before
