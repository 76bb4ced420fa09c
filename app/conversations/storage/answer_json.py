"""An answer as JSON for a file, and back. Without its hits, so that posts' words are not stored a second time, and
without its question, which its turn has. Pure.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace

from pydantic import TypeAdapter, ValidationError

from app.answering.types import Answer
from app.conversations.storage.private_file import storable

_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
# Thoughts may repeat any post, and it would not be known what to withdraw from them.
_NOT_KEPT = {"hits": (), "thinking": ""}


class Unreadable(ValueError):
    """The text is not an answer of this release."""


def to_text(answer: Answer) -> str:
    """The answer as JSON, without its hits, its thoughts and the words of its question."""
    names = {field.name for field in fields(answer)}
    answer = replace(answer, question=replace(answer.question, text=""))
    bare = replace(answer, **{name: value for name, value in _NOT_KEPT.items() if name in names})  # type: ignore[arg-type]  # an Answer's fields, with values of their types
    return storable(json.dumps(_ANSWER.dump_python(bare, mode="json"), ensure_ascii=False))


def from_text(text: str, question: str) -> Answer:
    """The answer to this question, as `to_text` wrote it, without hits.

    Raises:
        Unreadable: This release did not write it.
    """
    try:
        answer = _ANSWER.validate_json(text)
    except ValidationError as error:
        raise Unreadable(str(error.errors()[0]["msg"])) from None
    return replace(answer, question=replace(answer.question, text=question))
