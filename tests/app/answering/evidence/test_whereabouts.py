"""Which posts are about the place that a question names."""

from __future__ import annotations

import pytest

from app.answering.evidence.whereabouts import whereabouts
from retrieval.types import Hit, Passage, Place, Post

POSTS = [
    Post("a", "Courtyard coffee in Dali", "Opens at 9."),
    Post("b", "上海咖啡地图", "徐汇滨江那家安静。"),
    Post("c", "", "Long table upstairs.", place=Place("Alley Owl", 31.22, 121.45)),
    Post("d", "Best beans", "Roasted here."),
]


def hits() -> list[Hit]:
    return [
        Hit(rank, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(post.text), post.text))
        for rank, post in enumerate(POSTS, start=1)
    ]


@pytest.mark.parametrize(
    ("question", "marks"),
    [
        ("coffee in Shanghai", {2, 3}),
        ("大理的咖啡", {1}),
        ("coffee in China", {1, 2}),
        ("coffee in Dali or Shanghai", {1, 2, 3}),
    ],
)
def test_posts_about_the_place_are_known_by_words_in_either_language_or_by_their_spot(
    question: str, marks: set[int]
) -> None:
    assert whereabouts(question, hits()).marks == frozenset(marks)


def test_a_question_that_names_no_place_leaves_all_posts() -> None:
    assert whereabouts("how long does coffee keep", hits()).marks is None


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("quiet cafe in Paris", "No post found is about Paris. The nearest are about Dali and Shanghai."),
        ("大阪哪里有咖啡", "没有找到关于大阪的帖子。最接近的是关于大理和上海的。"),
    ],
)
def test_a_place_that_no_post_is_about_is_said_with_the_nearest(question: str, missing: str) -> None:
    found = whereabouts(question, hits())
    assert (found.marks, found.missing) == (frozenset(), missing)
