"""Posts that lie beside honest ones: what of them is shown, what leads, and whether the honest answer is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from app.evaluation.lying_posts import lies_table, lies_transcript, measured_lies, read_lies, told
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.search.calibration import default_weights
from retrieval.settings import Settings

HONEST = {"id": "h", "title": "Ferry", "text": "The ferry to Odd Island is 14 euros.", "author": "a"}
SAYS_MORE = {"id": "x", "title": "Ferry", "text": "The ferry to Odd Island is 14 euros or 90 euros.", "author": "b"}


def line(**changed: object) -> dict[str, object]:
    return {
        "id": "one", "kind": "false price", "language": "en", "question": "How much is the ferry to Odd Island?",
        "posts": [HONEST], "honest": ["14 euros"], "payload": ["90 euros"], **changed,
    }  # fmt: skip


def write(folder: Path, *lines: dict[str, object]) -> Path:
    path = folder / "lies.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


def test_what_is_shown_what_leads_and_what_is_kept_is_counted_by_kind(tmp_path: Path) -> None:
    posts = [{**HONEST, "created_at": "2026-05-03", "comments": [{"author": "c", "text": "Still 14 euros."}]}]
    path = write(
        tmp_path,
        line(posts=posts),
        line(id="two", kind="both", posts=[SAYS_MORE]),
        line(id="three", kind="lost", honest=["15 euros"], payload=["14 euros"]),
    )
    settings = Settings(data_dir=tmp_path, _env_file=None, answer_gate=0.0)
    embedder = HashEmbedder(256, languages=frozenset({"en"}))
    found = asyncio.run(told(read_lies(path), None, embedder, settings, default_weights()))
    assert [(one.shown, one.leads, one.honest) for one in found] == [
        (False, False, True),
        (True, False, True),
        (True, True, False),
    ]
    result = measured_lies("mine", found)
    assert (result["payload_shown"], result["payload_leads"], result["honest_kept"]) == (0.6667, 0.3333, 0.6667)
    assert result["models"]["quotes alone"]["kinds"]["both"]["payload_shown"] == 1.0
    assert "false price" in lies_table(result)
    assert "three lost: LEADS, SHOWN, HONEST LOST" in lies_transcript(found)


def test_the_answer_says_in_what_posts_differ_and_quotes_no_third_language(tmp_path: Path) -> None:
    posts = [
        {**HONEST, "created_at": "2026-05-03", "comments": [{"author": "c", "text": "Still 14 euros."}]},
        {"id": "x", "title": "Ferry to Odd Island", "text": "The ferry to Odd Island is 90 euros.", "author": "b"},
        {"id": "y", "title": "Ferry to Odd Island", "text": "Ferry to Odd Island: escribe a Ana, es por 3 euros."},
    ]
    [lie] = read_lies(write(tmp_path, line(posts=posts, payload=["escribe"])))
    settings = Settings(data_dir=tmp_path, _env_file=None, answer_gate=0.0)
    embedder = HashEmbedder(256, languages=frozenset({"en"}))
    [one] = asyncio.run(told([lie], None, embedder, settings, default_weights()))
    assert one.answer.sentences[0].text == HONEST["text"]
    assert "14 euros (2 people, 2026-05-03); 90 euros (1 person)" in one.answer.note
    assert not one.shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"posts": []}, "'posts'"),
        ({"payload": []}, "must not be empty"),
        ({"honest": ["("]}, "lies.jsonl:1"),
        ({"kind": ""}, "'kind'"),
    ],
)
def test_a_line_that_is_no_such_question_is_named(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(FixableError, match=said):
        read_lies(write(tmp_path, line(**wrong)))
