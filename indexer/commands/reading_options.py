"""The options of `stipple reindex` that say how files are to be read, and its `--preview`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import FixableError

if TYPE_CHECKING:
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import Source

PREVIEWED = 5
FORMATS = ("jsonl", "json", "csv", "tsv", "parquet", "sqlite", "xml")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add them. Cheap: nothing that reads is imported."""
    parser.add_argument(
        "--preview", nargs="?", action=_Preview, const=str(PREVIEWED), default=0, metavar="N",
        help=f"show the first N posts (default: {PREVIEWED}) as they would be read, and write nothing",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=FORMATS, default="", help="how the files are written (default: as they look)"
    )
    parser.add_argument(
        "--encoding", type=_encoding, default=None, metavar="NAME", help="of text files, such as gb18030"
    )
    parser.add_argument(
        "--mapping", metavar="FILE", type=Path, help="a TOML file that says where an export's fields are"
    )
    parser.add_argument("--table", default="", help="which table of an SQLite file is read")
    parser.add_argument(
        "--private", action="store_true", help="also posts of platforms' exports that were not for everybody"
    )


def read_options(args: argparse.Namespace) -> ReadOptions:
    """What was given, as readers take it.

    Raises:
        FixableError: The mapping is wrong, or there is a --map beside it.
    """
    from indexer.readers.mapping.mapping_file import load_mapping, mapping_of
    from indexer.readers.record_reader import ReadOptions

    if args.mapping and args.map:
        raise FixableError("--map and --mapping were both given", "write the fields of --map into the mapping file")
    mapping = load_mapping(args.mapping) if args.mapping else mapping_of(args.map)
    return ReadOptions(args.format, args.encoding or "", args.table, mapping, args.ignore_unknown, args.private)


def run_preview(sources: Sequence[Source], args: argparse.Namespace) -> int:
    """`stipple reindex --preview`: what would be read, to stdout; nothing is written. 3 where some was rejected."""
    from dataclasses import replace

    from indexer.commands.preview import RECORDS_MOST, Preview
    from indexer.readers.sources import read_posts

    preview = Preview()
    options = replace(read_options(args), records_most=RECORDS_MOST)
    found = read_posts(
        sources, sys.stdin.buffer, options=options, tell=preview.notes.append, recognised=preview.files.append
    )
    preview.fill(found, args.preview)
    if args.json:
        print(preview.as_json())  # noqa: T201  # this is what the command is for
    else:
        preview.print_with(print)
    return 3 if preview.rejected else 0


class _Preview(argparse.Action):
    """`--preview`, `--preview 3`, and `--preview posts.jsonl`: what is no number is a path, and not a mistake."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, *_: object
    ) -> None:
        text = str(values)
        if text.isdecimal() and 0 < int(text) <= 1_000:
            namespace.preview = int(text)
        elif text.lstrip("-").isdecimal():
            parser.error(f"argument --preview: {text} is no number of posts, 1 to 1,000")
        else:
            namespace.preview, namespace.previewed_path = PREVIEWED, text


def given_paths(args: argparse.Namespace) -> list[str]:
    """The paths of a command line, one that stood behind --preview among them."""
    path: str | None = getattr(args, "previewed_path", None)
    paths: list[str] = args.paths
    return [path, *paths] if path is not None else paths


def _encoding(text: str) -> str:
    from indexer.readers.mapping.mapping_file import known_encoding

    if not known_encoding(text):
        raise argparse.ArgumentTypeError(f"the encoding {text!r} is unknown")
    return text
