"""The file by which an embedded generation is known to be finished."""

from __future__ import annotations

import json
from pathlib import Path

from retrieval.errors import FixableError
from retrieval.store import GenerationInfo
from retrieval.stores.disk import write_durably
from retrieval.stores.generations import info_fields, info_from_fields

MANIFEST = "manifest.json"


def write_manifest(folder: Path, info: GenerationInfo) -> None:
    """To be called last, when all else in the folder is durable."""
    write_durably(folder / MANIFEST, json.dumps(info_fields(info), indent=2) + "\n")


def read_manifest(folder: Path) -> GenerationInfo:
    """What was written; the folder's name is the generation's.

    Raises:
        FixableError: It is not there, or damaged.
    """
    try:
        return info_from_fields(folder.name, json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = f"delete {folder} and run `stipple reindex PATH` with your posts"
        raise FixableError(f"{folder / MANIFEST} cannot be read: {error}", fix) from error
