"""Detects a file's format by its content, and by its name only if the content is ambiguous."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from indexer.readers.formats.sqlite import SQLITE_MAGIC

FORMATS = ("jsonl", "json", "csv", "tsv", "parquet", "sqlite", "xml")
PACKED = (".gz", ".zst", ".zip", ".tgz", ".tar")
ENDINGS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".js": "json", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".xml": "xml", ".rss": "xml",
    ".atom": "xml", ".wxr": "xml",
}  # fmt: skip
PARQUET_MAGIC = b"PAR1"
# The script before the JSON in each file of an X archive.
SCRIPT = re.compile(rb"\A\s*(?:window\.)?[A-Za-z_][\w.]*\s*=\s*(?=[\[{])")
_LIST_OF_OBJECTS = re.compile(rb"\[\s*[{\]]")
_WEB_PAGE = re.compile(rb"\A\s*<(?:!doctype\s+html|html)", re.IGNORECASE)


def ending(name: str) -> str:
    """The ending of a name without that of its compression: ".csv" of "a.CSV.gz"."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    while suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def binary_format(head: bytes) -> str:
    """One of "parquet", "sqlite" and "" (probably text)."""
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    return "sqlite" if head.startswith(SQLITE_MAGIC) else ""


def text_format(name: str, head: bytes) -> str:
    """The format of a text file.

    Args:
        head: Its beginning, in UTF-8.

    Returns:
        One of FORMATS, or "html" for a web page.
    """
    named = ENDINGS.get(ending(name), "")
    begun = head.lstrip(b" \t\r\n\x1e")
    if begun.startswith(b"<"):
        return "html" if _WEB_PAGE.match(begun) else "xml"
    if begun.startswith((b"{", b"[")) or SCRIPT.match(begun):
        return _json_or_lines(begun, named)
    if named in {"csv", "tsv", "jsonl"}:
        return named
    first = begun.split(b"\n", 1)[0]
    if re.search(rb'[^\s"{}\[\]],|\t|;', first) and begun:
        return "tsv" if b"\t" in first else "csv"
    return "jsonl" if named != "json" else named


def _json_or_lines(begun: bytes, named: str) -> str:
    """JSON Lines if the first line is a whole object, or if only the name says so."""
    first, newline, rest = begun.partition(b"\n")
    if begun.startswith(b"["):
        # A list of objects is a document, whatever the name says; lines that are lists could not be posts.
        return "jsonl" if named == "jsonl" and not _LIST_OF_OBJECTS.match(begun) else "json"
    if not begun.startswith(b"{"):
        return "json"
    if named == "jsonl":
        return "json" if first.strip() == b"{" else "jsonl"
    if newline or len(begun) < 32_000:  # the first line is complete
        try:
            whole = isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            whole = False
        if whole and (rest.lstrip().startswith(b"{") or not named):
            return "jsonl"
    return named if named in {"json", "jsonl"} else "json" if not newline or first.strip() == b"{" else "jsonl"
