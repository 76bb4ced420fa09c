"""The code around posts: one that no post can hold, and the same for the same posts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.answering.writing.fence import Fence
from retrieval.types import Comment, Hit, Passage, Post


def a_hit(text: str, post_id: str = "p", comment: str = "") -> Hit:
    comments = (Comment("", comment),) if comment else ()
    return Hit(
        1, 1.0, 1.0, 1.0, Post(post_id, "", text, comments=comments), Passage(post_id, 0, "text", None, 0, 1, text)
    )


def test_the_same_posts_have_the_same_code_in_whatever_order_they_were_found() -> None:
    fence, hits = Fence(), [a_hit("28 yuan.", "a"), a_hit("38 yuan.", "b")]
    assert fence(hits) == fence(hits[::-1]) == fence([replace(hits[0], score=0.1), hits[1]])


def test_another_process_has_another_code_for_the_same_posts() -> None:
    assert Fence()([a_hit("28 yuan.")]) != Fence()([a_hit("28 yuan.")])


@given(st.text(), st.text(min_size=1))
def test_a_post_that_takes_in_the_code_it_was_fenced_by_is_fenced_by_another(text: str, beside: str) -> None:
    """An author who has seen the code of an answer cannot close the block with it: the code is no longer that one."""
    fence = Fence()
    seen = fence([a_hit(text), a_hit(beside, "q")])
    assert fence([a_hit(f"{text}\n{seen}"), a_hit(beside, "q")]) != seen
    assert fence([a_hit(text, comment=seen), a_hit(beside, "q")]) != seen
    assert fence([a_hit(text), a_hit(beside, "q"), a_hit(seen, "r")]) != seen


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True), st.text())
def test_words_that_move_from_one_post_to_another_make_another_code(texts: list[str], moved: str) -> None:
    fence = Fence(b"secret")
    first = [a_hit(texts[0] + moved, "a"), a_hit(texts[1], "b")]
    other = [a_hit(texts[0], "a"), a_hit(moved + texts[1], "b")]
    same = [hit.post.text for hit in first] == [hit.post.text for hit in other]
    assert (fence(first) == fence(other)) == same
