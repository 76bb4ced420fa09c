"""Records: what a file contains before it is posts, as JSON values, whatever the format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.rejects import RAW_BYTES, Rejected


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Attributes:
        line: Where it begins, from 1; the row if the file has no lines (Parquet, SQLite).
        value: A parsed JSON value: dict, list, str, int, float, bool or None.
        raw: The first 64 KiB of its text, or of its JSON if the file is not text.
    """

    line: int
    value: object
    raw: bytes


Records = Iterator[Record | Rejected]


def as_json(value: object) -> bytes:
    """The first 64 KiB of a record's JSON, for records that are not text in the file."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")[:RAW_BYTES]
