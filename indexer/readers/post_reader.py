"""From records to posts: by a mapping, or as a platform's export; posts that wait for their comments come last."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from indexer.posts.validation import unknown_columns
from indexer.readers.archives import DAMAGED, DecompressionBomb
from indexer.readers.comment_threads import Threads
from indexer.readers.exports.recognition import is_own, recognise, records_in
from indexer.readers.formats.jsonl import Offered, offered
from indexer.readers.input_files import InputFile
from indexer.readers.mapping.cells import cell_values
from indexer.readers.mapping.mapping_file import FieldMapping
from indexer.readers.record_kinds import FileContext, InvalidRecord, Platform, PostRecord, RecordKind, SkippedRecord
from indexer.readers.record_reader import FileRecords, ReadOptions, failing, opened_records
from indexer.readers.records import Record, Records, as_json
from indexer.rejects import Rejected

LOOKED_AT = 20  # records, before the platform is decided

RecordConverter = Callable[[dict[str, object], FileContext], Iterable[RecordKind]]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file was taken for.

    Attributes:
        format: One of formats.FORMATS.
        platform: Its name for people; "mapping" where a mapping file was given, "" where records are posts already.
    """

    source: str
    format: str
    platform: str

    def __str__(self) -> str:
        return f"{self.source}: read as {self.platform or 'posts as they are'} ({self.format})"


class PostReader:
    """Reads files one after another, and at the end what was waiting for all of them.

    Args:
        tell: Given what a person should know of a file that was read: its encoding, what was skipped in it.
        recognised: Given what each file was taken for, before its first post.
    """

    def __init__(
        self, options: ReadOptions, tell: Callable[[str], None], recognised: Callable[[Recognised], None]
    ) -> None:
        self._options, self._tell, self._recognised = options, tell, recognised
        self._threads: dict[str, Threads] = {}
        self.took_something = False  # also something that waits, or was skipped, so that nothing was given out

    def read(self, file: InputFile) -> Iterator[Offered | Rejected]:
        """The posts of a file that wait for nothing."""
        with opened_records(file, self._options, self._tell) as found:
            yield from found.rejected
            if found.format:
                yield from self._posts(file, found)
            else:
                for rejected in found.records:
                    assert isinstance(rejected, Rejected), "records have a format"
                    yield rejected

    def rest(self) -> Iterator[Offered | Rejected]:
        """Posts whose comments could be anywhere in the input, with those that were there."""
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

    def _posts(self, file: InputFile, found: FileRecords) -> Iterator[Offered | Rejected]:
        options, mapping = self._options, self._options.mapping
        records = itertools.islice(found.records, options.records_most) if options.records_most else found.records
        context = FileContext(file.name, options.private, found.document, file.beside)
        if not mapping.keeps_rest:
            self._recognised(Recognised(file.name, found.format, "mapping"))
            yield from self._converted(records, mapping.read, context, "mapping")
            return
        looked_at, records = _first(records, LOOKED_AT)
        values = [record.value for record in looked_at if isinstance(record, Record)]
        platform = None if mapping.rules or any(map(is_own, values)) else recognise(values)
        self._recognised(Recognised(file.name, found.format, platform.name if platform else ""))
        if platform is not None:
            yield from self._converted(_each(records), _platform_reader(platform), context, platform.name.split(",")[0])
        elif found.format in {"jsonl", "json"}:
            yield from self._converted(records, mapping.read, context, ignore_unknown=options.ignore_unknown)
        elif (rejected := _wrong_columns(file.name, found.format, values, options)) is not None:
            yield rejected
        else:
            yield from self._converted(records, _row_reader(mapping), context, ignore_unknown=options.ignore_unknown)

    def _converted(
        self,
        records: Records,
        read: RecordConverter,
        context: FileContext,
        platform: str = "",
        ignore_unknown: bool = True,
    ) -> Iterator[Offered | Rejected]:
        skipped: Counter[str] = Counter()
        for record in records:
            if isinstance(record, Rejected) or not isinstance(record.value, dict):
                yield record if isinstance(record, Rejected) else offered(record, context.name)
                continue
            for one in read(record.value, context):
                self.took_something = True
                if isinstance(one, SkippedRecord):
                    skipped[one.reason] += 1
                elif isinstance(one, InvalidRecord):
                    yield Rejected(context.name, record.line, one.field, one.problem, one.expected, record.raw)
                elif isinstance(one, PostRecord) and not one.key:
                    yield offered(Record(record.line, one.post, record.raw), context.name, ignore_unknown)
                else:
                    self._threads.setdefault(platform, Threads()).add(one, context.name, record.line)
        if skipped:
            counts = ", ".join(f"{reason} ({count:,})" for reason, count in sorted(skipped.items()))
            self._tell(f"{context.name}: skipped: {counts}")


def _first(records: Records, most: int) -> tuple[list[Record | Rejected], Records]:
    """The first records, and all of them. Where reading fails among the first, it fails after they were given out."""
    looked_at: list[Record | Rejected] = []
    try:
        looked_at.extend(itertools.islice(records, most))  # extend keeps what came before an error
    except (*DAMAGED, DecompressionBomb, OSError) as error:
        return looked_at, itertools.chain(looked_at, failing(error))
    return looked_at, itertools.chain(looked_at, records)


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


def _platform_reader(platform: Platform) -> RecordConverter:
    def read(value: dict[str, object], context: FileContext) -> Iterable[RecordKind]:
        if platform.fits(value):
            return platform.read(value, context)
        expected = f"{platform.name} records alone in a file"
        return [InvalidRecord("", f"the record does not have the shape of {platform.name}", expected)]

    return read


def _row_reader(mapping: FieldMapping) -> RecordConverter:
    """A table's row: its cells are text until their field is known."""

    def read(value: dict[str, object], context: FileContext) -> Iterator[RecordKind]:
        for one in mapping.read({column: cell for column, cell in value.items() if column != "#"}, context):
            yield replace(one, post=cell_values(one.post)) if isinstance(one, PostRecord) else one

    return read


def _wrong_columns(source: str, name: str, values: Sequence[object], options: ReadOptions) -> Rejected | None:
    """What is wrong with the columns of a table: it is rejected once, not row by row. None where nothing is."""
    columns = dict.fromkeys(column for value in values if isinstance(value, dict) for column in value)
    mapping = options.mapping
    read_from = mapping.moved_names()
    named = {rule.field for rule in mapping.rules} | columns.keys() - read_from
    missing = "id" if "id" not in named else "text" if not {"text", "title"} & named else ""
    if missing and columns:
        shown = ", ".join(itertools.islice(columns, 12)) + (", ..." if len(columns) > 12 else "")
        problem = f"is missing: the {'elements' if name == 'xml' else 'columns'} are {shown}"
        expected = "a file of posts (--map id=..., or --mapping FILE, says where its fields are)"
        return Rejected(source, 0, missing, problem, expected)
    unknown = None if options.ignore_unknown else unknown_columns(_post_columns(columns, read_from))
    return Rejected(source, 0, unknown.field, unknown.problem, unknown.expected) if unknown is not None else None


def _post_columns(columns: Iterable[str], read_from: Collection[str]) -> list[str]:
    """The columns that are fields of a post: without those that are read into others, and parts of places."""
    return [name for name in columns if name not in read_from and name != "#" and not name.startswith("place.")]
