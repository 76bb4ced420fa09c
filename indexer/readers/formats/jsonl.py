"""Converts a line of JSON Lines to a post, or to a Rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from indexer.posts.validation import OptedOut, PostError, to_post, without_unreadable_dates
from indexer.readers.formats.lines import LONGEST_LINE, RawLine
from indexer.readers.records import Record
from indexer.rejects import RAW_BYTES, OptedOutLine, Rejected
from retrieval.types import Post

BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
A_LINE = 'one JSON object a line, such as {"id": "1", "text": "..."}'


@dataclass(frozen=True, slots=True)
class Offered:
    """A post, and where it came from.

    Attributes:
        raw: The first 64 KiB of its line.
        lost: What the post is without, because it could not be read: sentences.
    """

    post: Post
    source: str
    line: int
    raw: bytes
    lost: tuple[str, ...] = ()


def line_record(line: RawLine, source: str) -> Record | Rejected | None:
    """The JSON value of a line; None if it is blank."""
    data = line.data.removeprefix(BOM) if line.number == 1 else line.data
    if not line.too_long and not data.strip():
        return None
    if line.too_long:
        problem = f"the line has {line.size_bytes:,} bytes"
        return Rejected(source, line.number, "", problem, f"at most {LONGEST_LINE:,} bytes a line", line.data)
    if line.number == 1 and data.startswith(UTF16_BOMS):
        problem, expected = "the file is UTF-16", "UTF-8 (iconv -f UTF-16 -t UTF-8 converts it)"
        return Rejected(source, line.number, "", problem, expected, line.data[:RAW_BYTES])
    return parsed(data, source, line.number, "the line", A_LINE)


def parsed(data: bytes, source: str, line: int, what: str, expected: str) -> Record | Rejected:
    """The JSON value of these bytes, or why they are not one.

    Args:
        what: Their name in messages: "the line".
        expected: What should be there instead.
    """
    raw = data[:RAW_BYTES]
    try:
        return Record(line, _parse(data), raw)
    except UnicodeDecodeError as error:
        problem = f"byte {error.start:,} of {what} is 0x{error.object[error.start]:02x}, which is not valid UTF-8"
        expected = "UTF-8 (--encoding names another)"
    except json.JSONDecodeError as error:
        problem = f"{what} is not valid JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1:,}"
    except RecursionError:
        problem = f"{what} is nested too deeply"
    return Rejected(source, line, "", problem, expected, raw)


def offered(record: Record, source: str, ignore_unknown: bool = False) -> Offered | Rejected:
    """The post that a record is, without dates that cannot be read; or why it is not one."""
    try:
        return Offered(to_post(record.value, ignore_unknown), source, record.line, record.raw)
    except OptedOut as error:
        return OptedOutLine(source, record.line, error.field, error.problem, error.expected, b"", error.post_id)
    except PostError as error:
        value, lost = without_unreadable_dates(record.value)
        if lost:
            again = offered(Record(record.line, value, record.raw), source, ignore_unknown)
            return replace(again, lost=tuple(lost)) if isinstance(again, Offered) else again
        return Rejected(source, record.line, error.field, error.problem, error.expected, record.raw)


def _parse(data: bytes) -> object:
    """A line's JSON value.

    Uses the standard library's parser, not a faster one: it accepts lone surrogates, so that validation can name the
    field. Embedding a line takes a hundred times as long as parsing it.
    """
    try:
        # Raw control characters are not JSON. A NUL is accepted for the same reason as a lone surrogate.
        return json.loads(data.decode("utf-8"), parse_constant=_no_number, strict=b"\0" not in data)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise
    except ValueError as error:  # Python parses no number of more than 4,300 digits
        raise json.JSONDecodeError("a number of more than 4,300 digits", "", 0) from error


def _no_number(constant: str) -> object:
    raise json.JSONDecodeError(f"{constant} is not a JSON number", "", 0)
