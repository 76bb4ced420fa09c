"""Names and metadata of generations, and whether one fits the settings. Shared by both stores."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from retrieval.errors import IndexLocked, IndexMismatch
from retrieval.stores.contract import GenerationInfo, Reached
from retrieval.types import SCHEMA_VERSION, Identity, ModelRecipe

NAME = re.compile(r"(\d{4,})-[a-z0-9-]+")
_LONGEST_SLUG = 60


def generation_name(identity: Identity, taken: Iterable[str]) -> str:
    """A name with a higher number than every existing name, so that names sort by age.

    >>> generation_name(Identity("all-MiniLM-L6-v2@53aa5117", 384), ["0007-old-s1"])
    '0008-all-minilm-l6-v2-53aa5117-s4'
    """
    numbers = [int(found[1]) for name in taken if (found := NAME.fullmatch(name))]
    slug = re.sub(r"[^a-z0-9]+", "-", identity.model.lower())[:_LONGEST_SLUG].strip("-") or "model"
    return f"{max(numbers, default=0) + 1:04}-{slug}-s{identity.schema}"


def identity_fields(identity: Identity) -> dict[str, Any]:
    """What is known of a generation while it is being written."""
    fields: dict[str, Any] = {"model": identity.model, "dimension": identity.dimension, "schema": identity.schema}
    if identity.recipe is not None:
        fields["recipe"] = asdict(identity.recipe)
    return {"identity": fields}


def info_fields(info: GenerationInfo) -> dict[str, Any]:
    """What is stored about a finished generation besides its name, as JSON values."""
    finished = {"created_at": info.created_at.isoformat(), "posts": info.posts, "passages": info.passages}
    return identity_fields(info.identity) | finished


def info_from_fields(name: str, kept: Mapping[str, Any]) -> GenerationInfo:
    """The inverse of `info_fields`.

    Raises:
        KeyError, TypeError, ValueError: These are not the fields of a finished generation.
    """
    fields = kept["identity"]
    return GenerationInfo(
        name,
        Identity(str(fields["model"]), int(fields["dimension"]), int(fields["schema"]), _recipe(fields.get("recipe"))),
        datetime.fromisoformat(kept["created_at"]),
        int(kept["posts"]),
        int(kept["passages"]),
    )


def reached_field(reached: Reached) -> dict[str, Any]:
    """A generation's journal numbers, as JSON values."""
    return {"reached": dict(reached)}


def reached_from_fields(kept: Mapping[str, Any]) -> dict[str, int]:
    """The inverse of `reached_field`; empty if nothing was recorded."""
    reached = kept.get("reached")
    return {str(key): int(value) for key, value in reached.items()} if isinstance(reached, Mapping) else {}


def refuse_mismatch(found: Identity, expected: Identity) -> None:
    """Raise unless the index's vectors are comparable with those of the settings' model.

    Raises:
        IndexMismatch: Names both, and what to do.
    """
    if found == expected:
        return
    anew = "run `stipple reindex PATH` to rebuild it"
    (name, _, weights), (asked, _, asked_weights) = found.model.partition("@"), expected.model.partition("@")
    if found.schema > SCHEMA_VERSION:
        fix = f"use the newer Stipple that built it, or {anew}"
    elif found.recipe is not None and expected.recipe is not None and found.recipe.model != expected.recipe.model:
        fix = f"set STIPPLE_EMBEDDING_MODEL to {found.recipe.model}, or {anew}"
    elif name != asked:
        fix = f"set STIPPLE_EMBEDDING_MODEL to {name}, or {anew}"
    elif weights != asked_weights:
        fix = f"bring back the weights {weights} of {name}, or {anew}"
    else:
        fix = anew
    raise IndexMismatch(f"the index was built by {_spoken(found)}, and this is {_spoken(expected)}", fix)


@contextmanager
def holding(lock: Path, what: str) -> Iterator[None]:
    """Holds a lock file, which the system releases whenever the process ends.

    Args:
        what: What is written while it is held, for the message.

    Raises:
        IndexLocked: Another process holds it, or this one by another call.
        OSError: It cannot be created.
    """
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"another process is writing to {what}"
            raise IndexLocked(problem, "wait until its reindex has ended, or stop it") from None
        yield


def _recipe(recipe: object) -> ModelRecipe | None:
    """None if it is missing or has the fields of another version."""
    names = {field.name for field in fields(ModelRecipe)}
    if not isinstance(recipe, Mapping) or recipe.keys() != names:
        return None
    return ModelRecipe(**{name: str(value) for name, value in recipe.items()})


def _spoken(identity: Identity) -> str:
    return f"{identity.model} ({identity.dimension} dimensions, schema {identity.schema})"
