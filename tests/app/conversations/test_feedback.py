"""What people say of answers is kept, replaced, forgotten, and exported as questions to measure with."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.conversations.storage.feedback import FeedbackFile, Reason, Verdict, exported, feedback_on
from tests.app.conversations.kept import BLUE, POSTS, a_turn, an_answer

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> FeedbackFile:
    return FeedbackFile(tmp_path / "feedback.sqlite")


def test_what_was_said_later_of_the_same_answer_counts(file: FeedbackFile) -> None:
    turn = a_turn()
    assert file.verdict(turn.answer_id) is None
    file.give(feedback_on(turn, POSTS, "up", "", "", NOW))
    file.give(feedback_on(turn, POSTS, "down", "wrong", "It is 30 now.", NOW + timedelta(hours=1)))
    assert file.verdict(turn.answer_id) == "down"
    assert [(one.verdict, one.reason, one.words) for one in file.all()] == [("down", "wrong", "It is 30 now.")]


def test_only_this_user_may_read_the_file(file: FeedbackFile, tmp_path: Path) -> None:
    file.give(feedback_on(a_turn(), POSTS, "up", "", "", NOW))
    assert stat.S_IMODE((tmp_path / "feedback.sqlite").stat().st_mode) == 0o600


def test_an_export_line_is_a_judged_question_with_the_posts_and_their_quotes(file: FeedbackFile) -> None:
    turn = a_turn("how much is it?")
    file.give(feedback_on(turn, POSTS, "up", "", "", NOW))
    (line,) = exported(file.all())
    assert line["id"] == turn.answer_id
    assert (line["lang"], line["question"], line["asked"]) == (
        "en", "How much is a flat white at Blue Door?", "how much is it?",
    )  # fmt: skip
    assert (line["answerable"], line["gold"], line["verdict"]) == (True, [], "up")
    texts = {post["id"]: post["text"] for post in line["posts"]}
    assert list(texts) == ["blue", "red"]
    assert BLUE.title in texts["blue"]
    assert len(line["evidence"]) == 3
    assert all(one["quote"] in texts[one["post_id"]] for one in line["evidence"])
    assert json.loads(json.dumps(line)) == line


@pytest.mark.parametrize(
    ("kind", "verdict", "reason", "answerable", "has_evidence"),
    [
        ("written", "up", "", True, True),
        ("written", "down", "wrong", True, False),
        ("written", "down", "not_in_posts", False, False),
        ("declined", "up", "", False, False),
        ("declined", "down", "missed", True, False),
    ],
)
def test_a_verdict_tells_whether_the_posts_answer_and_only_praise_makes_evidence(
    file: FeedbackFile, kind: str, verdict: Verdict, reason: Reason, answerable: bool, has_evidence: bool
) -> None:
    answer = an_answer(kind=kind) if kind != "declined" else an_answer(kind=kind, sentences=())
    file.give(feedback_on(a_turn(answer=answer), POSTS, verdict, reason, "", NOW))
    (line,) = exported(file.all())
    assert line["answerable"] is answerable
    assert bool(line["evidence"]) is has_evidence


def test_a_forgotten_post_is_in_neither_file_nor_export(file: FeedbackFile, tmp_path: Path) -> None:
    file.give(feedback_on(a_turn(), POSTS, "up", "", "Red Door asks 30, really", NOW))
    assert file.forget(["red"]) == 1
    assert file.forget(["red"]) == 0
    assert not any(b"Red Door asks" in path.read_bytes() for path in tmp_path.iterdir())
    (line,) = exported(file.all())
    assert [post["id"] for post in line["posts"]] == ["blue"]
    assert {one["post_id"] for one in line["evidence"]} == {"blue"}
    assert list(exported(file.all(), gone=frozenset({"blue"}))) == []


def test_an_export_since_a_day_leaves_out_what_was_said_before(file: FeedbackFile) -> None:
    file.give(feedback_on(a_turn(), POSTS, "up", "", "", NOW))
    assert len(file.all(date(2026, 5, 1))) == 1
    assert file.all(date(2026, 5, 2)) == []


def test_without_a_file_there_is_nothing_and_none_is_made(file: FeedbackFile, tmp_path: Path) -> None:
    assert file.all() == []
    assert file.forget(["red"]) == 0
    assert list(tmp_path.iterdir()) == []
