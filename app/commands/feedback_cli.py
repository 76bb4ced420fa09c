"""`stipple feedback`: feedback on answers, exported as questions for `stipple eval answers`."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from retrieval.errors import FixableError
from retrieval.settings import Settings

Subparsers = Any  # argparse names this type only privately


def add_commands(subparsers: Subparsers) -> None:
    feedback = subparsers.add_parser("feedback", help="feedback that people gave on answers")
    kinds = feedback.add_subparsers(dest="kind", required=True, metavar="KIND")
    export = kinds.add_parser(
        "export", help="write it as questions.jsonl, which `stipple eval answers` reads, with verdicts and reasons"
    )
    export.add_argument("--since", metavar="DATE", help="only feedback from this day on (UTC), YYYY-MM-DD")
    export.add_argument("file", metavar="FILE", nargs="?", help="file to write; must not exist yet (default: stdout)")
    export.set_defaults(run=_export)


def _export(args: argparse.Namespace, settings: Settings) -> int:
    from app.conversations.storage.feedback import FeedbackFile, exported

    since = _day(args.since) if args.since else None
    path = settings.data_dir / "feedback.sqlite"
    try:
        lines = list(exported(FeedbackFile(path).all(since)))
    except (sqlite3.Error, OSError, ValueError) as error:
        raise FixableError(
            f"{path} cannot be read: {error}", "restore it, or delete it to start without feedback"
        ) from error
    with _opened(args.file) as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    ups = sum(line["verdict"] == "up" for line in lines)
    print(f"wrote {len(lines)} questions: {ups} helpful, {len(lines) - ups} not", file=sys.stderr)
    return 0


def _day(written: str) -> date:
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise FixableError(f"--since is {written[:40]!r}, which is not a date", "write it as YYYY-MM-DD") from None


def _opened(file: str | None) -> Any:
    """The file to write, readable by this user only: it holds posts and questions."""
    if file is None:
        out: TextIO = sys.stdout
        return nullcontext(out)
    path = Path(file)
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    except FileExistsError:
        raise FixableError(f"{path} exists already", "name another file, or move that one away") from None
    except OSError as error:
        raise FixableError(f"{path} cannot be written: {error.strerror}", "name a file in a writable folder") from error
