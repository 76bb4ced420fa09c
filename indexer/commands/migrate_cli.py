"""The command that moves an index between this machine's disk and a Qdrant server: migrate."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from retrieval.errors import FixableError

if TYPE_CHECKING:
    from retrieval.settings import Settings

Subparsers = argparse._SubParsersAction


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add the command. Cheap: what it needs is imported when it runs."""
    migrate = subparsers.add_parser(
        "migrate",
        help="move the index to the Qdrant server of STIPPLE_QDRANT_URL, or back",
        description="Copy the index of STIPPLE_DATA_DIR to the Qdrant server of STIPPLE_QDRANT_URL, posts, vectors and "
        "terms as they are, compare it, and switch to it. Nothing is embedded again. An interrupted migration resumes "
        "where it stopped. A server may keep answering from the old place until it is restarted with the URL.",
        epilog="exit codes: 0 moved; 1 failed, and nothing was switched; 2 wrong usage; 130 interrupted.",
    )
    migrate.add_argument(
        "--back",
        action="store_true",
        help="move from the Qdrant server to STIPPLE_DATA_DIR; starts over when interrupted",
    )
    migrate.add_argument("--quiet", action="store_true", help="no progress")
    migrate.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    migrate.set_defaults(run=run_migrate)


def run_migrate(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple migrate`: progress to stderr, one line to stdout."""
    from indexer.progress import progress_on
    from indexer.upkeep.migration import migrate
    from retrieval.stores.edge.store import EdgeStore
    from retrieval.stores.server.store import connect

    if not settings.qdrant_url:
        problem = "STIPPLE_QDRANT_URL is not set, so there is no Qdrant server to move the index to"
        raise FixableError(problem, "set it, as http://host:6333, and run `stipple migrate` again")
    here, there = EdgeStore(settings.data_dir), connect(settings)
    progress = progress_on(sys.stderr, args.quiet)
    try:
        moved = migrate(there, here, progress) if args.back else migrate(here, there, progress)
    finally:
        progress.close()
    print(json.dumps(asdict(moved)) if args.json else moved)
    if args.back:
        next_step = "unset STIPPLE_QDRANT_URL and restart Stipple"
    else:
        next_step = (
            f"restart Stipple with STIPPLE_QDRANT_URL; then delete {settings.data_dir / 'index'}: posts that are "
            "forgotten from now on are not deleted there"
        )
    print(f"now {next_step}", file=sys.stderr)
    return 0
