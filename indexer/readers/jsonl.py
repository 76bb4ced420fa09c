"""One line of JSON Lines to a post, or to why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.post_door import PostError, to_post
from indexer.readers.lines import LONGEST_LINE, RawLine
from indexer.readers.mapping import Move, apply_moves
from indexer.rejects import RAW_BYTES, Rejected
from retrieval.types import Post

BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
A_LINE = 'one JSON object a line, such as {"id": "1", "text": "..."}'


@dataclass(frozen=True, slots=True)
class Offered:
    """A post, and where it stood; `raw` is the line, its first 64 KiB."""

    post: Post
    source: str
    line: int
    raw: bytes


def read_line(line: RawLine, source: str, moves: Sequence[Move], ignore_unknown: bool) -> Offered | Rejected | None:
    """What a line holds; None where it is blank. Whatever its bytes are, it raises nothing."""
    data = line.data.removeprefix(BOM) if line.number == 1 else line.data
    if not line.too_long and not data.strip():
        return None

    def rejected(field: str, problem: str, expected: str) -> Rejected:
        return Rejected(source, line.number, field, problem, expected, line.data[:RAW_BYTES])

    if line.too_long:
        return rejected("", f"the line has {line.size_bytes:,} bytes", f"at most {LONGEST_LINE:,} bytes a line")
    if line.number == 1 and data.startswith(UTF16_BOMS):
        return rejected("", "the file is UTF-16", "UTF-8 (iconv -f UTF-16 -t UTF-8 converts it)")
    try:
        raw = _parse(data)
        if isinstance(raw, dict) and moves:
            raw = apply_moves(raw, moves)
        post = to_post(raw, ignore_unknown)
    except UnicodeDecodeError as error:
        problem = f"byte {error.start:,} of the line is 0x{error.object[error.start]:02x}, which is no UTF-8 there"
        return rejected("", problem, "UTF-8")
    except PostError as error:
        return rejected(error.field, error.problem, error.expected)
    except json.JSONDecodeError as error:
        why = f"{error.msg.removesuffix(' at')} at character {error.pos + 1:,}"
        return rejected("", f"the line is no JSON: {why}", A_LINE)
    except RecursionError:
        return rejected("", "the line is nested too deeply", A_LINE)
    return Offered(post, source, line.number, line.data[:RAW_BYTES])


def _parse(data: bytes) -> object:
    """A line's JSON value.

    The standard library's reader, and not a faster one: it lets lone surrogates through, so that the door can name
    the field that holds one. Embedding a line takes a hundred times as long as reading it.
    """
    try:
        # Raw control characters are no JSON. A NUL is let through for the same reason as a lone surrogate.
        return json.loads(data.decode("utf-8"), parse_constant=_no_number, strict=b"\0" not in data)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise json.JSONDecodeError("a number of more than 4,300 digits", "", 0) from error


def _no_number(constant: str) -> object:
    raise json.JSONDecodeError(f"{constant} is no JSON number", "", 0)
