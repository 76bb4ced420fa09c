"""HTML to the text that a reader sees."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.posts.html_text import Picture, html_text, text_and_pictures


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<p>a &amp; b</p><p>c<br/>d</p>", "a & b\n\nc\nd"),
        ("<ul><li>x</li><li>y <b>z</b>!</li></ul>after", "- x\n- y z!\n\nafter"),
        ("<pre><code>a\n  b</code></pre>c", "a\n  b\n\nc"),
        ("a < b and b > c", "a < b and b > c"),
        ("1 &lt; 2 &hellip; &#x4e03;", "1 < 2 … 七"),
        ("x<script>alert('<p>1</p>')</script><style>p{}</style>y<!-- <p>no</p> -->z", "xyz"),
        ("<a title=\"a > b\" href='#'>seen</a>", "seen"),
        ("<span class='invisible'>https://</span><span>a.example/b</span>", "https://a.example/b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<p>never closed", "never closed"),
        ("", ""),
    ],
)
def test_a_page_becomes_what_is_seen_of_it(written: str, text: str) -> None:
    assert html_text(written) == text


def test_pictures_are_given_with_what_they_show_and_emoji_stay_in_the_text() -> None:
    cup = '<img src="https://i.example/1.jpg?a=1&amp;b=2" alt="a &quot;cup&quot;">'
    written = cup + ' ok <img class="emoji" src="e.png" alt=":tea:">'
    assert text_and_pictures(written) == ("ok :tea:", [Picture("https://i.example/1.jpg?a=1&b=2", 'a "cup"')])


@given(st.text(st.characters(codec="utf-8")))
def test_text_that_was_escaped_comes_back_but_for_its_white_space(text: str) -> None:
    found = html_text(f"<p>{html.escape(text)}</p>")
    assert re.sub(r"\s", "", found) == re.sub(r"\s", "", html.unescape(html.escape(text)))


@given(st.text("<>/!-?\"'= abpscript&;#\n", max_size=60))
def test_no_text_makes_it_fail(written: str) -> None:
    html_text(written)


@pytest.mark.timeout(60)  # the standard library's parser stands still for minutes on some of these
@pytest.mark.parametrize(
    "piece",
    ["<!--", "<!", "<a ", "</", "<p>", "<a href='", "<?", "<a b='>", "<![CDATA[", "<script>", "&#", "<img a='>"],
)
def test_a_hostile_page_comes_to_an_end(piece: str) -> None:
    assert len(html_text(piece * (200_000 // len(piece)) + ">")) <= 200_001
