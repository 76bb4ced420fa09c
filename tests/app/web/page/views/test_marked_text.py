from __future__ import annotations

import html
import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.web.page.views.marked_text import excerpts, joined, marked
from retrieval.types import Span

SPANS = st.lists(
    st.tuples(st.integers(-5, 60), st.integers(-5, 60)).map(lambda pair: Span(min(pair), max(pair))), max_size=6
)
TEXTS = st.text(st.sampled_from("ab <>&\"'[1]咖啡\n\u202e😀"), max_size=50)


def test_a_word_inside_a_quote_is_marked_in_it() -> None:
    shown = marked("good coffee here", words=[Span(5, 11)], quotes=[Span(0, 11)])
    assert shown == '<mark class="quote">good <mark class="word">coffee</mark></mark> here'


def test_a_word_that_crosses_the_edge_of_a_quote_is_marked_in_two_pieces() -> None:
    shown = marked("coffee", words=[Span(0, 6)], quotes=[Span(0, 3)])
    assert shown == '<mark class="quote"><mark class="word">cof</mark></mark><mark class="word">fee</mark>'


def test_offsets_count_in_the_whole_text_when_a_part_is_shown() -> None:
    assert marked("😀😀咖啡好喝", quotes=[Span(2, 4)], within=Span(1, 5)) == '😀<mark class="quote">咖啡</mark>好'


@given(TEXTS, SPANS, SPANS)
def test_without_its_tags_the_html_is_the_text_whatever_the_spans(
    text: str, words: list[Span], quotes: list[Span]
) -> None:  # fmt: skip
    shown = str(marked(text, words, quotes))
    bare = re.sub(r'<mark class="(?:quote|word)">|</mark>', "", shown)
    assert html.unescape(bare) == text
    assert "<" not in bare
    assert shown.count("<mark") == shown.count("</mark>")


@given(TEXTS, SPANS, SPANS)
def test_the_code_points_of_the_quotes_are_marked_and_no_others(
    text: str, words: list[Span], quotes: list[Span]
) -> None:
    shown = str(marked(text, words, quotes))
    without_words = re.sub(r'<mark class="word">(.*?)</mark>', r"\1", shown, flags=re.DOTALL)
    inside = "".join(re.findall(r'<mark class="quote">(.*?)</mark>', without_words, flags=re.DOTALL))
    expected = sorted({at for span in quotes for at in range(max(span.start, 0), min(span.end, len(text)))})
    assert html.unescape(inside) == "".join(text[at] for at in expected)


@given(SPANS)
def test_joined_spans_never_touch_and_cover_the_same(spans: list[Span]) -> None:
    union = joined(spans)
    assert all(one.end < other.start for one, other in pairwise(union))
    assert {at for span in union for at in range(span.start, span.end)} == {
        at for span in spans for at in range(span.start, span.end)
    }


@given(st.integers(0, 400), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=5))
def test_every_wanted_code_point_is_in_an_excerpt(length: int, pairs: list[tuple[int, int]]) -> None:
    wanted = [Span(min(pair), max(pair)) for pair in pairs]
    shown = excerpts(length, wanted)
    seen = {at for part in shown for at in range(part.start, part.end)}
    assert {at for span in wanted for at in range(span.start, min(span.end, length))} <= seen
    assert all(0 <= part.start < part.end <= length for part in shown)
    assert all(other.start - one.end >= 60 for one, other in pairwise(shown))


def test_a_cut_that_saves_less_than_a_line_is_not_made() -> None:
    assert excerpts(200, [Span(20, 150)]) == [Span(0, 200)]
    assert excerpts(1000, [Span(200, 300), Span(340, 400), Span(700, 800)]) == [Span(200, 400), Span(700, 800)]
