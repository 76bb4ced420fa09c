"""The file that marks an embedded generation as finished."""

from __future__ import annotations

import json
from pathlib import Path

from retrieval.disk import naming_folder_trouble, write_durably
from retrieval.errors import FixableError
from retrieval.stores.contract import GenerationInfo
from retrieval.stores.generations import info_fields, info_from_fields

MANIFEST = "manifest.json"


def rebuilding(folder: Path) -> str:
    """How to repair a damaged generation. Its embeddings are kept elsewhere, so rebuilding is quick."""
    return f"delete {folder} and run `stipple reindex PATH` with your posts"


def write_manifest(folder: Path, info: GenerationInfo) -> None:
    """Call it last, when everything else in the folder is durable."""
    write_durably(folder / MANIFEST, json.dumps(info_fields(info), indent=2) + "\n")


def read_manifest(folder: Path) -> GenerationInfo:
    """The metadata that was written; the folder's name is the generation's.

    Raises:
        FixableError: It is missing or damaged.
    """
    with naming_folder_trouble(folder, rebuilding(folder)):
        content = (folder / MANIFEST).read_bytes()
    try:
        return info_from_fields(folder.name, json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise FixableError(f"{folder / MANIFEST} is damaged: {error!r}", rebuilding(folder)) from error
