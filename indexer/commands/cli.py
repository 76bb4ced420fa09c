"""The commands that fill the index: reindex, status, rollback, prune, forget."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.commands.engine_options import add_engine_options, require_engine
from indexer.commands.reading_options import add_reading_options
from retrieval.errors import FixableError, IndexLocked

if TYPE_CHECKING:
    from indexer.pipeline.encoder import PassageWeigher
    from indexer.readers.mapping.map_option import Move
    from indexer.readers.sources import Source
    from retrieval.models.embedding import Embedder
    from retrieval.settings import Settings
    from retrieval.stores.contract import PostStore

DONE, SOME_REJECTED = 0, 3

Subparsers = argparse._SubParsersAction  # the type that add_subparsers() returns; argparse gives it no public name


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add the commands. Cheap: what they need is imported when they run."""
    reindex = subparsers.add_parser(
        "reindex",
        help="bring the index up to date with post files",
        description="Index the posts of files, folders and standard input. What is unchanged since the last run is "
        "passed over; what is stored and not offered stays.",
        epilog="exit codes: 0 all indexed; 1 could not; 2 wrong usage; 3 some lines rejected, the rest indexed; "
        "130 interrupted. docs/posts.md describes the format.",
    )
    reindex.add_argument(
        "paths", nargs="*", metavar="PATH", help="a post file, a platform's export, a folder of them, or - for stdin"
    )
    reindex.add_argument(
        "--map", dest="moves", metavar="NEW=OLD", type=_move, action="append", default=[],
        help="read the post's field NEW from the line's OLD, which may be a path: --map author=user.name; repeatable",
    )  # fmt: skip
    add_reading_options(reindex)
    reindex.add_argument("--ignore-unknown", action="store_true", help="pass over fields that a post does not have")
    reindex.add_argument(
        "--rejects", metavar="FILE", type=Path,
        help="where rejected lines go (default: a new file in the data folder's rejects/)",
    )  # fmt: skip
    reindex.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    reindex.add_argument("--prune", action="store_true", help="delete what is stored and not offered, up to a fifth")
    reindex.add_argument(
        "--prune-up-to", metavar="N", type=_count, help="with --prune: delete up to N posts, as --dry-run counted them"
    )
    reindex.add_argument("--allow-forgotten", action="store_true", help="take in posts that were forgotten")
    reindex.add_argument("--anew", action="store_true", help="write a whole new generation, also where little changed")
    reindex.add_argument(
        "--watch", action="store_true", help="go on: index each file of PATH again whenever it changes, or one comes"
    )
    add_engine_options(reindex)
    reindex.add_argument("--quiet", action="store_true", help="no progress; rejected lines are still shown")
    reindex.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    reindex.set_defaults(run=run_reindex, usage_error=reindex.error)

    status = subparsers.add_parser(
        "status", help="say what is indexed, and what runs did", description="Say what is indexed, and what runs did."
    )
    status.add_argument("--json", action="store_true", help="print it as one JSON object")
    status.set_defaults(run=run_status)

    back = subparsers.add_parser(
        "rollback",
        help="use the generation before the current one again",
        description="Use another generation. A running server follows within a second. What was accepted or forgotten "
        "since then holds there too.",
    )
    back.add_argument("generation", nargs="?", default="", help="its name (default: the newest before the current one)")
    back.set_defaults(run=run_rollback)

    prune = subparsers.add_parser(
        "prune",
        help="leave nothing on disk but what is in use",
        description="Write the current generation anew, delete the others and the rejects files, and give back the "
        "room that deleted posts left in every file.",
    )
    prune.add_argument("--quiet", action="store_true", help="no progress")
    prune.set_defaults(run=run_prune)

    forget = subparsers.add_parser(
        "forget",
        help="delete posts everywhere, and keep them out from now on",
        description="Delete posts from every generation, from the caches, and from what a running server keeps. An "
        "export that offers them again does not bring them back.",
    )
    forget.add_argument("--post", metavar="ID", action="append", default=[], help="this post; repeatable")
    forget.add_argument("--author", metavar="HANDLE", action="append", default=[], help="all of an author; repeatable")
    forget.set_defaults(run=run_forget)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of posts")
    return int(text)


def _move(text: str) -> Move:
    from indexer.readers.mapping.map_option import parse_move

    try:
        return parse_move(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_reindex(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple reindex`: progress and rejects to stderr, one summary line to stdout."""
    from indexer.commands.priority import step_aside
    from indexer.commands.reading_options import given_paths, read_options, run_preview
    from indexer.readers.sources import find_sources

    if not (paths := given_paths(args)):  # argparse itself would not look behind --preview
        args.usage_error("the following arguments are required: PATH")
    if args.prune_up_to is not None and not args.prune:
        raise FixableError("--prune-up-to was given without --prune", "add --prune, or leave it out")
    if args.watch and (args.prune or args.dry_run or args.preview or "-" in paths):
        told = "--watch reads one file at a time, and goes on"
        raise FixableError(told, "leave out --prune, --dry-run and --preview, and name files or folders")
    require_engine(args)
    sources = [] if args.watch else find_sources(paths)
    read_options(args)  # a mapping that is wrong is told before the model is loaded
    if args.preview:
        return run_preview(sources, args)
    step_aside(settings.reindex_niceness)
    # The model takes seconds to load. A wrong path has been told by now.
    from retrieval.models.embedding import load_embedder
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    if args.watch:
        return watch_into(open_store(settings), load_embedder(settings), TermWeigher(), paths, args, settings)
    return reindex_into(open_store(settings), load_embedder(settings), TermWeigher(), sources, args, settings)


def watch_into(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    paths: Sequence[str],
    args: argparse.Namespace,
    settings: Settings,
    pause: Callable[[], None] | None = None,
) -> int:
    """`run_reindex` again and again, over what changed, until it is interrupted, or `pause` ends it by an exception.

    What keeps one run from being done, such as another that is writing, is told, and tried again.
    """
    import time
    from functools import partial

    from indexer.readers.file_watch import POLL_S, changed_sources

    wait = pause or partial(time.sleep, POLL_S)
    for sources in changed_sources(paths, wait):
        while True:
            try:
                reindex_into(store, embedder, weigher, sources, args, settings)
            except IndexLocked as error:
                print(f"stipple: {error.problem}; waiting for it", file=sys.stderr)
                wait()
                continue
            except FixableError as error:
                print(f"stipple: {error.problem}\nto fix: {error.fix}", file=sys.stderr)
            break
    raise AssertionError("files are watched without end")


def reindex_into(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    sources: Sequence[Source],
    args: argparse.Namespace,
    settings: Settings,
) -> int:
    """`run_reindex`, with what it works on passed in."""
    from indexer.commands.engine_options import chosen_engine
    from indexer.commands.reading_options import read_options
    from indexer.pipeline.staging import naming_disk_trouble
    from indexer.progress import progress_on
    from indexer.readers.sources import read_posts
    from indexer.rejects import RejectsLog
    from indexer.run.history import RecordedProgress, Runs
    from indexer.run.reindex import Wishes, reindex

    wishes = Wishes(args.dry_run, args.prune, args.prune_up_to, args.allow_forgotten, args.anew)
    shown = progress_on(sys.stderr, args.quiet)
    command = f"reindex {' '.join(args.paths)}"
    with naming_disk_trouble(settings.data_dir), Runs(settings.data_dir).record(command) as run:
        progress = RecordedProgress(shown, run)
        options = read_options(args)
        try:
            with (
                RejectsLog(_rejects_path(args, settings, sources), progress.saying) as rejects,
                chosen_engine(args, settings, embedder, progress.saying) as engine,
            ):
                offered = read_posts(
                    sources, sys.stdin.buffer, options=options, tell=progress.saying,
                    recognised=lambda file: progress.saying(str(file)) if file.platform else None,
                    elsewhere=engine.reading(sources, options),
                )  # fmt: skip
                try:
                    summary = reindex(
                        store, embedder, weigher, offered, data_dir=settings.data_dir, progress=progress,
                        rejects=rejects, index_here=not settings.qdrant_url, engine=engine.embedding, wishes=wishes,
                    )  # fmt: skip
                finally:
                    if rejects.count:
                        run.rejected(rejects.reasons, str(rejects.path))
        finally:
            progress.close()
        run.done(summary)
    print(json.dumps(asdict(summary)) if args.json else summary)
    return SOME_REJECTED if summary.rejected else DONE


def _rejects_path(args: argparse.Namespace, settings: Settings, sources: Sequence[Source]) -> Path:
    given: Path | None = args.rejects
    if given is None:
        return settings.data_dir / "rejects" / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.rejects.jsonl"
    if any(source.path is not None and source.path.resolve() == given.resolve() for source in sources):
        raise FixableError(f"{given} is to be read, and --rejects would overwrite it", "name another file")
    return given


def run_status(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple status`: what readers use now, what else is on disk, and what runs did."""
    from indexer.upkeep.status import status_facts, status_lines

    facts = status_facts(settings)
    writer_problem = getattr(args, "writer_problem", None)
    problem = writer_problem(settings) if writer_problem is not None else None
    if problem is not None:
        facts["writer_problem"] = {"problem": problem.problem, "fix": problem.fix}
    if args.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print("\n".join(status_lines(facts, settings)))
    return DONE


def run_rollback(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple rollback`: another generation becomes the current one."""
    from indexer.upkeep.upkeep import rollback
    from retrieval.stores.factory import open_store

    before, now = rollback(open_store(settings), args.generation)
    print(f"generation {now.name} of {now.created_at:%Y-%m-%d %H:%M} ({now.posts:,} posts) is used, not {before.name}")
    if now.identity != before.identity:
        name = now.identity.model.partition("@")[0]
        print(f"it was built by {now.identity.model}: set STIPPLE_EMBEDDING_MODEL to {name} too", file=sys.stderr)
    return DONE


def run_prune(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple prune`: write anew, delete the rest."""
    from indexer.commands.priority import step_aside
    from indexer.progress import progress_on
    from indexer.upkeep.upkeep import prune
    from retrieval.models.embedding import load_embedder
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    step_aside(settings.reindex_niceness)
    store, progress = open_store(settings), progress_on(sys.stderr, args.quiet)
    try:
        pruned = prune(store, load_embedder(settings), TermWeigher(), settings, progress)
    finally:
        progress.close()
    print(pruned)
    return DONE


def run_forget(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple forget`: from every place on disk at once; a running server follows within a second."""
    from indexer.journal.forgetting import forget
    from retrieval.stores.factory import open_store

    if not args.post and not args.author:
        raise FixableError("nothing was named to forget", "add --post ID or --author HANDLE")
    make_keepers = getattr(args, "make_keepers", None)
    keepers = make_keepers(settings) if make_keepers is not None else {}
    forgotten = forget(open_store(settings), settings.data_dir, args.post, args.author, by="command", keepers=keepers)
    print(forgotten)
    return DONE
