"""Applies the journal's changes to a generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from indexer.journal.journal import Change, Journal
from indexer.pipeline.post_encoder import PostEncoder
from retrieval.stores.contract import Changes


class Changeable(Protocol):
    """A generation, or the writer of one."""

    def change(self, changes: Changes) -> None: ...


def replay(journal: Journal, encoder: PostEncoder, target: Changeable, after: int, until: int | None = None) -> int:
    """Apply the changes after number `after`, in order; returns the number of the last one.

    Applying a change twice does no harm.
    """
    for batch in journal.batches(after, until):
        replay_batch(batch, encoder, target)
        after = batch[-1].number
    return after


def replay_batch(batch: Sequence[Change], encoder: PostEncoder, target: Changeable) -> None:
    """Apply some changes, at most one per post."""
    put = [change.stored for change in batch if change.stored is not None]
    gone = [change.post_id for change in batch if change.stored is None]
    if gone:  # first: deleting waits for no model
        target.change(Changes(delete=gone))
        encoder.cache.forget(gone)
    for some in encoder.indexed(put):
        target.change(Changes(upsert=some))
