"""What an answer quotes, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime

from app.answering.evidence.quotes import quotes
from app.answering.evidence.subjects import NONE
from app.answering.types import Evidence
from retrieval.types import Hit, Passage, Post

QUESTION = "What do people think of the Fern bakery?"


def told(*posts: tuple[str, int, list[tuple[str, float]]]) -> tuple[list[Evidence], list[Hit]]:
    """Evidence, best first, and its hits; (title, year, [(text, score)]) for each post."""
    hits, evidence = [], []
    for mark, (title, year, pieces) in enumerate(posts, start=1):
        text = " ".join(piece for piece, _ in pieces)
        post = Post(f"p{mark}", title, text, created_at=datetime(year, 5, 1, tzinfo=UTC))
        hits.append(Hit(mark, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(text), text)))
        for piece, score in pieces:
            at = text.index(piece)
            evidence.append(Evidence(mark, post.id, "text", None, at, at + len(piece), piece, score, title))
    return sorted(evidence, key=lambda one: -one.score), hits


def test_each_post_on_a_subject_is_quoted_once_before_one_is_quoted_twice() -> None:
    evidence, hits = told(
        ("", 2026, [("The rye bread is superb.", 0.9), ("Their buns are fine.", 0.8)]),
        ("", 2026, [("Stale twice, never again.", 0.6)]),
    )
    apart = [one.mark for one in quotes(QUESTION, evidence, hits, NONE, 0.5)]
    together = [one.mark for one in quotes(QUESTION, evidence, hits, frozenset({(1, 2), (2, 1)}), 0.5)]
    assert apart == [1, 1]  # what is on another subject has to fit better
    assert together == [1, 2, 1]


def test_a_much_older_post_does_not_come_before_what_the_newer_one_says() -> None:
    evidence, hits = told(
        ("", 2026, [("They moved to Mill Street.", 0.9), ("The old number works.", 0.7)]),
        ("", 2023, [("They are on Dock Street.", 0.6)]),
    )
    ordered = quotes("Where is the Fern bakery?", evidence, hits, frozenset({(1, 2), (2, 1)}), 0.5)
    assert [one.mark for one in ordered] == [1, 1, 2]


def test_another_language_has_to_fit_nearly_as_well_as_the_questions_own() -> None:
    evidence, hits = told(
        ("", 2026, [("The rye bread is superb.", 0.9)]),
        ("", 2026, [("这家面包店的黑麦面包很好吃", 0.7)]),
        ("", 2026, [("它家的面包真的不错", 0.8)]),
    )
    assert [one.mark for one in quotes(QUESTION, evidence, hits, NONE, 0.5)] == [1, 3]


def test_where_only_another_language_answers_it_is_quoted() -> None:
    evidence, hits = told(("", 2026, [("这家面包店的黑麦面包很好吃", 0.7), ("周一休息", 0.5)]))
    assert [one.mark for one in quotes(QUESTION, evidence, hits, NONE, 0.5)] == [1, 1]


def test_nothing_is_quoted_of_nothing() -> None:
    assert quotes(QUESTION, [], [], NONE, 0.5) == []
