"""The options of `stipple reindex` that choose where the work is done, and the engine that they choose."""

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
    """Add them. Cheap: no engine is imported."""
    parser.add_argument(
        "--engine", choices=(LOCAL, RAY), default=LOCAL,
        help="where files are read and passages embedded: in this process (default), or by workers of Ray",
    )  # fmt: skip
    parser.add_argument(
        "--address",
        default="",
        metavar="HOST:PORT",
        help="with --engine ray: the cluster's head (default: workers on this machine)",
    )
    parser.add_argument(
        "--workers", type=_count, default=0, metavar="N",
        help="with --engine ray: how many processes embed (default: one per core, or per GPU)",
    )  # fmt: skip


def require_engine(args: argparse.Namespace) -> None:
    """
    Raises:
        FixableError: The options do not fit together, or the engine is not installed.
    """
    if args.engine != RAY:
        if args.address or args.workers:
            raise FixableError(
                "--address and --workers are options of the engine ray", "add --engine ray, or leave them out"
            )
        return
    if args.watch:
        problem = "--watch reads one file at a time, which --engine ray does not do"
        raise FixableError(problem, "leave out --engine ray")
    from indexer.engines.ray_cluster import require_installed

    require_installed()


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the work is done.

    Attributes:
        embedding: None: this process embeds.
        reading: Makes what reads the sources elsewhere; None: this process reads.
    """

    embedding: EmbeddingEngine | None = None
    reading: Callable[[Sequence[Source], ReadOptions], RemoteReader | None] = lambda *_: None


@contextmanager
def chosen_engine(
    args: argparse.Namespace, settings: Settings, embedder: Embedder, tell: Callable[[str], None]
) -> Iterator[Engine]:
    """The chosen engine, for as long as the block lasts.

    Raises:
        FixableError: It cannot be used.
    """
    if args.engine == LOCAL:
        yield Engine()
        return
    from indexer.engines.ray import RayEngine
    from indexer.engines.ray_cluster import connected
    from indexer.engines.ray_reader import read_by_workers
    from retrieval.models.factory import load_embedder

    # A worker has as many threads as cores.
    there = settings.model_copy(update={"threads": 1})
    with connected(args.address, args.workers) as capacity:
        tell(f"Ray {args.address or 'on this machine'}: {capacity}")
        yield Engine(RayEngine(partial(load_embedder, there), embedder.identity, capacity, tell), read_by_workers)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of workers (1 or more)")
    return int(text)
