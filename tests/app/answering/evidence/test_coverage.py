"""How much of a question each sentence holds, with what stands around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence.coverage import coverages
from app.answering.evidence.sentence_units import sentences_of_hits
from retrieval.text.terms import TermWeigher
from retrieval.types import Hit, Passage, Post

WEIGHER = TermWeigher()


def shares(question: str, *posts: Post) -> dict[str, float]:
    hits = [
        Hit(rank, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))
        for rank, post in enumerate(posts, start=1)
    ]
    found = sentences_of_hits(hits)
    values = coverages(WEIGHER, question, found, [f"{post.title} {' '.join(post.tags)}" for post in posts])
    return {one.text: float(value) for one, value in zip(found, values, strict=True)}


def test_rare_words_count_more_than_common_ones() -> None:
    posts = [
        Post(f"p{n}", "", f"The ferry ride was rather nice on day number {n}, and we saw some birds.") for n in range(4)
    ]
    rare = Post("q", "", "Tickets are sold at the wooden booth beside the big anchor, all day long.")
    found = shares("ferry tickets", *posts, rare)
    assert found[rare.text] > found[posts[0].text] > 0


def test_what_the_sentence_before_named_is_still_meant_in_the_next() -> None:
    near = "We took the ferry to Gulangyu in the early morning, before the crowds. It cost 35 yuan for each of us."
    far = "It cost 35 yuan for each of us, said a man whom we had met somewhere quite different the day before that."
    found = shares("ferry to Gulangyu cost", Post("a", "", near), Post("b", "", far))
    assert found["It cost 35 yuan for each of us."] > found[far]


def test_the_opening_of_a_long_post_says_what_all_of_it_is_about() -> None:
    body = " ".join(
        f"In month {n} the team did some other thing of great importance for everybody around." for n in range(12)
    )
    opened = Post(
        "a", "", f"This is the yearly report of Greenleaf Tea, written for everybody who cares about it. {body}"
    )
    found = shares("Greenleaf Tea month", opened, Post("b", "", body.replace("team", "crew")))
    assert found["In month 7 the team did some other thing of great importance for everybody around."] > (
        found["In month 7 the crew did some other thing of great importance for everybody around."] + 0.2
    )


@given(st.text(max_size=30), st.lists(st.tuples(st.text(max_size=20), st.text(max_size=120)), max_size=4))
def test_a_share_is_between_0_and_1(question: str, texts: list[tuple[str, str]]) -> None:
    posts = [Post(str(number), title, text) for number, (title, text) in enumerate(texts)]
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares(question, *posts).values())
