"""Files of everyday questions are read whole or not at all; those of the sample posts hold what they say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.evaluation.everyday.dialogues import cited_posts, read_dialogues
from app.evaluation.everyday.question_file import (
    EverydayQuestion,
    holds_everyday_questions,
    read_everyday_questions,
)
from app.evaluation.everyday.stated_facts import plain, stated, states, unstated
from retrieval.errors import FixableError

SAMPLE = Path(__file__).parents[4] / "sample_posts"
HALVES = [SAMPLE / f"questions.{half}.jsonl" for half in ("dev", "closed")]
QUESTIONS = [one for half in HALVES for one in read_everyday_questions(half)]
GOOD = {
    "id": "x", "language": "en", "kind": "price", "question": "how much?", "answerable": True,
    "must": [["28"]], "posts": ["cafe"],
}  # fmt: skip
UNANSWERABLE = {"id": "y", "language": "en", "kind": "off", "question": "who won?", "answerable": False}


def sample_posts() -> dict[str, str]:
    """All words of each sample post by its id: title, text and comments."""
    posts: dict[str, str] = {}
    for path in SAMPLE.glob("??-*.jsonl"):
        for raw in map(json.loads, path.read_text("utf-8").split("\n")[:-1]):
            words = [raw.get("title") or "", raw["text"], *(one["text"] for one in raw.get("comments", []))]
            posts[raw["id"]] = "\n".join(words)
    return posts


POSTS = sample_posts()


def written(folder: Path, *questions: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in questions), "utf-8")
    return path


def test_a_file_gives_its_questions_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD | {"now": "2026-10-15", "should": [["1", "one"]]}, UNANSWERABLE)
    price, off = read_everyday_questions(path)
    assert (price.must, price.should, str(price.now)) == ((("28",),), (("1", "one"),), "2026-10-15")
    assert not off.answerable
    assert holds_everyday_questions(path)


@pytest.mark.parametrize("text", ["", "{", '{"id": "q", "text": "tea", "language": "en"}', "[]"])
def test_other_files_are_not_taken_for_everyday_questions(tmp_path: Path, text: str) -> None:
    (tmp_path / "queries.jsonl").write_text(text)
    assert not holds_everyday_questions(tmp_path / "queries.jsonl")
    assert not holds_everyday_questions(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (GOOD, "'id' is 'x', as on an earlier line"),
        ([], "not a JSON object"),
        (GOOD | {"id": "z", "must": []}, "needs a 'must'"),
        (GOOD | {"id": "z", "posts": []}, "needs 'posts'"),
        (GOOD | {"id": "z", "must": [[]]}, "'must' must be a list of groups"),
        (GOOD | {"id": "z", "must": [["*"]]}, "'must' must be a list of strings"),
        (GOOD | {"id": "z", "must_nots": ["x"]}, "there is no field 'must_nots'"),
        (GOOD | {"id": "z", "absent": ["x"]}, "'absent' is for an unanswerable question"),
        (GOOD | {"id": "z", "answerable": "yes"}, "must be true or false"),
        (GOOD | {"id": "z", "now": "yesterday"}, "Invalid isoformat string"),
        (UNANSWERABLE | {"must": [["28"]]}, "an unanswerable question has no 'must'"),
        ({"id": "z"}, "field 'answerable' is missing"),
    ],
)
def test_a_broken_line_is_said_with_its_place(tmp_path: Path, broken: object, says: str) -> None:
    with pytest.raises(FixableError, match=f"questions.jsonl:2: not an everyday question: .*{says}"):
        read_everyday_questions(written(tmp_path, GOOD, broken))


def test_an_empty_file_is_no_set_of_questions(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="holds nothing"):
        read_everyday_questions(written(tmp_path))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.id)
def test_the_posts_of_a_sample_question_hold_its_facts(question: EverydayQuestion) -> None:
    carried = "\n".join(POSTS[one] for one in question.posts)
    assert unstated(carried, question.must) == []
    assert unstated(carried, question.should) == []
    everything = "\n".join(POSTS.values())
    assert stated(everything, question.must_not) == list(question.must_not)
    assert not question.outdated or stated(everything, question.outdated)


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.must_not], ids=lambda one: one.id)
def test_a_sample_question_can_be_answered_without_what_must_not_be_shown(question: EverydayQuestion) -> None:
    lines = [line for one in question.posts for line in POSTS[one].split("\n") if not stated(line, question.must_not)]
    assert unstated("\n".join(lines), question.must) == []


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.outdated], ids=lambda one: one.id)
def test_an_older_post_on_the_same_thing_does_not_hold_what_is_true_now(question: EverydayQuestion) -> None:
    themes = {one.split("-")[1] for one in question.posts}
    older = [
        text
        for one, text in POSTS.items()
        if one not in question.posts and one.split("-")[1] in themes and stated(text, question.outdated)
    ]
    assert [text for text in older if not unstated(text, question.must[:1])] == []


def test_the_halves_are_of_all_kinds_in_both_languages_and_share_no_question() -> None:
    dev, closed = map(read_everyday_questions, HALVES)
    assert not {one.id for one in dev} & {one.id for one in closed}
    assert len({plain(one.text) for one in QUESTIONS}) == len(QUESTIONS) >= 160
    sizes = [Counter((one.kind, one.language) for one in half) for half in (dev, closed)]
    assert sizes[0].keys() == sizes[1].keys()
    assert all(abs(sizes[0][one] - sizes[1][one]) <= 1 for one in sizes[0])
    assert Counter(one.language for one in QUESTIONS).keys() == {"en", "zh"}


def test_no_sample_question_repeats_a_sample_query() -> None:
    queries = {plain(json.loads(line)["text"]) for line in (SAMPLE / "queries.jsonl").read_text("utf-8").splitlines()}
    assert [one.text for one in QUESTIONS if plain(one.text) in queries] == []


def test_the_sample_dialogues_are_about_sample_posts_and_ask_for_what_was_said() -> None:
    dialogues = [one for half in ("dev", "closed") for one in read_dialogues(SAMPLE / f"dialogues.{half}.jsonl")]
    assert len({one.id for one in dialogues}) == len(dialogues) == 80
    assert Counter(one.language for one in dialogues) == {"en": 40, "zh": 40}
    assert set(cited_posts(dialogues)) <= POSTS.keys()
    for one in dialogues:
        said = "\n".join([*(asked.question for asked in one.before), one.asked])
        assert unstated(said, one.has) == [], one.id
        assert not any(states(one.asked, way) for way in one.lacks), one.id
