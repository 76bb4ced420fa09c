"""What a file holds, before it is a post: records, as JSON would have them, whatever they were written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.rejects import RAW_BYTES, Rejected


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in a file.

    Attributes:
        line: Where it begins, from 1; its row where the file has no lines (Parquet, SQLite).
        value: As a JSON reader gives it: dict, list, str, int, float, bool or None.
        raw: As it stands there, its first 64 KiB; or its JSON, where it does not stand there as text.
    """

    line: int
    value: object
    raw: bytes


Records = Iterator[Record | Rejected]


def as_json(value: object) -> bytes:
    """A record's JSON, its first 64 KiB: what is kept of one that did not stand there as text."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")[:RAW_BYTES]
