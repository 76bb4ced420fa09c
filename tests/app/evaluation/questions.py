"""A small judged folder of questions, written by the tests that read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CAFE = {"id": "cafe", "text": "Blue Door opens at nine. A flat white at Blue Door is 28 yuan, and oat milk is extra."}
LOOP = {"id": "loop", "text": "The loop around the moat is five kilometres long. It is lit until eleven at night."}
CAMP = {"id": "camp", "text": "苍山脚下的营地很安静。帐篷一晚80元，停车另收30元。"}
QUESTIONS: tuple[dict[str, Any], ...] = (
    {
        "id": "price",
        "lang": "en",
        "question": "How much is a flat white at Blue Door?",
        "posts": [CAFE, LOOP],
        "answerable": True,
        "gold": [["28 yuan", "28"]],
        "evidence": [{"post_id": "cafe", "quote": "A flat white at Blue Door is 28 yuan"}],
    },
    {
        "id": "price-u",
        "lang": "en",
        "question": "How much is a flat white at Blue Door?",
        "posts": [LOOP],
        "answerable": False,
        "gold": [],
        "evidence": [],
    },
    {
        "id": "tent",
        "lang": "zh",
        "question": "苍山脚下的营地帐篷一晚多少钱？",
        "posts": [LOOP, CAMP],
        "answerable": True,
        "gold": [["80元"]],
        "evidence": [{"post_id": "camp", "quote": "帐篷一晚80元"}],
    },
)


def write_questions(folder: Path, questions: Sequence[dict[str, Any]] = QUESTIONS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one, ensure_ascii=False) for one in questions]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder
