"""Reading a judged folder: what is in it, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.evaluation.judged_folder import read_folder
from retrieval.errors import FixableError
from tests.app.evaluation.folders import write_folder, write_texts


def test_a_folder_holds_its_posts_and_queries_and_grades(tmp_path: Path) -> None:
    folder = read_folder(write_folder(tmp_path / "set"))
    assert folder.name == "set"
    assert [post.id for post in folder.posts] == ["dali", "oats", "moat", "camp", "noodle", "bike"]
    assert len(folder.queries) == 7
    assert [query.id for query in folder.judged] == ["q1", "q2", "q3", "q4", "q5", "q6"]
    assert folder.judged[2].qrels == {"moat": 1, "dali": 0}
    assert [query.language for query in folder.judged] == ["en"] * 3 + ["zh"] * 3


def test_corpus_and_queries_may_lie_elsewhere_or_be_named_within_the_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set")
    write_texts(tmp_path / "other.jsonl", {"q2": "milk"})
    write_texts(folder / "corpus.zh.jsonl", {"oats": "燕麦奶"})
    found = read_folder(folder, Path("corpus.zh.jsonl"), tmp_path / "other.jsonl", "zh")
    assert (found.name, found.posts[0].text, found.queries[0].text) == ("zh", "燕麦奶", "milk")


def test_qrels_may_lie_where_beir_puts_them(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")
    assert len(read_folder(folder).judged) == 6


def test_a_title_may_be_null_and_a_text_may_hold_an_unusual_line_separator(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "corpus.jsonl").write_text('{"_id": 7, "title": null, "text": "a\u2028b"}\r\n', "utf-8")
    post = read_folder(folder).posts[0]
    assert (post.id, post.title, post.text) == ("7", "", "a\u2028b")


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl:7: invalid line"),
        ("corpus.jsonl", '{"text": "x"}', "corpus.jsonl:7: .* field '_id' is missing"),
        ("corpus.jsonl", '{"_id": "x", "text": 3}', "corpus.jsonl:7: .* must be strings"),
        ("corpus.jsonl", '{"_id": "dali", "text": "x"}', "corpus.jsonl:7: .* earlier line"),
        ("corpus.jsonl", "[1]", "corpus.jsonl:7"),
        ("queries.jsonl", '{"_id": "", "text": "x"}', "queries.jsonl:8: .* not empty"),
        ("queries.jsonl", '{"_id": "x"}', "queries.jsonl:8: .* field 'text' is missing"),
        ("qrels.tsv", "q1 dali 1", "qrels.tsv:10: 'q1 dali 1'"),
        ("qrels.tsv", "q1\tdali\tgood", "qrels.tsv:10"),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, file: str, line: str, says: str) -> None:
    folder = write_folder(tmp_path)
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    with pytest.raises(FixableError, match=says):
        read_folder(folder)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    folder = write_folder(tmp_path)
    (folder / file).unlink()
    with pytest.raises(FixableError, match=file):
        read_folder(folder)


def test_what_is_not_utf_8_or_no_folder_or_has_no_judged_query_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="not a folder"):
        read_folder(tmp_path / "none")
    folder = write_folder(tmp_path, qrels=[("other", "dali", 1)])
    with pytest.raises(FixableError, match="no query of"):
        read_folder(folder)
    (folder / "corpus.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(FixableError, match="not UTF-8"):
        read_folder(folder)
