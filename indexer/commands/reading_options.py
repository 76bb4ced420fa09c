"""The options of `stipple reindex` that say how files are read, and its `--preview`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retrieval.errors import FixableError

if TYPE_CHECKING:
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import Source

PREVIEWED = 5
FORMATS = ("jsonl", "json", "csv", "tsv", "parquet", "sqlite", "xml")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add them. Cheap: no reader is imported."""
    parser.add_argument(
        "--preview", nargs="?", action=_Preview, const=str(PREVIEWED), default=0, metavar="N",
        help=f"show the first N posts (default: {PREVIEWED}) as they would be indexed, and write nothing",
    )  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, default="", help="the files' format (default: detected)")
    parser.add_argument(
        "--encoding",
        type=_encoding,
        default=None,
        metavar="NAME",
        help="encoding of text files, such as gb18030 (default: detected)",
    )
    parser.add_argument(
        "--mapping", metavar="FILE", type=Path, help="a TOML file that maps an export's fields to a post's"
    )
    parser.add_argument("--table", default="", help="which table of an SQLite file to read")
    parser.add_argument(
        "--zone", metavar="NAME", type=_zone, default=None,
        help="the time zone of dates that say none, such as Asia/Shanghai (default: UTC, and the summary counts them)",
    )  # fmt: skip
    parser.add_argument(
        "--private", action="store_true", help="include posts of platforms' exports that were not public"
    )


def read_options(args: argparse.Namespace) -> ReadOptions:
    """The given options, as readers take them.

    Raises:
        FixableError: The mapping file is wrong, or --map was given too.
    """
    from indexer.readers.mapping.mapping_file import load_mapping, mapping_of
    from indexer.readers.record_reader import ReadOptions

    if args.mapping and args.map:
        raise FixableError("--map and --mapping were both given", "write the fields of --map into the mapping file")
    mapping = load_mapping(args.mapping) if args.mapping else mapping_of(args.map)
    return ReadOptions(
        args.format, args.encoding or "", args.table, mapping, args.ignore_unknown, args.private, args.zone
    )


def run_preview(sources: Sequence[Source], args: argparse.Namespace) -> int:
    """`stipple reindex --preview`: print what would be read, write nothing. Returns 3 if lines were rejected."""
    from dataclasses import replace

    from indexer.commands.preview import RECORDS_MOST, Preview
    from indexer.readers.sources import read_posts
    from indexer.run.passed_over import PassedOverLog

    preview, passed = Preview(), PassedOverLog()
    options = replace(read_options(args), records_most=RECORDS_MOST)
    found = read_posts(
        sources,
        sys.stdin.buffer,
        options=options,
        tell=preview.notes.append,
        recognised=preview.files.append,
        passed=passed.add,
    )
    preview.fill(found, args.preview)
    if args.json:
        print(preview.as_json())  # noqa: T201  # this is what the command is for
    else:
        preview.print_with(print)
    if unusual := passed.unusual(len(preview.posts)):
        print(f"stipple: {unusual}", file=sys.stderr)  # noqa: T201  # as `reindex` says it
    return 3 if preview.rejected or unusual else 0


class _Preview(argparse.Action):
    """`--preview`, `--preview 3`, and `--preview posts.jsonl`: what is not a number is a path."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, *_: object
    ) -> None:
        text = str(values)
        if text.isdecimal() and 0 < int(text) <= 1_000:
            namespace.preview = int(text)
        elif text.lstrip("-").isdecimal():
            parser.error(f"argument --preview: {text} is not a number of posts, 1 to 1,000")
        else:
            namespace.preview, namespace.previewed_path = PREVIEWED, text


def given_paths(args: argparse.Namespace) -> list[str]:
    """The paths of a command line, including one that followed --preview."""
    path: str | None = getattr(args, "previewed_path", None)
    paths: list[str] = args.paths
    return [path, *paths] if path is not None else paths


def _zone(text: str) -> tzinfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"the time zone {text!r} is unknown; write one such as Asia/Shanghai"
        ) from None


def _encoding(text: str) -> str:
    from indexer.readers.mapping.mapping_file import known_encoding

    if not known_encoding(text):
        raise argparse.ArgumentTypeError(f"the encoding {text!r} is unknown")
    return text
