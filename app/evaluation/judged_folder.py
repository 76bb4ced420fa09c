"""A judged folder: posts, queries, and which post answers which query, in BEIR's format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.evaluation.index_quality import JudgedQuery
from retrieval.errors import FixableError
from retrieval.text.language import detect_language
from retrieval.types import Post

T = TypeVar("T")
_SHAPE = 'write corpus.jsonl and queries.jsonl as {"_id": …, "title": …, "text": …} (title may be left out)'
_QRELS = "write qrels.tsv as a header line, then query id, post id and grade, between tabs"


@dataclass(frozen=True, slots=True)
class JudgedFolder:
    """Everything needed to measure retrieval.

    Attributes:
        queries: In the order of their file; `qrels` is empty where nothing was judged. One whose grades are all 0
            counts 0 in every measure, as it does in trec_eval.
    """

    name: str
    posts: tuple[Post, ...]
    queries: tuple[JudgedQuery, ...]

    @property
    def judged(self) -> list[JudgedQuery]:
        return [query for query in self.queries if query.qrels]


def read_folder(folder: Path, corpus: Path | None = None, queries: Path | None = None, name: str = "") -> JudgedFolder:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv (or qrels/test.tsv).

    Args:
        corpus, queries: Read instead of the folder's own: a path, or else a name inside the folder.
        name: What the set is called; empty: the folder's name.

    Raises:
        FixableError: A file cannot be read, a line is broken (file:line), or no query is judged.
    """
    if not folder.is_dir():
        raise FixableError(f"{folder} is not a folder", "name a folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    corpus_path = _chosen(folder, corpus, "corpus.jsonl")
    queries_path = _chosen(folder, queries, "queries.jsonl")
    qrels_path = next((path for path in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if path.exists()), None)
    if qrels_path is None:
        raise FixableError(f"{folder / 'qrels.tsv'} is missing", _QRELS)

    posts = _each_once(corpus_path, lambda text: _post(json.loads(text)))
    texts = _each_once(queries_path, lambda text: _query(json.loads(text)))
    if not posts:
        raise FixableError(f"{corpus_path} holds no post", _SHAPE)
    grades = _grades(qrels_path)
    judged = tuple(JudgedQuery(key, text, detect_language(text), grades.get(key, {})) for key, text in texts.items())
    found = JudgedFolder(name or folder.resolve().name, tuple(posts.values()), judged)
    if not found.judged:
        raise FixableError(f"no query of {queries_path} is judged in {qrels_path}", "give files that belong together")
    return found


def _chosen(folder: Path, given: Path | None, usual: str) -> Path:
    if given is None:
        return folder / usual
    inside = folder / given
    return inside if not given.exists() and inside.exists() else given


def _post(raw: Any) -> tuple[str, Post]:
    key, title, text = _id(raw), raw.get("title") or "", raw["text"]
    if not isinstance(title, str) or not isinstance(text, str):
        raise TypeError("'title' and 'text' must be strings")
    return key, Post(key, title, text, language=detect_language(f"{title} {text}"))


def _query(raw: Any) -> tuple[str, str]:
    if not isinstance(raw["text"], str):
        raise TypeError("'text' must be a string")
    return _id(raw), raw["text"]


def _id(raw: Any) -> str:
    key = raw["_id"]
    if not isinstance(key, str | int) or str(key) == "":
        raise TypeError("'_id' must be a string that is not empty")
    return str(key)


def _each_once(path: Path, read: Callable[[str], tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for where, line in numbered_lines(path, _SHAPE):
        try:
            key, value = read(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            says = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise FixableError(f"{where}: invalid line: {says}", _SHAPE) from None
        if key in found:
            raise FixableError(f"{where}: '_id' is {key!r}, as on an earlier line", "give every line an _id of its own")
        found[key] = value
    return found


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    lines = numbered_lines(path, _QRELS)
    next(lines, None)
    for where, line in lines:
        try:
            query, post, grade = line.split("\t")
            grades.setdefault(query, {})[post] = int(grade)
        except ValueError:
            raise FixableError(f"{where}: {line[:80]!r} is not a query id, post id and whole grade", _QRELS) from None
    return grades


def numbered_lines(path: Path, fix: str) -> Iterator[tuple[str, str]]:
    """Each non-blank line, with file:line."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise FixableError(f"{path} cannot be read: {error.strerror}", fix) from error
    except UnicodeDecodeError as error:
        raise FixableError(f"{path} is not UTF-8: {error.reason} at byte {error.start}", "convert it") from error
    # Only line feeds end a line: a text may hold U+2028 and the like, where splitlines() would cut JSON in two.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", line.rstrip("\r")
