"""An answer as text for a file, and back. Without its hits: posts' words are not written down a second time; and
without its question, which its turn has.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace

from pydantic import TypeAdapter, ValidationError

from app.answering.types import Answer
from app.conversations.storage.private_file import storable

_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
# What a model thought may say anything of any post, and nobody could tell what to take back of it.
_NOT_KEPT = {"hits": (), "thinking": ""}


class Unreadable(ValueError):
    """What was kept is no answer of this release."""


def to_text(answer: Answer) -> str:
    """The answer as JSON, but for its hits, its thoughts and the words of its question."""
    names = {field.name for field in fields(answer)}
    answer = replace(answer, question=replace(answer.question, text=""))
    bare = replace(answer, **{name: value for name, value in _NOT_KEPT.items() if name in names})  # type: ignore[arg-type]  # an Answer's fields, with values of their types
    return storable(json.dumps(_ANSWER.dump_python(bare, mode="json"), ensure_ascii=False))


def from_text(text: str, question: str) -> Answer:
    """The answer to this question that `to_text` wrote down, without hits.

    Raises:
        Unreadable: An older release wrote it, or something else did.
    """
    try:
        answer = _ANSWER.validate_json(text)
    except ValidationError as error:
        raise Unreadable(str(error.errors()[0]["msg"])) from None
    return replace(answer, question=replace(answer.question, text=question))
