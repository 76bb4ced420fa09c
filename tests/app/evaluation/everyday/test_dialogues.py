"""A dialogue is understood where the last question, completed, holds what it must and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.conversations.standalone.completion import complete
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from app.evaluation.everyday.dialogues import (
    Complete,
    cited_posts,
    dialogues_table,
    dialogues_transcript,
    measured_dialogues,
    read_dialogues,
    understand,
)
from retrieval.errors import FixableError
from retrieval.types import Post

COFFEE = {
    "id": "coffee", "language": "en", "kind": "fragment", "asked": "and an espresso?",
    "before": [{"question": "How much is a flat white at Blue Door?", "posts": ["door"]}],
    "has": [["espresso"], ["Blue Door"], ["much", "price"]], "lacks": ["flat white"],
}  # fmt: skip
SWITCH = COFFEE | {"id": "switch", "kind": "switch", "asked": "how to wax a chain", "has": [["chain"]]}
POSTS = {"door": Post("door", "Blue Door, the corner cafe", "Open at nine.")}


def written(folder: Path, *dialogues: object) -> Path:
    path = folder / "dialogues.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in dialogues), "utf-8")
    return path


async def by_rules(asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
    return complete(asked, earlier)


async def not_at_all(asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
    del earlier
    return StandaloneQuestion(asked)


@pytest.mark.parametrize(
    ("complete", "understood"),
    [(by_rules, {"fragment": 1, "switch": 1}), (not_at_all, {"fragment": 0, "switch": 1})],
)
def test_a_fragment_needs_its_subject_and_a_switch_does_not(
    tmp_path: Path, complete: Complete, understood: dict[str, float]
) -> None:
    dialogues = read_dialogues(written(tmp_path, COFFEE, SWITCH))
    found = asyncio.run(understand(dialogues, POSTS, complete))
    result = measured_dialogues("set", found)
    assert result["kinds"] == understood
    assert "2 dialogues" in dialogues_table(result)
    read = dialogues_transcript("by rules", found)
    assert "and an espresso?" in read
    assert ("NOT UNDERSTOOD" in read) == (result["understood"] < 1)


def test_what_must_be_lacking_is_looked_for(tmp_path: Path) -> None:
    async def everything(asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
        return StandaloneQuestion(" ".join([*(one.question for one in earlier), asked]), "model")

    found = asyncio.run(understand(read_dialogues(written(tmp_path, COFFEE, SWITCH)), POSTS, everything))
    assert [one.understood for one in found] == [False, False]
    assert "holds: flat white" in dialogues_transcript("", found)


def test_the_posts_that_an_answer_cited_are_there_to_complete_from(tmp_path: Path) -> None:
    seen: list[EarlierQuestion] = []

    async def looks(asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
        seen.extend(earlier)
        return StandaloneQuestion(asked)

    dialogues = read_dialogues(written(tmp_path, COFFEE))
    assert cited_posts(dialogues) == ["door"]
    asyncio.run(understand(dialogues, POSTS, looks))
    assert [one.titles for one in seen] == [("Blue Door, the corner cafe",)]
    assert "Open at nine." in seen[0].post_text


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"before": []}, "'before' must be a list"),
        ({"has": []}, "'has' must not be empty"),
        ({"lack": ["x"]}, "there is no field 'lack'"),
        ({"asked": " "}, "'asked' must be a string"),
    ],
)
def test_a_broken_line_is_said_with_its_place(tmp_path: Path, broken: dict[str, object], says: str) -> None:
    with pytest.raises(FixableError, match=f"dialogues.jsonl:2: .*{says}"):
        read_dialogues(written(tmp_path, COFFEE, COFFEE | {"id": "x"} | broken))
