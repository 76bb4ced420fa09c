"""Marks after posts went are those of the hits that are left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.answering.types import AnswerSentence
from app.conversations.validity import with_hits_of
from retrieval.types import Post
from tests.app.conversations.kept import a_hit, an_answer, cites

NAMES = ("ash", "birch", "cedar", "elm", "fir")


@given(st.sets(st.sampled_from(NAMES)), st.lists(st.sampled_from(NAMES), max_size=4))
def test_each_citation_points_at_its_own_post_whichever_hits_are_gone(left: set[str], cited: list[str]) -> None:
    posts = [Post(name, "", f"What {name} says.") for name in NAMES]
    sentences = [
        AnswerSentence(post.text, (cites(post, post.text, mark),))
        for name in cited
        if name in left
        for mark, post in enumerate(posts, start=1)
        if post.id == name
    ]
    hits = tuple(a_hit(post, rank) for rank, post in enumerate(posts, start=1))
    answer = an_answer(hits=hits, sentences=tuple(sentences))
    stands = with_hits_of(answer, {post.id: post for post in posts if post.id in left})
    assert [hit.post.id for hit in stands.hits] == [name for name in NAMES if name in left]
    assert [one.text for one in stands.sentences] == [one.text for one in sentences]
    for sentence in stands.sentences:
        for citation in sentence.citations:
            assert stands.hits[citation.mark - 1].post.id == citation.post_id
