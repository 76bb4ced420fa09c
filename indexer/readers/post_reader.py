"""From records to posts: by a mapping, or as a platform's export; posts that wait for their comments come last."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from typing import Literal

from indexer.posts.audience import hindrance
from indexer.posts.dates import ASSUMED_UTC
from indexer.posts.field_values import is_blank
from indexer.posts.mojibake import is_garbled, is_suspect, mended
from indexer.posts.validation import unknown_columns
from indexer.readers.archives import DAMAGED, DecompressionBomb
from indexer.readers.comment_threads import Threads
from indexer.readers.exports.post_shape import with_alts
from indexer.readers.exports.recognition import is_own, recognise, records_in
from indexer.readers.formats.jsonl import Offered, offered
from indexer.readers.formats.xml import DROPPED
from indexer.readers.input_files import InputFile
from indexer.readers.mapping.cells import cell_values
from indexer.readers.mapping.mapping_file import FieldMapping
from indexer.readers.paths import reach, text_at
from indexer.readers.record_kinds import (
    FileContext,
    InvalidRecord,
    Platform,
    PostRecord,
    PostShape,
    RecordKind,
    SkippedRecord,
)
from indexer.readers.record_reader import FileRecords, ReadOptions, failing, opened_records
from indexer.readers.records import Record, Records, as_json
from indexer.rejects import PassedOver, Rejected
from retrieval.types import Post

DATES = "dates that cannot be read"
ZONES = "time zones: dates that say none are read as UTC (--zone names another)"
CONTROL = "control characters"
MENDED = "mojibake (UTF-8 that was read as Latin-1)"
GARBLED = "garbled words (characters are lost, or in a wrong encoding)"
_MOST_REASONS = 40  # of one file; values of an unknown field could be without end
_LOST_SHOWN = 3
_MEDIA = ("photo", "photos", "image", "images", "image_list", "picture", "pictures", "pics", "media", "video", "file")
_ANSWERS = frozenset({"status", "Status", "access"})  # of a page of an API: "ok"
# Whose status, or whose hidden address, says nothing of the post.
_PERSONS = frozenset({"user", "author", "account", "owner", "profile", "creator", "from", "by", "sender", "place"})
_ENVELOPES = ("data", "tweet", "post", "object", "record", "value")
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
        passed: Given what was passed over in a file, after its last post.
    """

    def __init__(
        self,
        options: ReadOptions,
        tell: Callable[[str], None],
        recognised: Callable[[Recognised], None],
        passed: Callable[[PassedOver], None] = lambda _: None,
    ) -> None:
        self._options, self._tell, self._recognised, self._passed = options, tell, recognised, passed
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
            tallies: dict[str, _Tally] = {}
            for thread in threads.joined():
                record = Record(thread.line, thread.post, thread.raw)
                tally = tallies.setdefault(thread.source, _Tally(thread.source, self._tell, self._options.zone))
                yield tally.looked_over(offered(record, thread.source, ignore_unknown=True), thread.post, True)
            for tally in tallies.values():
                for passed in tally.all():
                    self._passed(passed)
            if threads.dropped:
                self._passed(PassedOver(platform, "comments without their post", threads.dropped))
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
            yield from self._converted(records, _guarded(mapping.read, mapping), context, "mapping")
            return
        looked_at, records = _first(records, LOOKED_AT)
        values = [record.value for record in looked_at if isinstance(record, Record)]
        platform = None if mapping.rules or any(map(is_own, values)) else recognise(values)
        self._recognised(Recognised(file.name, found.format, platform.name if platform else ""))
        if platform is not None:
            yield from self._converted(_each(records), _platform_reader(platform), context, platform.name.split(",")[0])
        elif found.format in {"jsonl", "json"}:
            # A field that is unknown is rejected, unless it is to be ignored: what it says must not be.
            read = _guarded(mapping.read, mapping) if options.ignore_unknown else mapping.read
            yield from self._converted(records, read, context, ignore_unknown=options.ignore_unknown)
        elif (rejected := _wrong_columns(file.name, found.format, values, options)) is not None:
            yield rejected
        else:
            read = _row_reader(mapping)
            read = _guarded(read, mapping) if options.ignore_unknown else read
            yield from self._converted(records, read, context, ignore_unknown=options.ignore_unknown)

    def _converted(
        self,
        records: Records,
        read: RecordConverter,
        context: FileContext,
        platform: str = "",
        ignore_unknown: bool = True,
    ) -> Iterator[Offered | Rejected]:
        tally = _Tally(context.name, self._tell, self._options.zone)
        for record in records:
            if isinstance(record, Rejected) or not isinstance(record.value, dict):
                yield record if isinstance(record, Rejected) else offered(record, context.name)
                continue
            for one in read(record.value, context):
                self.took_something = True
                if isinstance(one, SkippedRecord):
                    tally.skipped(one)
                elif isinstance(one, InvalidRecord):
                    yield Rejected(context.name, record.line, one.field, one.problem, one.expected, record.raw)
                elif isinstance(one, PostRecord) and not one.key:
                    if (found := tally.of_post(one.post, record, ignore_unknown)) is not None:
                        yield found
                elif isinstance(one, PostRecord) and (empty := _without_words(one.post, record.value)):
                    tally.skipped(empty)
                else:
                    self._threads.setdefault(platform, Threads()).add(one, context.name, record.line)
        tally.dropped(context.document.get(DROPPED))
        for passed in tally.all():
            self._passed(passed)


class _Tally:
    """What was passed over in a file, and what its posts are without.

    Args:
        zone: The time zone of dates that say none; None reads them as UTC, and counts them.
    """

    def __init__(self, source: str, tell: Callable[[str], None], zone: tzinfo | None) -> None:
        self._source, self._tell, self._zone = source, tell, zone
        self._skipped: Counter[SkippedRecord] = Counter()
        self._values: Counter[str] = Counter()

    def skipped(self, one: SkippedRecord) -> None:
        if one not in self._skipped and len(self._skipped) >= _MOST_REASONS:
            one = SkippedRecord("others", one.unusual)
        self._skipped[one] += 1

    def of_post(self, post: PostShape, record: Record, ignore_unknown: bool) -> Offered | Rejected | None:
        """The post that a record is; None if it is a picture without words."""
        found = offered(Record(record.line, post, record.raw), self._source, ignore_unknown)
        if isinstance(found, Rejected) and not _has_words(post):
            if (empty := _without_words(post, record.value)) is not None:
                self.skipped(empty)
                return None
            found = offered(Record(record.line, post, record.raw), self._source, ignore_unknown)
        return self.looked_over(found, post, ignore_unknown)

    def looked_over(self, found: Offered | Rejected, value: object, ignore_unknown: bool) -> Offered | Rejected:
        """What was found, with mojibake mended and its time zone; counts what it is without."""
        if not isinstance(found, Offered):
            return found
        if is_suspect(_words_of(found.post)):
            found = self._repaired(found, value, ignore_unknown)
        if found.lost:
            if self._values[DATES] < _LOST_SHOWN:
                self._tell(f"{found.source}:{found.line}: {found.lost[0]}: the post is read without it")
            self._values[DATES] += len(found.lost)
        post = found.post
        if post.created_at is not None and post.created_at.tzinfo is ASSUMED_UTC:
            return self._zoned(found)
        for comment in post.comments:
            if comment.created_at is not None and comment.created_at.tzinfo is ASSUMED_UTC:
                return self._zoned(found)
        return found

    def _repaired(self, found: Offered, value: object, ignore_unknown: bool) -> Offered:
        post = found.post
        if any(mended(text) != text for text in (post.title, post.text, post.author, *_comments_of(post))):
            self._values[MENDED] += 1
            again = offered(Record(found.line, _mended_in(value), found.raw), found.source, ignore_unknown)
            found = again if isinstance(again, Offered) else found
        if is_garbled(_words_of(found.post)):
            if not self._values[GARBLED]:
                self._tell(f"{found.source}:{found.line}: words of it are garbled; the first such post")
            self._values[GARBLED] += 1
        return found

    def _zoned(self, found: Offered) -> Offered:
        post = found.post
        moments = [post.created_at, *(comment.created_at for comment in post.comments)]
        if self._zone is None:  # a day alone is the same day everywhere
            without = [moment for moment in moments if moment is not None and moment.tzinfo is ASSUMED_UTC]
            self._values[ZONES] += any(moment.time() != time() for moment in without)
        zone = self._zone or UTC
        comments = tuple(replace(one, created_at=_in_zone(one.created_at, zone)) for one in post.comments)
        return replace(found, post=replace(post, created_at=_in_zone(post.created_at, zone), comments=comments))

    def dropped(self, count: object) -> None:
        self._values[CONTROL] += count if isinstance(count, int) else 0

    def all(self) -> Iterator[PassedOver]:
        """What was passed over, by reason; people are told as well."""
        if self._values[CONTROL]:
            self._tell(f"{self._source}: left out: {CONTROL} ({self._values[CONTROL]:,})")
        if self._values[ZONES]:
            self._tell(f"{self._source}: {ZONES}: {self._values[ZONES]:,}")
        if self._skipped:
            counts = ", ".join(f"{one.reason} ({count:,})" for one, count in sorted(self._skipped.items(), key=_reason))
            self._tell(f"{self._source}: skipped: {counts}")
        for one, count in self._skipped.items():
            yield PassedOver(self._source, one.reason, count, one.unusual)
        for reason, count in self._values.items():
            if count:
                outcome: Literal["mended", "kept without"] = "mended" if reason == MENDED else "kept without"
                yield PassedOver(self._source, reason, count, reason in {DATES, GARBLED}, outcome)


def _comments_of(post: Post) -> list[str]:
    return [comment.text for comment in post.comments]


def _words_of(post: Post) -> str:
    words = f"{post.title}\n{post.text}\n{post.author}"
    return "\n".join([words, *_comments_of(post)]) if post.comments else words


def _in_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment.replace(tzinfo=zone) if moment is not None and moment.tzinfo is ASSUMED_UTC else moment


def _mended_in(value: object) -> object:
    """A record with mojibake mended in all its texts."""
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, list):
        return [_mended_in(one) for one in value]
    return {name: _mended_in(one) for name, one in value.items()} if isinstance(value, dict) else value


def _reason(counted: tuple[SkippedRecord, int]) -> str:
    return counted[0].reason


def _has_words(post: PostShape) -> bool:
    return any(isinstance(words := post.get(field), str) and not is_blank(words) for field in ("text", "title"))


def _without_words(post: PostShape, record: object) -> SkippedRecord | None:
    """Why a post with pictures alone is passed over; None if it has words, or pictures with descriptions, which become
    its text.
    """
    if _has_words(post):
        return None
    images = post.get("images")
    alts = [text_at(one, "alt") for one in images] if isinstance(images, list) else []
    if any(alt.strip() for alt in alts):
        post["text"] = with_alts("", alts)
        return None
    media = alts or (isinstance(record, dict) and any(record.get(name) for name in _MEDIA))
    return SkippedRecord("pictures without words") if media else None


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


def _hindrance_of(value: dict[str, object], platform: Platform, context: FileContext) -> str:
    """Why a record, what its envelope holds, or its file, is not known to be public; "" if it is."""
    held = (value, *(inner for name in _ENVELOPES if isinstance(inner := value.get(name), dict)))
    why = next((why for one in held if (why := hindrance(one, platform.decides))), "")
    return why or hindrance(context.document, _ANSWERS)


def _guarded(read: RecordConverter, mapping: FieldMapping) -> RecordConverter:
    """Reads records of no platform; those with a field that may say that they are not public are passed over.

    It may be a field of the record, of an object in it that is no person, or of one through which the mapping's paths
    go. Of a list, such as its comments, the entries that may not be public are left out.
    """
    decided, through = mapping.decided(), mapping.passed_through()

    def guarded(value: dict[str, object], context: FileContext) -> Iterable[RecordKind]:
        left_out: list[SkippedRecord] = []
        if not context.private:
            held = [value, *(one for name, one in value.items() if isinstance(one, dict) and name not in _PERSONS)]
            held += [one for steps in through if isinstance(one := reach(value, steps), dict)]
            why = next((why for one in held if (why := hindrance(one, decided))), "")
            if why := why or hindrance(context.document, _ANSWERS):
                return [SkippedRecord(why, unusual=True)]
            value = _public_entries(value, decided, left_out)
        return itertools.chain(read(value, context), left_out) if left_out else read(value, context)

    return guarded


def _public_entries(
    value: dict[str, object], decided: frozenset[str], left_out: list[SkippedRecord]
) -> dict[str, object]:
    """The record with those entries of its lists that are not known not to be public; the others are noted."""
    for name, entries in list(value.items()):
        if not isinstance(entries, list):
            continue
        why = [hindrance(entry, decided) if isinstance(entry, dict) else "" for entry in entries]
        if any(why):
            left_out += [SkippedRecord(f"{name[:40]}: {one}", unusual=True) for one in why if one]
            value = value | {name: [entry for entry, one in zip(entries, why, strict=True) if not one]}
    return value


def _platform_reader(platform: Platform) -> RecordConverter:
    def read(value: dict[str, object], context: FileContext) -> Iterable[RecordKind]:
        if platform.fits(value):
            if not context.private and (why := _hindrance_of(value, platform, context)):
                return [SkippedRecord(why, unusual=True)]
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
