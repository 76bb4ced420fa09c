"""What strangers wrote stays text in a page, under strict headers; links out give nothing away."""

from __future__ import annotations

import pytest

from app.web.page.html_response import HEADERS
from tests.app.web.page.conftest import Served
from tests.app.web.page.invented_posts import HOSTILE
from tests.app.web.page.page_of import streamed, whole
from tests.app.web.page.read_html import read_html


def test_links_out_give_nothing_away_and_get_no_credit(served: Served) -> None:
    page = whole(served, "quiet cafe to study")
    outward = [link for link in page.all("a") if "//" in link.attributes["href"]]
    assert len(outward) == 3
    assert {link.attributes["rel"] for link in outward} == {"noopener noreferrer nofollow ugc"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search?q=coffee",
        "/search?q=coffee&js=off",
        "/search?q=no+index",
        "/search?since=x",
        "/post/post-21",
        "/post/x",
    ],
)
def test_every_page_leaves_under_the_strict_headers(served: Served, path: str) -> None:
    headers = served.get(path).headers
    assert {name: headers[name] for name in HEADERS} == dict(HEADERS)
    assert "unsafe" not in headers["content-security-policy"]


def test_files_may_be_kept_for_good_under_the_address_that_carries_their_fingerprint(served: Served) -> None:
    page = read_html(served.get("/search", q="many").text)
    addresses = [element.attributes.get("src") for element in page.all("script")]
    addresses += [link.attributes["href"] for link in page.all("link")]
    assert len(addresses) == 7
    for address in addresses:
        assert address
        answer = served.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert served.get("/static/stipple.css").headers["cache-control"] == "no-cache"


def test_hostile_posts_stay_text_in_the_page_and_in_the_stream(served: Served) -> None:
    fragments = [data for name, data in streamed(served, "coffee") if name != "close"]
    for html in (served.get("/search", q="coffee", js="off").text, served.get("/search", q="coffee").text, *fragments):
        page = read_html(html)
        for element in page.elements:
            assert not [name for name in element.attributes if name.startswith("on")], element
            assert element.tag not in {"img", "iframe", "b"}, element
            assert element.tag != "script" or element.attributes["src"].startswith("/static/"), element
            assert "javascript:" not in element.attributes.get("href", ""), element
            assert element.attributes.get("hx-get", "/search").startswith("/search"), element
    assert HOSTILE[0].title in whole(served, "coffee").by_id("post-1-title").text


def test_a_forged_mark_is_no_link(served: Served) -> None:
    page = whole(served, "coffee")
    assert [mark.attributes["href"] for mark in page.all("a", "mark")] == ["#post-1", "#post-2"]
    assert "[7]" in page.by_id("sentences").text
