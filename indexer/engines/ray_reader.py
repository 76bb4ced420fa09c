"""Files read by tasks of Ray Data, one file per task, many at once, on any node with room.

Posts come back in the order of files and lines, so that of two posts with the same id the same one is kept as when this
process reads them.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from indexer.engines.ray_cluster import imported
from indexer.readers.formats.jsonl import Offered
from indexer.readers.record_reader import ReadOptions
from indexer.readers.sources import Source, read_shard
from indexer.rejects import PassedOver, Rejected

Found = Offered | Rejected | PassedOver | str

SENT_AT_ONCE = 200
BLOCK_BYTES = (
    8_000_000  # of a task's output that waits to be taken: Ray's default of 128 MB would fill the object store
)


class RayReader:
    """A RemoteReader whose files are read by tasks. Use it from one thread."""

    def __init__(self, sources: Sequence[Source], options: ReadOptions) -> None:
        self._places = {source.name: place for place, source in enumerate(sources)}
        self._rows = _rows(sources, options)
        self._ahead: tuple[int, list[Found] | None] | None = None

    def found_in(self, source: Source) -> Iterator[Found] | None:
        """As RemoteReader promises."""
        place = self._places[source.name]
        first = self._next(place)
        if first is None or first[1] is None:  # the task left it to this process
            return None
        return self._found(place, first[1])

    def _found(self, place: int, some: list[Found]) -> Iterator[Found]:
        yield from some
        while (row := self._next(place)) is not None:
            assert row[1] is not None, "a task left a file to this process after reading some of it"
            yield from row[1]

    def _next(self, place: int) -> tuple[int, list[Found] | None] | None:
        """The next row, if it is of this file."""
        row = self._ahead or next(self._rows, None)
        self._ahead = None
        if row is not None and row[0] != place:
            assert row[0] > place, "files come back in their order"
            self._ahead, row = row, None
        return row


def read_by_workers(sources: Sequence[Source], options: ReadOptions) -> RayReader | None:
    """A reader of the sources; None for a single source, which would keep only one task busy."""
    return RayReader(sources, options) if len(sources) > 1 else None


def _rows(sources: Sequence[Source], options: ReadOptions) -> Iterator[tuple[int, list[Found] | None]]:
    imported()
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    context.target_max_block_size = BLOCK_BYTES
    # Pickled, because a path may have bytes that are not text, which Arrow refuses.
    items = [{"source": pickle.dumps((place, source, options))} for place, source in enumerate(sources)]
    dataset = ray.data.from_items(items, override_num_blocks=len(items)).flat_map(_read)
    for row in dataset.iter_rows():
        yield pickle.loads(row["found"])  # noqa: S301  # written by our own workers


def _read(row: dict[str, Any]) -> Iterator[dict[str, bytes]]:
    """A task: one file, some records per row; one row with None if the file must be read together with the others."""
    place, source, options = pickle.loads(row["source"])  # noqa: S301  # written by the run's own process
    found = read_shard(source, options)
    if found is None:
        yield {"found": pickle.dumps((place, None))}
        return
    yield {"found": pickle.dumps((place, []))}  # also for an empty file
    while some := list(islice(found, SENT_AT_ONCE)):
        yield {"found": pickle.dumps((place, some))}
