"""Of two sentences that state a value of the same kind about the same thing, the newer post's comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence.recency import newer_first, still_true, superseded
from app.answering.types import AnswerSentence, Citation, Evidence
from retrieval.types import Comment, Hit, Passage, Post

LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)


def posts_of(*told: tuple[str, str, int | None]) -> tuple[list[Evidence], list[Hit]]:
    """Evidence that is the whole text of each post, best first and near in score; (title, text, year of the post)."""
    hits, evidence = [], []
    for mark, (title, text, year) in enumerate(told, start=1):
        at = LONG_AGO.replace(year=year) if year is not None else None
        post = Post(f"p{mark}", title, text, created_at=at)
        hits.append(Hit(mark, 1.0, 1.0, 1.0, post, Passage(post.id, 0, "text", None, 0, len(text), text)))
        evidence.append(Evidence(mark, post.id, "text", None, 0, len(text), text, 0.7 - 0.05 * mark, title))
    return evidence, hits


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        ("老周拉面多少钱一碗", "老周拉面12元一碗，汤很清", "老周拉面今天去变16元了"),
        ("竹里咖啡手冲多少钱", "竹里咖啡的手冲32元一杯", "竹里咖啡换了店面，手冲从32涨到38了"),
        ("竹里咖啡几点关门", "竹里咖啡晚上9点关门", "竹里咖啡现在晚上7点半就关"),
        ("竹里咖啡周末能用电脑吗", "竹里咖啡周一到周五能用电脑，周末不行", "竹里咖啡现在每天都不让用电脑"),
        ("Price of chai at Fern & Salt?", "Chai at Fern & Salt: £3.20.", "Fern & Salt ask £3.90 for a chai."),
        ("When does Fern & Salt close?", "Fern & Salt closes at 6 pm.", "They close at 4 pm now at Fern & Salt."),
        (
            "Dogs at Fern at weekends?",
            "Dogs are fine at Fern Monday to Friday.",
            "No dogs at Fern, not even on Mondays.",
        ),
        (
            "How long is the ferry to Lamb Isle?",
            "The ferry to Lamb Isle is 40 minutes.",
            "Lamb Isle ferry: 25 minutes.",
        ),
    ],
)
def test_a_newer_price_or_hour_of_the_same_thing_comes_first(question: str, old: str, new: str) -> None:
    evidence, hits = posts_of(("", old, 2024), ("", new, 2026))
    assert [one.text for one in newer_first(question, evidence, hits)] == [new, old]
    evidence, hits = posts_of(("", new, 2026), ("", old, 2024))
    assert [one.text for one in newer_first(question, evidence, hits)] == [new, old]


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        # Another place's price, another thing's, the same price again, no price at all, and no value asked for.
        ("How much is a flat white at Fern?", "A flat white at Fern is £3.20.", "The flat white at Oak is £3.90."),
        ("How much is a flat white at Fern?", "A flat white at Fern is £3.20.", "At Oak I paid £3.90."),
        (
            "How much is a flat white at Fern?",
            "A flat white at Fern is £3.20.",
            "Still £3.20 for a flat white at Fern.",
        ),
        ("How much is a flat white at Fern?", "A flat white at Fern is £3.20.", "The flat white at Fern was lovely."),
        ("Where is Fern?", "Fern is at 12 Mill Lane, 3 minutes from the pier.", "Fern is 5 minutes from the pier."),
        ("老周拉面多少钱一碗", "老周拉面12元一碗", "老王拉面16元一碗"),
        ("老周拉面多少钱一碗", "老周拉面12元一碗", "老周拉面早上6点开门"),
        ("老周拉面在哪里", "老周拉面在康定路12号，人均20元", "老周拉面人均30元"),
    ],
)
def test_what_is_about_something_else_or_says_the_same_stays_behind(question: str, old: str, new: str) -> None:
    evidence, hits = posts_of(("", old, 2024), ("", new, 2026))
    assert [one.text for one in newer_first(question, evidence, hits)] == [old, new]


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        (
            "can i bring a dog to Fern Lake",
            ("Fern Lake camp", "Dogs are welcome."),
            ("Fern Lake camp again", "No pets."),
        ),
        ("竹里书店还能逛吗", ("竹里书店 周末好去处", "每天都开"), ("竹里书店 告别", "上个月关了")),
    ],
)
def test_the_newer_of_two_posts_on_one_subject_comes_first_unless_earlier_times_are_asked_for(
    question: str, old: tuple[str, str], new: tuple[str, str]
) -> None:
    evidence, hits = posts_of((*old, 2024), (*new, 2026))
    assert [one.text for one in newer_first(question, evidence, hits)] == [new[1], old[1]]
    assert [one.text for one in newer_first(f"{question} 2024年", evidence, hits)] == [old[1], new[1]]
    evidence, hits = posts_of((*old, 2024), ("Moon Bay", new[1], 2026))
    assert [one.text for one in newer_first(question, evidence, hits)] == [old[1], new[1]]


def test_a_newer_sentence_that_answers_far_worse_stays_behind() -> None:
    evidence, hits = posts_of(("", "老周拉面12元一碗", 2024), ("", "老周拉面16元一碗", 2026))
    weak = Evidence(2, "p2", "text", None, 0, 9, evidence[1].text, 0.3)
    assert newer_first("老周拉面多少钱一碗", [evidence[0], weak], hits) == [evidence[0], weak]


def test_a_comment_is_as_new_as_itself() -> None:
    evidence, hits = posts_of(("", "Fern: flat white £3.20.", 2025), ("", "Fern: flat white £2.80.", 2024))
    late = Comment("ann", "Fern: flat white £3.90 now.", created_at=LONG_AGO + timedelta(days=900))
    old = Post("p2", "", hits[1].post.text, created_at=LONG_AGO, comments=(late,))
    hits[1] = Hit(2, 1.0, 1.0, 1.0, old, hits[1].passage)
    said = Evidence(2, "p2", "comment", 0, 0, len(late.text), late.text, 0.6)
    assert newer_first("How much is a flat white at Fern?", [evidence[0], said], hits) == [said, evidence[0]]


def test_of_three_the_newest_comes_first_also_where_it_says_again_what_the_oldest_said() -> None:
    evidence, hits = posts_of(
        ("", "Flat white £3.90 at Fern", 2023),
        ("", "Flat white £3.90 at Fern", 2025),
        ("", "A flat white at Fern is £3.20.", 2024),
    )
    ordered = newer_first("How much is a flat white at Fern?", evidence, hits)
    assert [one.mark for one in ordered] == [2, 3, 1]


_TOLD = st.tuples(
    st.sampled_from(["Fern", "Oak", ""]),
    st.sampled_from(
        ["A flat white at Fern is £3.20.", "Flat white £3.90 at Fern", "Fern opens at 9", "Cake", "老周12元"]
    ),
    st.sampled_from([None, 2023, 2024, 2025]),
)


@given(
    st.lists(_TOLD, max_size=6), st.sampled_from(["How much is a flat white at Fern?", "Fern hours", "老周多少钱", ""])
)
def test_nothing_is_lost_and_a_second_look_changes_nothing(
    told: list[tuple[str, str, int | None]], question: str
) -> None:
    evidence, hits = posts_of(*told)
    ordered = newer_first(question, evidence, hits)
    assert sorted(one.mark for one in ordered) == [one.mark for one in evidence]
    assert newer_first(question, ordered, hits) == ordered
    if not any(year for _, _, year in told):
        assert ordered == evidence


def written(text: str, *marks: int) -> AnswerSentence:
    """A model's sentence that rests on the whole text of these posts."""
    return AnswerSentence(text, tuple(Citation(mark, f"p{mark}", "text", None, 0, 9, text, 0.9) for mark in marks))


def test_a_model_reads_only_the_newer_of_two_prices_and_everything_else() -> None:
    told = (("", "竹里咖啡的手冲32元一杯", 2024), ("", "竹里咖啡手冲38元一杯了", 2026), ("", "竹里咖啡有猫", 2024))
    evidence, hits = posts_of(*told)
    assert [one.mark for one in still_true("竹里咖啡手冲多少钱", evidence, hits)] == [2, 3]


def test_a_written_price_that_a_newer_post_replaces_is_outdated() -> None:
    evidence, hits = posts_of(("", "竹里咖啡的手冲32元一杯", 2024), ("", "竹里咖啡手冲38元一杯了", 2026))
    question = "竹里咖啡手冲多少钱"
    assert superseded(question, written("竹里咖啡手冲32元。", 1), evidence, hits) == "outdated"
    assert superseded(question, written("竹里咖啡手冲38元。", 2), evidence, hits) is None


def test_a_written_fare_of_another_journey_is_beside_the_point() -> None:
    evidence, hits = posts_of(
        ("昆明到大理", "昆明到大理的动车二等座145元", 2025), ("上海到昆明", "高铁要879元，坐了一天", 2025)
    )
    question = "昆明到大理的高铁票多少钱"
    assert superseded(question, written("昆明到大理的高铁票是879元。", 2), evidence, hits) == "beside the point"
    assert superseded(question, written("昆明到大理的二等座145元。", 1), evidence, hits) is None
