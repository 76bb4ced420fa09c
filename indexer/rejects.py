"""Lines that could not be indexed, kept in a file so that they can be fixed and read again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

from retrieval.errors import FixableError

RAW_BYTES = 64 * 1024
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is not a post, or a file that could not be read to its end.

    Attributes:
        source: The file as it was given, or "stdin".
        line: From 1; 0 for the file as a whole.
        field: As "comments[3].likes"; "" for the line as a whole.
        problem: What is there; follows the field's name in a sentence.
        expected: What should be there.
        raw: The first 64 KiB of the line.
    """

    source: str
    line: int
    field: str
    problem: str
    expected: str
    raw: bytes = b""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        what = f"field '{self.field}' {self.problem}" if self.field else self.problem
        return f"{where}: {what}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class OptedOutLine(Rejected):
    """A line whose author wants the post forgotten; nothing else of it is kept."""

    post_id: str = ""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Records of a file that were not indexed on purpose, or values that were.

    Attributes:
        reason: A plural noun: "boosts".
        unusual: Whether an ordinary file has few of them, or none.
        outcome: Of the records, or of the values: whether posts were indexed without them, or with them put right.
    """

    source: str
    reason: str
    count: int
    unusual: bool = False
    outcome: Literal["passed over", "kept without", "mended"] = "passed over"


class RejectsLog:
    """Writes rejects to a file, created with the first one, and shows the first few.

    Args:
        path: Overwritten.
        show: Called with each of the first 20 as one line, and at the end with how many more there are.

    `add` and `close` raise FixableError when the file cannot be written.
    """

    def __init__(self, path: Path, show: Callable[[str], None]) -> None:
        self.path, self.count = path, 0
        self.reasons: Counter[str] = Counter()
        self._show = show
        self._file: BinaryIO | None = None

    def add(self, rejected: Rejected) -> None:
        entry = {
            "source": rejected.source,
            "line": rejected.line,
            "field": rejected.field,
            "problem": rejected.problem,
            "expected": rejected.expected,
            "raw": rejected.raw[:RAW_BYTES].decode("utf-8", "backslashreplace"),
        }
        with self._naming_trouble():
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("wb")
            # A file name may have bytes that are not UTF-8; Python's escape for them, \udcff, is also JSON's.
            self._file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        self.count += 1
        # Without the value, which is somebody's words.
        self.reasons[f"'{rejected.field}': expected {rejected.expected}" if rejected.field else rejected.expected] += 1
        if self.count <= SHOWN:
            self._show(str(rejected))

    def close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with self._naming_trouble():
                file.close()
            if self.count > SHOWN:
                self._show(f"... and {self.count - SHOWN:,} more")
            self._show(f"rejected lines are in {self.path}")

    @contextmanager
    def _naming_trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = f"the rejects file {self.path} cannot be written: {error.strerror}"
            raise FixableError(problem, "free space there, or name another file with --rejects") from error

    def __enter__(self) -> RejectsLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
