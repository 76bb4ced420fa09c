"""Parquet files, read a batch of rows at a time by pyarrow, which is large and therefore an extra."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from indexer.readers.records import Record, as_json
from indexer.rejects import Rejected
from retrieval.errors import FixableError

ROWS_AT_ONCE = 500


def parquet_rows(path: Path, source: str) -> Iterator[Record | Rejected]:
    """Each row as a dict of its columns without nulls.

    Raises:
        FixableError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        fix = "pip install 'stipple[parquet]', or write the file as CSV or JSON Lines"
        raise FixableError(f"{source} is a Parquet file, and pyarrow, which reads it, is not installed", fix) from error
    row = 0
    try:
        with parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                for value in batch.to_pylist():
                    row += 1
                    plain = {name: as_plain(cell) for name, cell in value.items() if cell is not None}
                    yield Record(row, plain, as_json(plain))
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        yield Rejected(
            source, row + 1, "", f"the Parquet file is damaged: {why}", "a whole file; the rows before it were read"
        )


def as_plain(value: object) -> object:
    """A cell as a JSON value: dates in ISO 8601, bytes as text if they are UTF-8."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case bytes():
            try:
                return value.decode("utf-8")
            except UnicodeDecodeError:
                return base64.b64encode(value[:1_000]).decode()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {str(name): as_plain(inner) for name, inner in value.items() if inner is not None}
        case list() | tuple():
            return [as_plain(inner) for inner in value]
        case float() if value != value:  # noqa: PLR0124  # NaN, pandas' missing value
            return None
    return value
