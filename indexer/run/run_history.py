"""Past runs and the current one, for `stipple status`, even after a crash: data_dir/runs.sqlite."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from indexer.progress import Progress
from indexer.run.summary import Summary
from retrieval.sqlite_file import compact, open_sqlite

KEPT_RUNS = 20
_SHOWN_REASONS = 20
_EVERY_S = 1.0
State = Literal["running", "done", "failed", "interrupted", "died"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `reindex`.

    Attributes:
        state: "died": its process is gone without reporting an end; it was killed, or the power was cut.
        stage: "reading", "embedding" or "building", the last that was started.
        done, expected: Lines read, or passages embedded; expected is 0 if unknown.
        problem: Why it failed.
        rejected: Number of rejected lines by reason: the field and what was expected, without the value.
        rejects_file: Where the rejected lines are; "" if there are none.
        summary: As `--json` prints it; empty before the end.
    """

    number: int
    command: str
    started_at: str
    ended_at: str
    state: State
    stage: str
    done: int
    expected: int
    problem: str
    rejected: Mapping[str, int] = field(default_factory=dict)
    rejects_file: str = ""
    summary: Mapping[str, object] = field(default_factory=dict)


class RunHistory:
    """The file, and the lock that tells a run in progress from one that died."""

    def __init__(self, data_dir: Path) -> None:
        self._path, self._lock = data_dir / "runs.sqlite", data_dir / "running.lock"

    @contextmanager
    def record(self, command: str) -> Iterator[RunRecord]:
        """Record a run until the block ends, however it ends.

        Raises:
            OSError, sqlite3.Error: The file cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as lock, closing(self._opened()) as database:
            fcntl.flock(lock, fcntl.LOCK_EX)
            record = RunRecord(database, command)
            try:
                yield record
            except BaseException as error:
                record.failed(error)
                raise

    def last(self, most: int = 5) -> list[Run]:
        """The last runs, newest first."""
        if not self._path.exists():
            return []
        with closing(self._opened()) as database:
            rows = database.execute(f"SELECT {_FIELDS} FROM runs ORDER BY number DESC LIMIT ?", (most,)).fetchall()  # noqa: S608  # our own columns
        runs = [
            replace(Run(*row[:9]), rejected=json.loads(row[9]), rejects_file=row[10], summary=json.loads(row[11]))
            for row in rows
        ]
        return [_died(run) if run.state == "running" and not self._in_progress() else run for run in runs]

    def compact(self) -> None:
        if self._path.exists():
            with closing(self._opened()) as database:
                compact(database)

    def _in_progress(self) -> bool:
        try:
            with self._lock.open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _opened(self) -> sqlite3.Connection:
        return open_sqlite(self._path, _SCHEMA, autocommit=True)


_SCHEMA = """
    CREATE TABLE IF NOT EXISTS runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT, started_at TEXT, ended_at TEXT, state TEXT, stage TEXT,
        done INTEGER, expected INTEGER, problem TEXT, rejected TEXT, rejects_file TEXT, summary TEXT
    );
    """
_FIELDS = (
    "number, command, started_at, ended_at, state, stage, done, expected, problem, rejected, rejects_file, summary"
)


class RunRecord:
    """Writes a run's state to the file while it is in progress."""

    def __init__(self, database: sqlite3.Connection, command: str) -> None:
        self._database = database
        # The holder of the lock is the only run.
        database.execute("UPDATE runs SET state = 'died', ended_at = ? WHERE state = 'running'", (_now(),))
        row = (command, _now(), "", "running", "reading", 0, 0, "", "{}", "", "{}")
        marks = ", ".join("?" * len(row))
        inserted = database.execute(f"INSERT INTO runs ({_FIELDS[8:]}) VALUES ({marks})", row)  # noqa: S608  # our own columns
        self._number = inserted.lastrowid
        database.execute("DELETE FROM runs WHERE number <= ?", ((self._number or 0) - KEPT_RUNS,))

    def at(self, stage: str, done: int, expected: int) -> None:
        self._set(stage=stage, done=done, expected=expected)

    def rejected(self, reasons: Counter[str], file: str) -> None:
        self._set(rejected=json.dumps(dict(reasons.most_common(_SHOWN_REASONS))), rejects_file=file)

    def done(self, summary: Summary) -> None:
        self._set(state="done", ended_at=_now(), summary=json.dumps(asdict(summary)))

    def failed(self, error: BaseException) -> None:
        interrupted = isinstance(error, KeyboardInterrupt)
        problem = "" if interrupted else getattr(error, "problem", "") or f"{type(error).__name__}: {error}"
        self._set(state="interrupted" if interrupted else "failed", ended_at=_now(), problem=problem)

    def _set(self, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(f"UPDATE runs SET {columns} WHERE number = ?", (*values.values(), self._number))  # noqa: S608  # our own columns


class RecordedProgress:
    """Progress that is recorded about every second, and passed on."""

    def __init__(self, shown: Progress, record: RunRecord) -> None:
        self._shown, self._record = shown, record
        self._written_at, self._stage = time.monotonic(), "reading"

    def reading(self, lines: int) -> None:
        self._write("reading", lines, 0)
        self._shown.reading(lines)

    def embedding(self, passages: int, expected: int) -> None:
        self._write("embedding", passages, expected)
        self._shown.embedding(passages, expected)

    def finishing(self) -> None:
        self._record.at("building", 0, 0)
        self._shown.finishing()

    def saying(self, text: str) -> None:
        self._shown.saying(text)

    def close(self) -> None:
        self._shown.close()

    def _write(self, stage: str, done: int, expected: int) -> None:
        now = time.monotonic()
        if now - self._written_at >= _EVERY_S or stage != self._stage:
            self._written_at, self._stage = now, stage
            self._record.at(stage, done, expected)


def _died(run: Run) -> Run:
    return replace(run, state="died")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
