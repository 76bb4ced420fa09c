"""One run's reading: parts to records, records to pieces, pieces to posts; what waits for its comments comes last."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.posts.validation import unknown_columns
from indexer.readers.archives import DAMAGED, DecompressionBomb
from indexer.readers.comment_threads import Threads
from indexer.readers.exports.recognition import PAGES, is_own, recognise, records_in
from indexer.readers.formats.delimited import Header, looks_like_names, table_rows
from indexer.readers.formats.detect import SCRIPT, binary_format, text_format
from indexer.readers.formats.encodings import in_utf8
from indexer.readers.formats.json_document import json_items
from indexer.readers.formats.jsonl import Offered, line_record, offered, parsed
from indexer.readers.formats.lines import LONGEST_LINE, read_lines, with_head
from indexer.readers.formats.parquet import parquet_rows
from indexer.readers.formats.sqlite import sqlite_rows
from indexer.readers.formats.xml import RECORDS, xml_elements
from indexer.readers.input_files import HEAD_BYTES, InputFile
from indexer.readers.mapping.cells import cell_values
from indexer.readers.mapping.map_option import Move, apply_moves
from indexer.readers.mapping.mapping_file import FieldMapping
from indexer.readers.record_kinds import FileContext, InvalidRecord, Platform, PostRecord, RecordKind, SkippedRecord
from indexer.readers.records import Record, Records, as_json
from indexer.rejects import Rejected

LOOKED_AT = 20  # records, before it is said whose they are
A_VALUE = 'JSON: objects such as {"id": "1", "text": "..."}, in a list or one after another'


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are to be read, where they do not tell it themselves.

    Attributes:
        format: One of formats.FORMATS; "" to find out.
        encoding: As Python's codecs know it; "" to find out.
        table: Of SQLite files.
        mapping: What the fields of other exports are.
        moves: The same in short: fields to read from elsewhere in a record.
        ignore_unknown: Pass over fields that a post does not have.
        private: Whether posts of platforms are wanted that were not for everybody.
        records_most: Of each file read no more than so many; 0: all.
    """

    format: str = ""
    encoding: str = ""
    table: str = ""
    mapping: FieldMapping | None = None
    moves: Sequence[Move] = ()
    ignore_unknown: bool = False
    private: bool = False
    records_most: int = 0


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file was taken for.

    Attributes:
        format: One of formats.FORMATS.
        platform: As a person calls it; "mapping" where one was given, "" where the file has a post file's own shape.
    """

    source: str
    format: str
    platform: str

    def __str__(self) -> str:
        return f"{self.source}: read as {self.platform or 'posts as they are'} ({self.format})"


class Reading:
    """Reads parts one after another, and at the end what was waiting for them all.

    Args:
        tell: Given what a person should know of a file that was read: its encoding, what was passed over in it.
        recognised: Given what each file was taken for, before its first post.
    """

    def __init__(
        self, options: ReadOptions, tell: Callable[[str], None], recognised: Callable[[Recognised], None]
    ) -> None:
        self._options, self._tell, self._recognised = options, tell, recognised
        self._threads: dict[str, Threads] = {}
        self.took_something = False  # that was not given out at once: something that waits, or was passed over

    def read(self, part: InputFile) -> Iterator[Offered | Rejected]:
        """The posts of a part that wait for nothing."""
        options = self._options
        name = options.format or (options.mapping.format if options.mapping else "") or binary_format(part.head)
        if name in {"parquet", "sqlite"}:
            with _on_disk(part) as path:
                yield from self._records(part, name, self._binary(part, path, name))
            return
        encoding = options.encoding or (options.mapping.encoding if options.mapping else "")
        told = in_utf8(part.stream, encoding, lambda found: self._tell(f"{part.name}: read as {found}"))
        head, stream = with_head(told, HEAD_BYTES)
        name = name or text_format(part.name, head)
        part = InputFile(part.name, head, stream, part.path, part.beside)
        document: dict[str, object] = {}
        if not head.strip() and len(head) < HEAD_BYTES:
            return
        if name == "html":
            yield Rejected(part.name, 0, "", "the file is a web page", "posts: an export, a feed, or a post file")
        elif name == "xml":
            wanted = self._wanted() or RECORDS
            yield from self._records(part, name, xml_elements(stream, part.name, wanted, document), document)
        elif name in {"csv", "tsv"}:
            yield from self._table(part, name)
        elif name == "json":
            yield from self._records(part, name, self._items(part, document), document)
        else:
            yield from self._records(part, name, _lines(part))

    def rest(self) -> Iterator[Offered | Rejected]:
        """Posts that could have had comments anywhere in the input, with those that there were."""
        for platform, threads in self._threads.items():
            for thread in threads.joined():
                record = Record(thread.line, thread.post, thread.raw)
                yield offered(record, thread.source, ignore_unknown=True)
            if threads.alone:
                self._tell(f"{platform}: comments without their post, which are posts of their own: {threads.alone:,}")
        self.close()

    def close(self) -> None:
        for threads in self._threads.values():
            threads.close()
        self._threads.clear()

    def _threads_of(self, platform: str) -> Threads:
        if platform not in self._threads:
            self._threads[platform] = Threads()
        return self._threads[platform]

    def _wanted(self) -> frozenset[str]:
        mapping = self._options.mapping
        return frozenset([mapping.records]) if mapping and mapping.records else frozenset()

    def _binary(self, part: InputFile, path: Path, name: str) -> Records:
        if name == "parquet":
            return parquet_rows(path, part.name)
        mapping = self._options.mapping
        table = self._options.table or (mapping.table if mapping else "")
        return sqlite_rows(path, part.name, table, mapping.query if mapping and not self._options.table else "")

    def _items(self, part: InputFile, document: dict[str, object]) -> Records:
        prefix = SCRIPT.match(part.head)
        if prefix is not None:
            part.stream.read(prefix.end())
        mapping = self._options.mapping
        arrays = [tuple(mapping.records.split("."))] if mapping and mapping.records else PAGES
        before = b""
        for item in json_items(part.stream, arrays):
            if not item.whole:
                yield Rejected(part.name, item.line, "", "the JSON ends too early", "a whole file", item.data)
            elif item.too_long:
                problem = f"the value has {item.size_bytes:,} bytes"
                yield Rejected(part.name, item.line, "", problem, f"at most {LONGEST_LINE:,} bytes", item.data)
            else:
                if item.document != before:
                    before = item.document
                    found = parsed(before, part.name, item.line, "", "")
                    if isinstance(found, Record) and isinstance(found.value, dict):
                        document.update(found.value)
                yield parsed(item.data, part.name, item.line, "the value", A_VALUE)

    def _table(self, part: InputFile, name: str) -> Iterator[Offered | Rejected]:
        rows = table_rows(part.stream, part.name, "\t" if name == "tsv" else ",")
        first = next(rows, None)
        while isinstance(first, Rejected):
            yield first
            first = next(rows, None)
        if first is None:
            return
        assert isinstance(first, Header), "a table begins with its header"
        if not looks_like_names(first.names):
            problem = "the first line names no columns"
            yield Rejected(part.name, first.line, "", problem, "a line of column names, such as id,title,text")
            return
        yield from self._records(part, name, (row for row in rows if not isinstance(row, Header)))

    def _records(
        self, part: InputFile, name: str, records: Records, document: dict[str, object] | None = None
    ) -> Iterator[Offered | Rejected]:
        if self._options.records_most:
            records = itertools.islice(records, self._options.records_most)
        if self._options.mapping is not None:
            self._recognised(Recognised(part.name, name, "mapping"))
            yield from self._by_pieces(part, records, "mapping", self._options.mapping.read, document)
            return
        looked_at, records = _first(records, LOOKED_AT)
        values = [record.value for record in looked_at if isinstance(record, Record)]
        platform = None if self._options.moves or any(map(is_own, values)) else recognise(values)
        self._recognised(Recognised(part.name, name, platform.name if platform else ""))
        if platform is not None:
            yield from self._by_pieces(
                part, _each(records), platform.name.split(",")[0], _reader_of(platform), document
            )
        elif name in {"jsonl", "json"}:
            yield from self._as_they_are(part, records)
        else:
            yield from self._rows(part, name, records, values)

    def _as_they_are(self, part: InputFile, records: Records) -> Iterator[Offered | Rejected]:
        moves, ignore_unknown = self._options.moves, self._options.ignore_unknown
        for record in records:
            yield record if isinstance(record, Rejected) else offered(record, part.name, moves, ignore_unknown)

    def _rows(
        self, part: InputFile, name: str, records: Records, values: Sequence[object]
    ) -> Iterator[Offered | Rejected]:
        """Rows of tables. A table that is none of posts, or has unknown columns, is rejected once, not row by row."""
        columns = dict.fromkeys(column for value in values if isinstance(value, dict) for column in value)
        read_from = {move.old.split(".")[0] for move in self._options.moves} | {
            move.old for move in self._options.moves
        }
        named = {move.new for move in self._options.moves} | columns.keys() - read_from
        missing = "id" if "id" not in named else "text" if not {"text", "title"} & named else ""
        if missing and columns:
            shown = ", ".join(itertools.islice(columns, 12)) + (", ..." if len(columns) > 12 else "")
            problem = f"is missing: the {'elements' if name == 'xml' else 'columns'} are {shown}"
            expected = "a file of posts (--map id=..., or --mapping FILE, says where its fields are)"
            yield Rejected(part.name, 0, missing, problem, expected)
            return
        unknown = None if self._options.ignore_unknown else unknown_columns(sorted_out(columns, read_from))
        if unknown is not None:
            yield Rejected(part.name, 0, unknown.field, unknown.problem, unknown.expected)
            return
        for record in records:
            if isinstance(record, Rejected):
                yield record
                continue
            value = record.value
            if isinstance(value, dict):
                value = {column: cell for column, cell in value.items() if column != "#"}
                value = cell_values(apply_moves(value, self._options.moves) if self._options.moves else value)
            yield offered(Record(record.line, value, record.raw), part.name, (), self._options.ignore_unknown)

    def _by_pieces(
        self,
        part: InputFile,
        records: Records,
        platform: str,
        read: Callable[[dict[str, object], FileContext], Iterator[RecordKind]],
        document: dict[str, object] | None,
    ) -> Iterator[Offered | Rejected]:
        context = FileContext(part.name, self._options.private, {} if document is None else document, part.beside)
        passed: Counter[str] = Counter()
        for record in records:
            if isinstance(record, Rejected) or not isinstance(record.value, dict):
                yield record if isinstance(record, Rejected) else offered(record, part.name)
                continue
            for piece in read(record.value, context):
                self.took_something = True
                if isinstance(piece, SkippedRecord):
                    passed[piece.reason] += 1
                elif isinstance(piece, InvalidRecord):
                    yield Rejected(part.name, record.line, piece.field, piece.problem, piece.expected, record.raw)
                elif isinstance(piece, PostRecord) and not piece.key:
                    yield offered(Record(record.line, piece.post, record.raw), part.name, ignore_unknown=True)
                else:
                    self._threads_of(platform).add(piece, part.name, record.line)
        if passed:
            counts = ", ".join(f"{reason} ({count:,})" for reason, count in sorted(passed.items()))
            self._tell(f"{part.name}: passed over: {counts}")


def _first(records: Records, most: int) -> tuple[list[Record | Rejected], Records]:
    """The first records, and all of them. Where reading fails among the first, it fails after they were given out."""
    looked_at: list[Record | Rejected] = []
    try:
        looked_at.extend(itertools.islice(records, most))  # extend keeps what came before an error
    except (*DAMAGED, DecompressionBomb, OSError) as error:
        return looked_at, itertools.chain(looked_at, _failing(error))
    return looked_at, itertools.chain(looked_at, records)


def _failing(error: Exception) -> Records:
    raise error
    yield  # a generator: it fails when it is read


def _lines(part: InputFile) -> Records:
    for line in read_lines(part.stream, blank=False):
        found = line_record(line, part.name)
        if found is not None:
            yield found


def _each(records: Records) -> Records:
    """The records, those of pages one by one."""
    for record in records:
        if isinstance(record, Rejected):
            yield record
            continue
        inside = list(records_in(record.value))
        if len(inside) == 1 and inside[0] is record.value:
            yield record
        else:
            yield from (Record(record.line, value, as_json(value)) for value in inside)


def _reader_of(platform: Platform) -> Callable[[dict[str, object], FileContext], Iterator[RecordKind]]:
    def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
        if platform.fits(value):
            yield from platform.read(value, context)
        else:
            yield InvalidRecord(
                "", f"the record has not the shape of {platform.name}", f"{platform.name} records alone in a file"
            )

    return read


def sorted_out(columns: Iterable[str], read_from: Collection[str]) -> list[str]:
    """The columns that are to be fields of a post: without those that are read into others, and parts of places."""
    return [name for name in columns if name not in read_from and name != "#" and not name.startswith("place.")]


@contextmanager
def _on_disk(part: InputFile) -> Iterator[Path]:
    """Where a file lies that is read at any place; one that was packed is unpacked beside the system's other ones."""
    if part.path is not None:
        yield part.path
        return
    with tempfile.NamedTemporaryFile() as kept:
        shutil.copyfileobj(part.stream, kept)
        kept.flush()
        yield Path(kept.name)
