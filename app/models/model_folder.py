"""Catalog models on disk, in `models/` of the data directory: which are there, and whether they are whole.

A model's file appears under its name only when all of it is there and its sum is right (`pull` renames it); what has
been pulled so far lies beside it as `.part`. So size alone tells a whole file from a damaged one, unless it was altered
later: `damage` reads all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from app.models.catalog import CatalogModel, catalog_model
from retrieval.errors import ModelMissing
from retrieval.settings import Settings

_CHUNK_BYTES = 1 << 20


class ModelNotPulled(ModelMissing):
    """A catalog model whose file is not there, or not whole. Answers can be made of quotes meanwhile."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is on disk of a model.

    Attributes:
        kind: "begun": a pull that did not end; "damaged": a file of the wrong size.
        size_bytes: Of what is there.
    """

    kind: Literal["absent", "begun", "damaged", "whole"]
    size_bytes: int


def models_folder(settings: Settings) -> Path:
    return settings.data_dir / "models"


def part_path(model: CatalogModel, folder: Path) -> Path:
    """Where a pull keeps what it has so far."""
    return folder / f"{model.file}.part"


def state_of(model: CatalogModel, folder: Path) -> ModelState:
    """What is there, by size."""
    size = _size_bytes(folder / model.file)
    if size is not None:
        return ModelState("whole" if size == model.size_bytes else "damaged", size)
    begun = _size_bytes(part_path(model, folder))
    return ModelState("begun", begun) if begun is not None else ModelState("absent", 0)


def pulled_path(model: CatalogModel, settings: Settings) -> Path:
    """The model's file.

    Raises:
        ModelNotPulled: It is not there, or has the wrong size.
    """
    folder = models_folder(settings)
    state = state_of(model, folder)
    if state.kind == "whole":
        return folder / model.file
    if state.kind == "damaged":
        problem = f"{folder / model.file} is damaged: it has {state.size_bytes:,} bytes, not {model.size_bytes:,}"
    else:
        begun = f" ({state.size_bytes / model.size_bytes:.0%} of it is)" if state.kind == "begun" else ""
        problem = f"the model {model.name} is not in {folder} yet{begun}"
    raise ModelNotPulled(f"{problem}; answers are quotes", f"run `stipple models pull {model.name}`, then start again")


def writer_problem(settings: Settings) -> ModelNotPulled | None:
    """Why answers are quotes although the settings name a catalog model; None where they do not, or it is there."""
    model = catalog_model(settings.llm)
    if model is None:
        return None
    try:
        pulled_path(model, settings)
    except ModelNotPulled as problem:
        return problem
    return None


def damage(model: CatalogModel, path: Path) -> str | None:
    """What is wrong with the file; None where it is the publisher's, byte for byte. Reads all of it.

    Raises:
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    if size != model.size_bytes:
        return f"it has {size:,} bytes, not {model.size_bytes:,}"
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == model.sha256:
            return None
        file.seek(0)
        right = checked_bytes(model, file)
    for number, part in enumerate(model.parts, start=1):
        if part.start == right:
            return f"bytes {part.start:,} to {part.end - 1:,} (part {number} of {len(model.parts)}) are altered"
    return "its sha256 is not the publisher's"


def checked_bytes(model: CatalogModel, file: BinaryIO) -> int:
    """How much of the file's beginning is right: the end of the last part whose sum, and all sums before it, match."""
    for part in model.parts:
        digest, left = hashlib.sha256(), part.size_bytes
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.hexdigest() != part.sha256:
            return part.start
    return model.size_bytes


def _size_bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
