"""Judged questions: each with the only posts that may answer it, and what a good answer holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.evaluation.judged_folder import numbered_lines
from retrieval.errors import FixableError
from retrieval.text.language import detect_language
from retrieval.types import Post

FILE = "questions.jsonl"
_SHAPE = (
    'write each line as {"id": …, "question": …, "posts": [{"id": …, "text": …}], "answerable": true or false,'
    ' "gold": [["one way", "another"]], "evidence": [{"post_id": …, "quote": …}]}'
)


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    """Words of a post that answer the question, or a part of it."""

    post_id: str
    quote: str


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question, its posts, and what a good answer says.

    Attributes:
        posts: The only ones that may be searched for it; at least one.
        answerable: Whether they say it.
        gold: Groups of alternatives; a good answer holds one of each group. Empty where only evidence was judged.
        evidence: Empty where only the answer was judged.
    """

    id: str
    text: str
    language: str
    posts: tuple[Post, ...]
    answerable: bool
    gold: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[GoldEvidence, ...] = ()


def read_questions(folder: Path, limit: int | None = None) -> list[JudgedQuestion]:
    """The questions of folder/questions.jsonl in their order, at most `limit` of them.

    Raises:
        FixableError: The file cannot be read or holds no question, or a line is not such a question (file:line).
    """
    path = folder / FILE if folder.is_dir() else folder
    found: list[JudgedQuestion] = []
    seen: set[str] = set()
    for where, line in numbered_lines(path, f"name a folder with {FILE}"):
        if limit is not None and len(found) == limit:
            break
        try:
            question = _question(json.loads(line))
            if question.id in seen:
                raise ValueError(f"'id' is {question.id!r}, as on an earlier line")
        except (ValueError, TypeError) as error:
            raise FixableError(f"{where}: not a judged question: {error}", _SHAPE) from None
        except KeyError as error:
            raise FixableError(f"{where}: not a judged question: field {error} is missing", _SHAPE) from None
        seen.add(question.id)
        found.append(question)
    if not found:
        raise FixableError(f"{path} holds no question", _SHAPE)
    return found


def _question(raw: Any) -> JudgedQuestion:
    _must(isinstance(raw, dict), "not a JSON object")
    text, posts = _text(raw, "question"), raw["posts"]
    _must(isinstance(posts, list) and bool(posts), "'posts' must be a list that is not empty")
    read = tuple(_post(post) for post in posts)
    ids = [post.id for post in read]
    _must(len(set(ids)) == len(ids), f"two of its posts have the same id: {ids}")
    _must(isinstance(raw["answerable"], bool), "'answerable' must be true or false")
    gold = _groups(raw.get("gold", []))
    evidence = tuple(_evidence(one, read) for one in raw.get("evidence", []))
    return JudgedQuestion(
        _text(raw, "id"), text, raw.get("lang") or detect_language(text), read, raw["answerable"], gold, evidence
    )


def _post(raw: Any) -> Post:
    _must(isinstance(raw, dict), "a post is not a JSON object")
    key, text = _text(raw, "id"), _text(raw, "text")
    title = raw.get("title") or ""
    _must(isinstance(title, str), f"the title of post {key!r} is not a string")
    return Post(key, title, text, language=detect_language(f"{title} {text}"))


def _groups(raw: Any) -> tuple[tuple[str, ...], ...]:
    good = isinstance(raw, list) and all(
        isinstance(group, list) and group and all(isinstance(one, str) and one.strip() for one in group)
        for group in raw
    )
    _must(good, "'gold' must be a list of groups, each a list of strings, none empty")
    return tuple(tuple(group) for group in raw)


def _evidence(raw: Any, posts: Sequence[Post]) -> GoldEvidence:
    _must(isinstance(raw, dict), "evidence must be a list of JSON objects")
    found = GoldEvidence(_text(raw, "post_id"), _text(raw, "quote"))
    _must(
        found.post_id in {post.id for post in posts},
        f"evidence names post {found.post_id!r}, which is not one of its posts",
    )
    return found


def _text(raw: Any, name: str) -> str:
    value = raw[name]
    _must(isinstance(value, str) and bool(value.strip()), f"{name!r} must be a string that is not empty")
    return str(value)


def _must(good: bool, otherwise: str) -> None:
    if not good:
        raise ValueError(otherwise)
