"""The options of `stipple reindex` that say where the work is done, and the engine that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from retrieval.errors import FixableError

if TYPE_CHECKING:
    from indexer.engines.engine import EmbeddingEngine
    from indexer.readers.record_reader import ReadOptions
    from indexer.readers.sources import RemoteReader, Source
    from retrieval.models.embedding import Embedder
    from retrieval.settings import Settings

LOCAL, RAY = "local", "ray"


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add them. Cheap: nothing of an engine is imported."""
    parser.add_argument(
        "--engine", choices=(LOCAL, RAY), default=LOCAL,
        help="where files are read and passages embedded: in this process (default), or by workers of Ray",
    )  # fmt: skip
    parser.add_argument(
        "--address", default="", metavar="HOST:PORT", help="with --engine ray: of a cluster (default: workers here)"
    )
    parser.add_argument(
        "--workers", type=_count, default=0, metavar="N",
        help="with --engine ray: how many processes embed (default: as many as there are cores for, or GPUs)",
    )  # fmt: skip


def require_engine(args: argparse.Namespace) -> None:
    """
    Raises:
        FixableError: The options do not fit together, or the engine is not installed.
    """
    if args.engine != RAY:
        if args.address or args.workers:
            raise FixableError("--address and --workers are of the engine ray", "add --engine ray, or leave them out")
        return
    if args.watch:
        told = "--watch reads a file at a time, for which no worker of Ray is started"
        raise FixableError(told, "leave out --engine ray")
    from indexer.engines.ray_cluster import require_installed

    require_installed()


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the work is done.

    Attributes:
        embedding: None is this process.
        reading: What reads files elsewhere, given the sources; None is this process.
    """

    embedding: EmbeddingEngine | None = None
    reading: Callable[[Sequence[Source], ReadOptions], RemoteReader | None] = lambda *_: None


@contextmanager
def chosen_engine(
    args: argparse.Namespace, settings: Settings, embedder: Embedder, tell: Callable[[str], None]
) -> Iterator[Engine]:
    """The engine that was asked for, for as long as the block lasts.

    Raises:
        FixableError: It cannot be used.
    """
    if args.engine == LOCAL:
        yield Engine()
        return
    from indexer.engines.ray import RayEngine
    from indexer.engines.ray_cluster import connected
    from indexer.engines.ray_reader import read_by_workers
    from retrieval.models.embedding import load_embedder

    # A worker's threads are its cores.
    there = settings.model_copy(update={"threads": 1})
    with connected(args.address, args.workers) as capacity:
        tell(f"Ray {args.address or 'on this machine'}: {capacity}")
        yield Engine(RayEngine(partial(load_embedder, there), embedder.identity, capacity, tell), read_by_workers)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers, 1 or more")
    return int(text)
