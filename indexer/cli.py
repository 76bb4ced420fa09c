"""The commands that fill the index: `stipple reindex` and `stipple status`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import FixableError, IndexMissing

if TYPE_CHECKING:
    from indexer.readers.mapping import Move
    from indexer.readers.sources import Source
    from indexer.reindex import PassageWeigher
    from retrieval.embedding import Embedder
    from retrieval.settings import Settings
    from retrieval.store import PostStore

DONE, SOME_REJECTED = 0, 3

Subparsers = argparse._SubParsersAction  # the type that add_subparsers() returns; argparse gives it no public name


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `reindex` and `status`. Cheap: what they need is imported when they run."""
    reindex = subparsers.add_parser(
        "reindex",
        help="bring the index up to date with post files",
        description="Index the posts of files, folders and standard input. What is unchanged since the last run is "
        "passed over; what is stored and not offered stays.",
        epilog="exit codes: 0 all indexed; 1 could not; 2 wrong usage; 3 some lines rejected, the rest indexed; "
        "130 interrupted. docs/posts.md describes the format.",
    )
    reindex.add_argument(
        "paths", nargs="+", metavar="PATH", help="a .jsonl, .jsonl.gz or .jsonl.zst file, a folder, or - for stdin"
    )
    reindex.add_argument(
        "--map", dest="moves", metavar="NEW=OLD", type=_move, action="append", default=[],
        help="read the post's field NEW from the line's OLD, which may be a path: --map author=user.name; repeatable",
    )  # fmt: skip
    reindex.add_argument("--ignore-unknown", action="store_true", help="pass over fields that a post does not have")
    reindex.add_argument(
        "--rejects", metavar="FILE", type=Path,
        help="where rejected lines go (default: a new file in the data folder's rejects/)",
    )  # fmt: skip
    reindex.add_argument("--quiet", action="store_true", help="no progress; rejected lines are still shown")
    reindex.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    reindex.set_defaults(run=run_reindex)

    status = subparsers.add_parser("status", help="say what is indexed", description="Say what is indexed.")
    status.add_argument("--json", action="store_true", help="print it as one JSON object")
    status.set_defaults(run=run_status)


def _move(text: str) -> Move:
    from indexer.readers.mapping import parse_move

    try:
        return parse_move(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_reindex(args: argparse.Namespace, settings: Settings) -> int:
    """`stipple reindex`: progress and rejects to stderr, one summary line to stdout."""
    from indexer.readers.sources import find_sources

    sources = find_sources(args.paths)
    # The model takes seconds to load. A wrong path has been told by now.
    from retrieval.embedding import load_embedder
    from retrieval.stores.opening import open_store
    from retrieval.terms import TermWeigher

    return reindex_into(open_store(settings), load_embedder(settings), TermWeigher(), sources, args, settings)


def reindex_into(
    store: PostStore,
    embedder: Embedder,
    weigher: PassageWeigher,
    sources: Sequence[Source],
    args: argparse.Namespace,
    settings: Settings,
) -> int:
    """`run_reindex`, with what it works on passed in."""
    from indexer.progress import progress_on
    from indexer.readers.sources import read_posts
    from indexer.reindex import reindex
    from indexer.rejects import RejectsLog

    progress = progress_on(sys.stderr, args.quiet)
    try:
        with RejectsLog(_rejects_path(args, settings, sources), progress.saying) as rejects:
            summary = reindex(
                store, embedder, weigher, read_posts(sources, sys.stdin.buffer, args.moves, args.ignore_unknown),
                data_dir=settings.data_dir, progress=progress, rejects=rejects, index_here=not settings.qdrant_url,
            )  # fmt: skip
    finally:
        progress.close()
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
    """`stipple status`: what readers use now, and what else is on disk."""
    from retrieval.calibration import dense_weights
    from retrieval.stores.opening import open_store

    store = open_store(settings)
    generations = {info.name: info for info in store.generations()}
    current = generations.get(store.current() or "")
    if current is None:
        raise IndexMissing(f"nothing is indexed in {settings.data_dir}", "run `stipple reindex PATH`")
    weights = dense_weights(settings, current.identity.model)
    embeddings_bytes = sum(map(_size_bytes, settings.data_dir.glob("embeddings.sqlite*")))
    facts: dict[str, object] = {
        "generation": current.name,
        "posts": current.posts,
        "passages": current.passages,
        "model": current.identity.model,
        "dimension": current.identity.dimension,
        "schema": current.identity.schema,
        "created_at": current.created_at.isoformat(timespec="seconds"),
        "dense_weights": asdict(weights),
        "index_bytes": _size_bytes(settings.data_dir / "index"),
        "embeddings_bytes": embeddings_bytes,
        "other_generations": [name for name in generations if name != current.name],
    }
    if args.json:
        print(json.dumps(facts, ensure_ascii=False))
        return DONE
    others = ", ".join(name for name in generations if name != current.name) or "none"
    index = settings.data_dir / "index"
    print(f"posts              {current.posts:,} ({current.passages:,} passages)")
    print(f"generation         {current.name}, of {facts['created_at']}")
    print(f"other generations  {others}")
    print(f"model              {current.identity.model}, {current.identity.dimension} dimensions")
    print(f"dense weights      {weights.known:.2f}, unknown languages {weights.unknown:.2f} ({weights.source})")
    print(f"index              {settings.qdrant_url or f'{index}, {_size_bytes(index) / 1e6:,.1f} MB'}")
    print(f"embeddings         {embeddings_bytes / 1e6:,.1f} MB")
    return DONE


def _size_bytes(path: Path) -> int:
    """What a file or folder takes on disk: the files of an index are sparse, and far longer than that."""
    files = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
    return sum(file.stat().st_blocks * 512 for file in files)
