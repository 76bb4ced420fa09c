from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.answering.types import QuotePart
from app.web.page.views.quoted import Quoted, read_quotes, spans
from retrieval.types import Span
from tests.app.web.page.invented_posts import CAFES

PLACES = st.builds(
    lambda part, comment, start, end: Quoted(part, comment if part == "comment" else None, Span(start, end)),
    st.sampled_from(("title", "text", "comment")),
    st.integers(0, 99_999),
    st.integers(0, 10**9 - 1),
    st.integers(0, 10**9 - 1),
)


@given(st.lists(PLACES, max_size=20))
def test_what_is_written_into_an_address_is_read_again(places: list[Quoted]) -> None:
    assert read_quotes(place.written() for place in places) == places


@given(st.text())
def test_anything_else_is_no_place(written: str) -> None:
    assert [one.written() for one in read_quotes([written])] in ([], [written])


def test_a_comment_that_is_gone_has_no_text() -> None:
    part: QuotePart = "comment"
    assert Quoted(part, 7, Span(0, 3)).text_of(CAFES[0]) == ""
    assert Quoted(part, 1, Span(0, 3)).text_of(CAFES[0]) == "is there parking for bikes?"
    assert spans([Quoted(part, 1, Span(0, 3)), Quoted("text", None, Span(4, 5))], "text") == [Span(4, 5)]
