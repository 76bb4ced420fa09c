"""`stipple`: the one place where the sub-commands of indexer and app meet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import app.commands.cli
import app.commands.keys_cli
import app.commands.models_cli
import app.commands.readers_cli
import indexer.commands.cli
import indexer.commands.migrate_cli
from retrieval.errors import FixableError

if TYPE_CHECKING:
    from retrieval.ingestion import ErasureTargets, Ingestion
    from retrieval.models.embedding import Embedder
    from retrieval.settings import Settings
    from retrieval.stores.contract import PostStore

EXIT_CODES = """\
exit codes: 0 done; 1 failed, and stderr says how to fix it; 2 wrong usage; 3 some lines were rejected, the rest was
indexed; 130 interrupted"""
BROKEN_PIPE = 141  # what a shell reports for a command whose reader left


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what an operator can fix takes two lines, never a traceback."""
    try:
        args = _parser().parse_args(argv)
        if not hasattr(args, "run"):
            _parser().print_help()
            return 2

        from retrieval.settings import load_settings

        code: int = args.run(args, load_settings())
        sys.stdout.flush()
    except FixableError as error:
        print(f"stipple: {error.problem}\nto fix: {error.fix}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stipple: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more at exit, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stipple",
        description="AI search over social posts, on your own machine.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    indexer.commands.cli.add_commands(commands, _make_erasure_targets, _writer_problem)
    indexer.commands.migrate_cli.add_commands(commands)
    app.commands.cli.add_commands(commands, _make_ingestion)
    app.commands.keys_cli.add_commands(commands)
    app.commands.readers_cli.add_commands(commands)
    app.commands.models_cli.add_commands(commands)
    return parser


def _make_ingestion(settings: Settings, store: PostStore, embedder: Embedder) -> Ingestion:
    """How a server takes posts in: app knows the protocol, indexer implements it."""
    from indexer.journal.journal_ingestion import JournalIngestion
    from retrieval.text.terms import TermWeigher

    return JournalIngestion(settings, store, embedder, TermWeigher())


def _make_erasure_targets(settings: Settings) -> ErasureTargets:
    """What else must forget a post when no server is running to do so."""
    from app.erasure_targets import erasure_targets

    return erasure_targets(settings)


def _writer_problem(settings: Settings) -> FixableError | None:
    """Why answers are quotes although a model is named, for `stipple status`."""
    from app.models.model_folder import writer_problem

    return writer_problem(settings)


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002  # argparse's name
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        # Looked up only here: it reads the folders of all installed packages.
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"stipple {version('stipple')}")
        except PackageNotFoundError:
            print("stipple, run from its source without being installed")
        parser.exit()
