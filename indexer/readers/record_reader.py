"""From a file to its records, whatever format it is written in."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from indexer.readers.archives import DAMAGED, DecompressionBomb
from indexer.readers.exports.recognition import ARRAYS, PAGES
from indexer.readers.formats.delimited import Header, looks_like_names, table_rows
from indexer.readers.formats.detect import SCRIPT, binary_format, text_format
from indexer.readers.formats.encodings import in_utf8
from indexer.readers.formats.json_document import json_items
from indexer.readers.formats.jsonl import line_record, parsed
from indexer.readers.formats.lines import LONGEST_LINE, read_lines, with_head
from indexer.readers.formats.parquet import parquet_rows
from indexer.readers.formats.sqlite import sqlite_rows
from indexer.readers.formats.xml import RECORDS, xml_elements
from indexer.readers.input_files import HEAD_BYTES, InputFile
from indexer.readers.mapping.mapping_file import AS_THEY_ARE, FieldMapping
from indexer.readers.record_kinds import SCRIPT_NAME
from indexer.readers.records import Record, Records
from indexer.rejects import Rejected

A_VALUE = 'JSON: objects such as {"id": "1", "text": "..."}, in a list or one after another'


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read, where that cannot be detected.

    Attributes:
        format: One of formats.FORMATS; "" detects it.
        encoding: A name that Python's codecs know; "" detects it.
        table: Which table of an SQLite file.
        mapping: Where the fields of a post come from.
        ignore_unknown: Ignore fields that a post does not have.
        private: Whether to read posts of platforms that were not public.
        zone: The time zone of dates that say none; None: UTC, and they are counted.
        records_most: Most records to read of each file; 0: all.
    """

    format: str = ""
    encoding: str = ""
    table: str = ""
    mapping: FieldMapping = AS_THEY_ARE
    ignore_unknown: bool = False
    private: bool = False
    zone: tzinfo | None = None
    records_most: int = 0


DETECTED = ReadOptions()


@dataclass(frozen=True, slots=True)
class FileRecords:
    """The records of a file.

    Attributes:
        format: One of formats.FORMATS; "" where there can be no posts in the file.
        document: What the file says besides its records; filled while they are read.
        rejected: What was rejected before the first record.
    """

    format: str
    records: Records
    document: dict[str, object] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()


@contextmanager
def opened_records(file: InputFile, options: ReadOptions, tell: Callable[[str], None]) -> Iterator[FileRecords]:
    """The records of a file, to be read inside the block; `tell` is given the encoding, where it is not UTF-8."""
    name = options.format or options.mapping.format or binary_format(file.head)
    if name in {"parquet", "sqlite"}:
        with _on_disk(file) as path:
            yield FileRecords(name, _binary(path, file.name, name, options))
    else:
        encoding = options.encoding or options.mapping.encoding
        decoded = in_utf8(file.stream, encoding, lambda found: tell(f"{file.name}: read as {found}"))
        head, stream = with_head(decoded, HEAD_BYTES)
        yield _text(InputFile(file.name, head, stream, file.path, file.beside), name, options)


def _binary(path: Path, source: str, name: str, options: ReadOptions) -> Records:
    if name == "parquet":
        return parquet_rows(path, source)
    mapping = options.mapping
    return sqlite_rows(path, source, options.table or mapping.table, "" if options.table else mapping.query)


def _text(file: InputFile, name: str, options: ReadOptions) -> FileRecords:
    name = name or text_format(file.name, file.head)
    wanted, document = options.mapping.records, dict[str, object]()
    if not file.head.strip() and len(file.head) < HEAD_BYTES:
        return FileRecords("", iter(()))
    if name == "html":
        problem, expected = "the file is a web page", "posts: an export, a feed, or a post file"
        return FileRecords("", iter([Rejected(file.name, 0, "", problem, expected)]))
    if name == "xml":
        elements = frozenset([wanted]) if wanted else RECORDS
        return FileRecords(name, xml_elements(file.stream, file.name, elements, document), document)
    if name in {"csv", "tsv"}:
        return _table(file, name)
    if name == "json":
        arrays = [tuple(wanted.split("."))] if wanted else ARRAYS if options.mapping.keeps_rest else PAGES
        return FileRecords(name, _items(file, arrays, document), document)
    return FileRecords(name, _lines(file))


def _lines(file: InputFile) -> Records:
    for line in read_lines(file.stream, blank=False):
        found = line_record(line, file.name)
        if found is not None:
            yield found


def _items(file: InputFile, arrays: Sequence[tuple[str, ...]], document: dict[str, object]) -> Records:
    prefix = SCRIPT.match(file.head)
    if prefix is not None:
        file.stream.read(prefix.end())
        document[SCRIPT_NAME] = prefix[0].decode("utf-8", "replace").strip(" =\t\r\n")
    before = b""
    for item in json_items(file.stream, arrays):
        if not item.whole:
            yield Rejected(file.name, item.line, "", "the JSON ends too early", "a whole file", item.data)
        elif item.too_long:
            problem = f"the value has {item.size_bytes:,} bytes"
            yield Rejected(file.name, item.line, "", problem, f"at most {LONGEST_LINE:,} bytes", item.data)
        else:
            if item.document != before:
                before = item.document
                found = parsed(before, file.name, item.line, "", "")
                if isinstance(found, Record) and isinstance(found.value, dict):
                    document.update(found.value)
            yield parsed(item.data, file.name, item.line, "the value", A_VALUE)


def _table(file: InputFile, name: str) -> FileRecords:
    rows = table_rows(file.stream, file.name, "\t" if name == "tsv" else ",")
    rejected: list[Rejected] = []
    try:
        for first in rows:
            if not isinstance(first, Rejected):
                break
            rejected.append(first)
        else:
            return FileRecords("", iter(rejected))
    except (*DAMAGED, DecompressionBomb, OSError) as error:
        return FileRecords("", itertools.chain(rejected, failing(error)))
    assert isinstance(first, Header), "a table begins with its header"
    if not looks_like_names(first.names):
        expected = "a line of column names, such as id,title,text"
        rejected.append(Rejected(file.name, first.line, "", "the first line names no columns", expected))
        return FileRecords("", iter(rejected))
    records = (row for row in rows if not isinstance(row, Header))
    return FileRecords(name, records, rejected=tuple(rejected))


def failing(error: Exception) -> Records:
    """Records whose reading fails at once."""
    raise error
    yield  # a generator: it fails when it is read


@contextmanager
def _on_disk(file: InputFile) -> Iterator[Path]:
    """A path to a file that needs random access; one inside an archive is unpacked into the temporary folder."""
    if file.path is not None:
        yield file.path
        return
    with tempfile.NamedTemporaryFile() as kept:
        shutil.copyfileobj(file.stream, kept)
        kept.flush()
        yield Path(kept.name)
