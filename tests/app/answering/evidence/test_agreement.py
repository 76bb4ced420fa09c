"""What several people say leads over what one post says, and the answer says what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.evidence.agreement import Agreement, agreement, without_future_dates
from app.answering.evidence.sentence_units import sentences_of_hits
from retrieval.types import Comment, Filters, Hit, Passage, Post, SearchPage, SearchQuery

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FEE, BUS, ZH = "How much is the ferry to Odd Island?", "Which bus goes to Odd Island?", "去奇岛的渡轮多少钱"


def post(text: str, day: str = "", author: str = "", comments: tuple[str, ...] = (), title: str = "") -> Post:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    said = tuple(Comment(f"reader {at}", one) for at, one in enumerate(comments))
    return Post(text[:40], title, text, author=author or f"author of {text}", created_at=at, comments=said)


def hits_of(*posts: Post) -> tuple[Hit, ...]:
    return tuple(
        Hit(rank, 1.0, 1.0, 1.0, one, Passage(one.id, 0, "text", None, 0, len(one.text), one.text))
        for rank, one in enumerate(posts, start=1)
    )


def agreed(question: str, *posts: Post) -> Agreement:
    """The posts' sentences, near in score, the first post's best."""
    hits = hits_of(*posts)
    ranked = [replace(one, score=0.9 - 0.05 * at) for at, one in enumerate(sentences_of_hits(hits))]
    return agreement(question, "zh" if question == ZH else "en", ranked, hits)


def leads(found: Agreement) -> str:
    return found.evidence[0].text


OLD = post("The ferry to Odd Island is 14 euros.", "2026-05-03")
CONFIRMED = post("The ferry to Odd Island was 14 euros for me too, I mean it is 14 euros.", "2026-06-20")
LONE = post("For the ferry to Odd Island they take 19 euros.", "2026-11-10")


def test_a_lone_newer_post_does_not_lead_against_two_people_who_agree() -> None:
    found = agreed(FEE, LONE, OLD, CONFIRMED)
    assert leads(found) == OLD.text
    assert found.evidence[-1].text == LONE.text
    assert found.evidence[-1].score < 0.5 * found.evidence[0].score
    assert found.differing == "Posts differ: 14 euros (2 people, 2026-06-20); 19 euros (1 person, 2026-11-10)."


def test_a_comment_bears_its_post_s_readers_out_as_a_post_does() -> None:
    busy = post("The ferry to Odd Island is full at noon.", "2026-06-20", comments=("Paid 14 euros on Saturday.",))
    assert leads(agreed(FEE, LONE, OLD, busy)) == OLD.text


def test_of_two_posts_against_each_other_the_order_stays_and_both_are_named() -> None:
    found = agreed(FEE, LONE, OLD)
    assert leads(found) == LONE.text
    assert found.differing == "Posts differ: 19 euros (1 person, 2026-11-10); 14 euros (1 person, 2026-05-03)."


@pytest.mark.parametrize(
    "text",
    [
        "The ferry to Odd Island is 17 euros now.",
        "The ferry to Odd Island went from 14 to 17 euros.",
        "Since November the ferry to Odd Island is 17 euros.",
    ],
)
def test_one_later_post_that_says_that_the_price_changed_is_believed(text: str) -> None:
    assert leads(agreed(FEE, post(text, "2026-11-10"), OLD, CONFIRMED)) == text


def test_two_later_posts_that_agree_are_believed() -> None:
    other = post("Odd Island by ferry: 19 euros.", "2026-11-24")
    found = agreed(FEE, LONE, other, OLD, CONFIRMED)
    assert leads(found) == LONE.text


@pytest.mark.parametrize(
    "text",
    [
        "The ferry to Odd Island is 60 euros now.",  # a change that nobody would believe from one post
        "The ferry to Odd Island is 17 euros now, older posts are wrong.",
    ],
)
def test_a_change_is_not_believed_that_is_too_large_or_calls_the_others_wrong(text: str) -> None:
    assert leads(agreed(FEE, post(text, "2026-11-10"), OLD, CONFIRMED)) == OLD.text


def test_posts_of_a_few_days_count_as_one() -> None:
    honest = post("Bus 7 goes to Odd Island.", "2026-05-03")
    ferry = post("Odd Island is best in May.", "2026-06-01", comments=("We took the 7 to get there.",))
    puppets = (
        post("The 51 goes to Odd Island.", "2026-11-10"),
        post("Take bus 51 to Odd Island.", "2026-11-11"),
        post("Bus 51 to Odd Island, the 7 was dropped.", "2026-11-12"),
    )
    found = agreed(BUS, *puppets, honest, ferry)
    assert leads(found) == honest.text
    assert found.differing.startswith("Posts differ: 7 (2 people")


def test_one_author_counts_once_and_is_believed_in_the_newest_post() -> None:
    again = replace(
        LONE, id="again", text="Ferry to Odd Island: 19 euros.", created_at=datetime(2026, 9, 1, tzinfo=UTC)
    )
    assert leads(agreed(FEE, LONE, again, OLD, CONFIRMED)) == OLD.text
    corrected = post("The ferry to Odd Island is 15 euros.", "2026-07-01", author=OLD.author)
    found = agreed(FEE, corrected, OLD)
    assert leads(found) == corrected.text
    assert found.differing == ""


def test_a_copy_with_another_number_counts_for_nothing() -> None:
    honest = post("The ferry to Odd Island is 14 euros, students pay 11, bicycles go for free.", "2026-05-03")
    copied = post("The ferry to Odd Island is 44 euros, students pay 11, bicycles go for free.", "2026-11-10")
    assert leads(agreed(FEE, copied, honest)) == honest.text


def test_where_people_agree_on_the_value_a_post_without_one_adds_nothing() -> None:
    praise = post("Forget the ferry to Odd Island, Wavecrest boats are lovely.", "2026-11-10")
    found = agreed(FEE, praise, OLD, CONFIRMED)
    assert {one.text for one in found.evidence if one.score >= 0.5 * found.evidence[0].score} == {
        OLD.text,
        CONFIRMED.text,
    }
    assert leads(agreed(FEE, praise, OLD)) == praise.text


def test_a_price_of_something_else_is_no_other_price() -> None:
    shoes = post("Parking before Odd Island costs 6 euros.", "2026-06-01")
    lunch = post("Lunch on Odd Island was 6 euros.", "2026-07-01")
    found = agreed(FEE, OLD, shoes, lunch)
    assert leads(found) == OLD.text
    assert found.differing == ""


def test_what_differs_is_said_in_the_question_s_language() -> None:
    found = agreed(ZH, post("去奇岛的渡轮14元。", "2026-05-03"), post("去奇岛的渡轮要19元一张票。", "2026-02-01"))
    assert found.differing == "帖子说法不一：14元（1人，2026-05-03）；19元（1人，2026-02-01）。"


def test_a_date_in_the_future_is_none_and_such_a_post_comes_last() -> None:
    ahead = post("The ferry to Odd Island does not run any more.", "2031-01-01")
    comment = Comment("a", "Yes.", created_at=datetime(2030, 1, 1, tzinfo=UTC))
    page = SearchPage(SearchQuery(FEE, Filters()), "en", hits_of(ahead, replace(OLD, comments=(comment,))), 2, "g", {})
    page, undated = without_future_dates(page, NOW)
    assert undated == {1}
    assert page.hits[0].post.created_at is None
    assert page.hits[1].post.created_at == OLD.created_at
    assert page.hits[1].post.comments[0].created_at is None
    ranked = [replace(one, score=0.9 - 0.05 * at) for at, one in enumerate(sentences_of_hits(page.hits))]
    assert leads(agreement(FEE, "en", ranked, page.hits, undated)) == OLD.text


@given(st.lists(st.sampled_from([OLD, CONFIRMED, LONE, post("Nice view of Odd Island.", "2026-01-01")]), max_size=4))
def test_no_evidence_is_lost_or_made(posts: list[Post]) -> None:
    offered = [replace(one, id=str(at)) for at, one in enumerate(posts)]
    found = agreed(FEE, *offered)
    assert sorted((one.mark, one.start) for one in found.evidence) == sorted(
        (one.mark, one.start) for one in sentences_of_hits(hits_of(*offered))
    )
