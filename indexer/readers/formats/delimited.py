"""CSV and TSV: detects the delimiter and the header, and reads rows in bounded memory."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from indexer.readers.formats.lines import DAMAGE, LONGEST_LINE, RawLine, read_lines
from indexer.readers.records import Record
from indexer.rejects import RAW_BYTES, Rejected

DELIMITERS = ",\t;|"
# Rows with an opening quotation mark that is never closed: each is read twice, so their number is limited.
MOST_BROKEN = 1_000
_DATA = re.compile(r"[-+]?[\d.,:/ ]+|https?://.*|", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a table.

    Attributes:
        delimiter: The character between cells.
        names: Of the columns, "" for a column without one.
        line: Its line number, from 1.
    """

    delimiter: str
    names: tuple[str, ...]
    line: int


def sniff_delimiter(sample: str, favourite: str = ",") -> str:
    """The character that splits the rows of a sample most evenly into more than one cell.

    >>> sniff_delimiter('id;text\\n1;"Flat white, 32; yuan"\\n')
    ';'
    """
    best, most = favourite, (0.0, 0.0, False)
    for delimiter in DELIMITERS:
        rows = [row for row in _rows_of(sample, delimiter) if row][:40]
        if not rows:
            continue
        width, agreeing = Counter(map(len, rows)).most_common(1)[0]
        # The header's width counts most: rows may be broken.
        score = (agreeing / len(rows) + (len(rows[0]) == width), float(width), delimiter == favourite)
        if width > 1 and score > most:
            best, most = delimiter, score
    return best


def _rows_of(sample: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # the rows before the error are enough
        rows.extend(csv.reader(sample.splitlines(keepends=True), delimiter=delimiter))
    return rows


def looks_like_names(cells: Sequence[str]) -> bool:
    """Whether a line can be a header: short, distinct cells, none of them a number, a date or an address."""
    named = [cell.strip() for cell in cells if cell.strip()]
    return (
        bool(named)
        and len(set(named)) == len(named)
        and all(len(cell) <= 100 and "\n" not in cell and not _DATA.fullmatch(cell) for cell in named)
    )


def table_rows(stream: BinaryIO, source: str, favourite: str = ",") -> Iterator[Record | Rejected | Header]:
    """The header, then each row as a dict of its non-empty cells by column.

    A row with an unclosed quotation mark is rejected, and reading continues after its first line. A row with more cells
    than the header is rejected.
    """
    lines = _Lines(stream, source)
    sample = "".join(lines.look(200))
    if (named := re.match(r"sep=(.)\r?\n", sample)) is not None:  # Excel's way to state the delimiter
        delimiter = named[1]
        next(lines)
    else:
        delimiter = sniff_delimiter(sample, favourite)
    csv.field_size_limit(LONGEST_LINE)
    names: tuple[str, ...] = ()
    while True:
        yield from lines.rejected()
        found = lines.row(delimiter)
        if found is None:
            yield from lines.rejected()
            return
        if isinstance(found, Rejected):
            yield found
            if not found.raw:
                return
            continue
        number, cells, raw = found
        if not any(cells):
            continue
        if not names:
            names = tuple(cell.strip().lstrip("\ufeff") for cell in cells)
            yield Header(delimiter, names, number)
        elif len(cells) > len(names) and any(cells[len(names) :]):
            problem = f"the row has {len(cells):,} cells"
            yield Rejected(source, number, "", problem, f"{len(names):,}, as the header has", raw)
        else:
            row = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell}
            yield Record(number, row, raw)


class _Lines(Iterator[str]):
    """Lines for csv, which remembers those of the current row."""

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self._lines, self._source = read_lines(stream), source
        self._again: list[tuple[int, str]] = []  # to be read (again), the first one last
        self._taken: list[tuple[int, str]] = []
        self._rejected: list[Rejected] = []
        self._broken = 0
        self._trouble: Exception | None = None

    def __next__(self) -> str:
        number, text = self._again.pop() if self._again else self._read()
        self._taken.append((number, text))
        return text

    def _read(self) -> tuple[int, str]:
        if self._trouble is not None:
            raise self._trouble
        for line in self._lines:
            if not line.too_long:
                return line.number, _text(line) + "\n"
            problem = f"the line has {line.size_bytes:,} bytes"
            self._rejected.append(
                Rejected(self._source, line.number, "", problem, f"at most {LONGEST_LINE:,} bytes a line", line.data)
            )
        raise StopIteration

    def look(self, most: int) -> list[str]:
        """The first lines, without consuming them."""
        seen: list[tuple[int, str]] = []
        while len(seen) < most and sum(len(text) for _, text in seen) < RAW_BYTES:
            try:
                seen.append(self._read())
            except StopIteration:
                break
            except (*DAMAGE, ValueError, OSError) as error:  # raised again after these lines
                self._trouble = error
                break
        self._again = seen[::-1]
        return [text for _, text in seen]

    def rejected(self) -> list[Rejected]:
        rejected, self._rejected = self._rejected, []
        return rejected

    def row(self, delimiter: str) -> tuple[int, list[str], bytes] | Rejected | None:
        """The next row with its first line's number, None at the end. After a Rejected without `raw` reading stops."""
        self._taken = []
        try:
            cells = next(csv.reader(_Bounded(self), delimiter=delimiter, strict=True), None)
        except csv.Error as error:
            number, text = self._taken[0]
            self._again += self._taken[:0:-1]
            self._broken += 1
            if self._broken > MOST_BROKEN:
                return Rejected(
                    self._source,
                    number,
                    "",
                    f"row number {self._broken:,} that is not valid CSV",
                    "CSV; the rest of the file is not read",
                )
            unclosed = "unexpected end" in str(error) or "limit" in str(error)
            why = "a quotation mark opens a cell, and nothing closes it" if unclosed else str(error)
            raw = text.encode("utf-8", "surrogateescape")[:RAW_BYTES].rstrip(b"\r\n")
            return Rejected(
                self._source, number, "", f"the row is not valid CSV: {why}", "cells quoted as in RFC 4180", raw
            )
        if cells is None:
            return None
        raw = "".join(text for _, text in self._taken).rstrip("\r\n").encode("utf-8", "surrogateescape")[:RAW_BYTES]
        return self._taken[0][0], cells, raw


class _Bounded(Iterator[str]):
    """The lines of one row; more than LONGEST_LINE characters are an error, so that memory stays bounded."""

    def __init__(self, lines: _Lines) -> None:
        self._lines, self._size = lines, 0

    def __next__(self) -> str:
        text = next(self._lines)
        self._size += len(text)
        if self._size > LONGEST_LINE:
            raise csv.Error("row larger than limit")
        return text


def _text(line: RawLine) -> str:
    # Bytes that are not UTF-8 become lone surrogates, so that validation can name the field.
    return line.data.decode("utf-8", "surrogateescape")
