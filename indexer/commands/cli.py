"""The commands that fill the index: reindex, status, rollback, prune, forget."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from indexer.commands.engine_options import add_engine_options, require_engine
from indexer.commands.reading_options import add_reading_options
from retrieval.errors import FixableError, IndexLocked

if TYPE_CHECKING:
    from indexer.pipeline.post_encoder import PassageWeigher
    from indexer.readers.sources import Source
    from retrieval.ingestion import ErasureTargets
    from retrieval.models.embedding import Embedder
    from retrieval.settings import Settings
    from retrieval.stores.contract import PostStore

DONE, SOME_REJECTED = 0, 3
UNUSUAL_FIX = "look at the file with --preview; docs/posts.md says what is passed over, and what --private reads"

Subparsers = argparse._SubParsersAction  # the type that add_subparsers() returns; argparse gives it no public name


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    make_erasure_targets: Callable[[Settings], ErasureTargets] = lambda _: {},
    writer_problem: Callable[[Settings], FixableError | None] = lambda _: None,
) -> None:
    """Add the commands. Cheap: what they need is imported when they run.

    Args:
        make_erasure_targets: Makes the files, besides the index, that must forget posts.
        writer_problem: Why answers are quotes although the settings name a model.
    """
    reindex = subparsers.add_parser(
        "reindex",
        help="bring the index up to date with post files",
        description="Index the posts of files, folders and standard input. Posts that are unchanged since the last run "
        "are skipped; stored posts that are not in the input stay.",
        epilog="exit codes: 0 all indexed; 1 failed; 2 wrong usage; 3 some lines rejected, or unusually many "
        "passed over, the rest indexed; 130 interrupted. docs/posts.md describes the format.",
    )
    reindex.add_argument(
        "paths", nargs="*", metavar="PATH", help="a post file, a platform's export, a folder of them, or - for stdin"
    )
    reindex.add_argument(
        "--map", metavar="NEW=OLD", type=_map_option, action="append", default=[],
        help="read the post's field NEW from the record's OLD, which may be a path (author=user.name); repeatable",
    )  # fmt: skip
    add_reading_options(reindex)
    reindex.add_argument("--ignore-unknown", action="store_true", help="ignore fields that a post does not have")
    reindex.add_argument(
        "--rejects", metavar="FILE", type=Path,
        help="where rejected lines go (default: a new file in the data folder's rejects/)",
    )  # fmt: skip
    reindex.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")
    reindex.add_argument(
        "--prune", action="store_true", help="delete stored posts that are not in the input, up to a fifth of all"
    )
    reindex.add_argument(
        "--prune-up-to", metavar="N", type=_count, help="with --prune: delete up to N posts; --dry-run counts them"
    )
    reindex.add_argument("--allow-forgotten", action="store_true", help="index posts again that were forgotten")
    reindex.add_argument(
        "--anew", action="store_true", help="write a new generation from scratch, even if little changed"
    )
    reindex.add_argument(
        "--watch",
        action="store_true",
        help="keep running: index each file of PATH again when it changes, and new ones when they appear",
    )
    add_engine_options(reindex)
    reindex.add_argument("--quiet", action="store_true", help="no progress; rejected lines are still shown")
    reindex.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    reindex.set_defaults(run=partial(run_reindex, usage_error=reindex.error))

    status = subparsers.add_parser(
        "status", help="show what is indexed, and past runs", description="Show what is indexed, and past runs."
    )
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=partial(run_status, writer_problem=writer_problem))

    back = subparsers.add_parser(
        "rollback",
        help="go back to the generation before the current one",
        description="Use another generation. A running server follows within a second. What was accepted or forgotten "
        "since then applies there too.",
    )
    back.add_argument("generation", nargs="?", default="", help="its name (default: the one before the current one)")
    back.set_defaults(run=run_rollback)

    prune = subparsers.add_parser(
        "prune",
        help="delete everything on disk that is not in use",
        description="Rewrite the current generation, delete the others and the rejects files, and free the space that "
        "deleted posts left in every file.",
    )
    prune.add_argument("--quiet", action="store_true", help="no progress")
    prune.set_defaults(run=run_prune)

    forget = subparsers.add_parser(
        "forget",
        help="delete posts everywhere, and block them from now on",
        description="Delete posts from every generation, from the caches, and from what a running server keeps. "
        "Indexing an export that contains them does not bring them back.",
    )
    forget.add_argument("--post", metavar="ID", action="append", default=[], help="this post; repeatable")
    forget.add_argument(
        "--author", metavar="HANDLE", action="append", default=[], help="all posts of this author; repeatable"
    )
    forget.set_defaults(run=partial(run_forget, make_erasure_targets=make_erasure_targets))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of posts")
    return int(text)


def _map_option(text: str) -> str:
    from indexer.readers.mapping.mapping_file import parse_map_option

    try:
        parse_map_option(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run_reindex(args: argparse.Namespace, settings: Settings, usage_error: Callable[[str], NoReturn]) -> int:
    """`stipple reindex`: progress and rejects to stderr, one summary line to stdout."""
    from indexer.commands.reading_options import given_paths, read_options, run_preview
    from indexer.readers.sources import find_sources

    if not (paths := given_paths(args)):  # --preview may have taken the path, which argparse does not know
        usage_error("the following arguments are required: PATH")
    if args.prune_up_to is not None and not args.prune:
        raise FixableError("--prune-up-to was given without --prune", "add --prune, or leave it out")
    if args.watch and (args.prune or args.dry_run or args.preview or "-" in paths):
        problem = "--watch reads one file at a time, and does not end"
        raise FixableError(problem, "leave out --prune, --dry-run and --preview, and name files or folders")
    require_engine(args)
    sources = [] if args.watch else find_sources(paths)
    read_options(args)  # a wrong mapping is reported before the model is loaded
    if args.preview:
        return run_preview(sources, args)
    _step_aside(settings.reindex_niceness)
    # The model takes seconds to load. A wrong path has been reported by now.
    from retrieval.models.factory import load_embedder
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
    """Repeat `run_reindex` over what changed, until it is interrupted, or `pause` raises.

    A run that fails is reported; one that found the index locked is repeated.
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
    raise AssertionError("watching files never ends")


def reindex_into(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    sources: Sequence[Source],
    args: argparse.Namespace,
    settings: Settings,
) -> int:
    """`run_reindex`, with its store and models passed in."""
    from indexer.commands.engine_options import chosen_engine
    from indexer.commands.reading_options import read_options
    from indexer.progress import progress_on
    from indexer.readers.sources import read_posts
    from indexer.rejects import RejectsLog
    from indexer.run.passed_over import PassedOverLog
    from indexer.run.reindex import RunOptions, reindex
    from indexer.run.run_history import RecordedProgress, RunHistory
    from retrieval.disk import naming_disk_trouble

    run_options = RunOptions(args.dry_run, args.prune, args.prune_up_to, args.allow_forgotten, args.anew)
    shown, passed = progress_on(sys.stderr, args.quiet), PassedOverLog()
    command = f"reindex {' '.join(args.paths)}"
    with naming_disk_trouble(settings.data_dir), RunHistory(settings.data_dir).record(command) as run:
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
                    remote=engine.reading(sources, options), passed=passed.add,
                )  # fmt: skip
                try:
                    summary = reindex(
                        store, embedder, weigher, offered, data_dir=settings.data_dir, progress=progress,
                        rejects=rejects, options=run_options, engine=engine.embedding,
                        index_here=not settings.qdrant_url,
                    )  # fmt: skip
                    summary = replace(
                        summary, passed_over=dict(passed.passed_over), kept_without=dict(passed.kept_without),
                        mended=dict(passed.mended),
                        unusual=passed.unusual(summary.offered),
                    )  # fmt: skip
                finally:
                    if rejects.count:
                        run.rejected(rejects.reasons, str(rejects.path))
        finally:
            progress.close()
        run.done(summary)
    print(json.dumps(asdict(summary)) if args.json else summary)
    if summary.unusual:
        print(f"stipple: {summary.unusual}\nto fix: {UNUSUAL_FIX}", file=sys.stderr)
    return SOME_REJECTED if summary.rejected or summary.unusual else DONE


def _rejects_path(args: argparse.Namespace, settings: Settings, sources: Sequence[Source]) -> Path:
    given: Path | None = args.rejects
    if given is None:
        return settings.data_dir / "rejects" / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.rejects.jsonl"
    if any(source.path is not None and source.path.resolve() == given.resolve() for source in sources):
        raise FixableError(f"{given} is an input file, and --rejects would overwrite it", "name another file")
    return given


def _step_aside(niceness: int) -> None:
    """Run at lower priority than other processes; threads started from now on do too.

    Args:
        niceness: 0 to 19; a process that is already nicer stays so.
    """
    current = os.nice(0)
    if niceness > current:
        os.nice(niceness - current)


def run_status(
    args: argparse.Namespace,
    settings: Settings,
    writer_problem: Callable[[Settings], FixableError | None] = lambda _: None,
) -> int:
    """`stipple status`: the current generation, what else is on disk, and past runs."""
    from indexer.upkeep.status import status_facts, status_lines

    facts = status_facts(settings)
    problem = writer_problem(settings)
    if problem is not None:
        facts["writer_problem"] = {"problem": problem.problem, "fix": problem.fix}
    if args.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print("\n".join(status_lines(facts, settings)))
    return DONE


def run_rollback(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple rollback`: another generation becomes the current one."""
    from indexer.upkeep.old_generations import rollback
    from retrieval.stores.factory import open_store

    before, now = rollback(open_store(settings), args.generation)
    print(f"generation {now.name} of {now.created_at:%Y-%m-%d %H:%M} ({now.posts:,} posts) replaces {before.name}")
    if now.identity != before.identity:
        name = now.identity.model.partition("@")[0]
        print(f"it was built by {now.identity.model}: set STIPPLE_EMBEDDING_MODEL to {name} too", file=sys.stderr)
    return DONE


def run_prune(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple prune`: rewrite what is in use, delete the rest."""
    from indexer.progress import progress_on
    from indexer.upkeep.old_generations import prune
    from retrieval.models.factory import load_embedder
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    _step_aside(settings.reindex_niceness)
    store, progress = open_store(settings), progress_on(sys.stderr, args.quiet)
    try:
        pruned = prune(store, load_embedder(settings), TermWeigher(), settings, progress)
    finally:
        progress.close()
    print(pruned)
    return DONE


def run_forget(
    args: argparse.Namespace, settings: Settings, make_erasure_targets: Callable[[Settings], ErasureTargets]
) -> int:
    """`stipple forget`: deletes at once from every place on disk; a running server follows within a second."""
    from indexer.journal.erasure import forget
    from retrieval.stores.factory import open_store

    if not args.post and not args.author:
        raise FixableError("nothing was named to forget", "add --post ID or --author HANDLE")
    print(
        forget(
            open_store(settings), settings.data_dir, args.post, args.author,
            by="command", erasure_targets=make_erasure_targets(settings),
        )
    )  # fmt: skip
    return DONE
