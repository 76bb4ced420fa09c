"""Small judged folders, written by the tests that read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

POSTS = {
    "dali": "A flat white at Blue Door in Dali is 28 yuan.",
    "oats": "Oat milk costs 3 yuan more at Blue Door.",
    "moat": "The loop around the moat is five kilometres long.",
    "camp": "苍山脚下的营地，帐篷一晚80元。",
    "noodle": "巷口那家面馆的牛肉面很香。",
    "bike": "环海骑行租车一天40元。",
}
QUERIES = {
    "q1": "flat white price",
    "q2": "oat milk",
    "q3": "running loop moat",
    "q4": "营地帐篷",
    "q5": "牛肉面",
    "q6": "租车骑行",
    "q7": "nobody judged this",
}
QRELS: tuple[tuple[str, str, int], ...] = (
    ("q1", "dali", 2),
    ("q1", "oats", 1),
    ("q2", "oats", 1),
    ("q3", "moat", 1),
    ("q3", "dali", 0),
    ("q4", "camp", 1),
    ("q5", "noodle", 1),
    ("q6", "bike", 1),
)


def write_folder(
    folder: Path,
    posts: Mapping[str, str] = POSTS,
    queries: Mapping[str, str] = QUERIES,
    qrels: Sequence[tuple[str, str, int]] = QRELS,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_texts(folder / "corpus.jsonl", posts)
    write_texts(folder / "queries.jsonl", queries)
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, one)) for one in qrels)]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def write_texts(path: Path, texts: Mapping[str, str]) -> None:
    lines = [json.dumps({"_id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
