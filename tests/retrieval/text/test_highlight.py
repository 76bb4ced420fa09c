"""Where a query's words are in a text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.highlight import highlight


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("running shoes", "I run in old shoes", ["run", "shoes"]),
        ("咖啡馆 大理", "大理的咖啡馆很多", ["大理", "咖啡馆"]),
        ("brunch", "周末brunch打卡", ["brunch"]),
        ("臺北", "台北真好", ["台北"]),
        ("where is the cafe", "the CAFE is there", ["CAFE"]),
        ("28", "拿铁28元", ["28"]),
        ("???", "what?", []),
    ],
)
def test_words_are_found_in_other_forms_and_scripts(query: str, text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in highlight(query, text)] == expected


@given(st.text(max_size=40), st.text(max_size=200), st.data())
def test_every_highlight_lies_in_the_slice_and_none_overlap(query: str, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    spans = highlight(query, text, start, end)
    assert all(start <= span.start < span.end <= end for span in spans)
    assert all(before.end < after.start for before, after in itertools.pairwise(spans))
