"""Writes an embedded generation: from nothing, or from a copy of another."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import qdrant_edge as qdrant

from retrieval.disk import copy_sparsely, naming_folder_trouble, sync_tree
from retrieval.stores.contract import Changes, GenerationInfo, IndexedPost, Reached
from retrieval.stores.edge.generation import CATALOG, SHARD, changing
from retrieval.stores.edge.manifest import MANIFEST, write_manifest
from retrieval.stores.edge.post_catalog import Catalog
from retrieval.stores.edge.post_catalog_changes import CatalogWriter
from retrieval.stores.edge.shard import PIECE, create_shard, delete_points, recount_points, upsert_points
from retrieval.types import Identity


class EdgeWriter:
    """Fills the folder of a generation. A folder without a manifest may be deleted by anybody.

    Args:
        like: The folder of a finished generation to copy, which may be open and changing elsewhere. The copy is what a
            power cut would have left: changes that were not settled may be missing.
        piece: Passages over which search structures are built at a time.
    """

    def __init__(self, folder: Path, identity: Identity, like: Path | None = None, piece: int = PIECE) -> None:
        self._folder, self._identity, self._piece = folder, identity, piece
        self._unbuilt = 0  # passages written since search structures were built
        with naming_folder_trouble(folder):
            folder.mkdir()
            if like is None:
                (folder / SHARD).mkdir()
                self._catalog = CatalogWriter(folder / CATALOG)
                self._shard = create_shard(folder / SHARD, identity.dimension, piece)
            else:
                copy_shard(like, folder)
                self._catalog = CatalogWriter(folder / CATALOG)
                self._shard = qdrant.EdgeShard.load(str(folder / SHARD))

    @property
    def name(self) -> str:
        return self._folder.name

    def reached(self) -> Reached:
        return self._catalog.reached()

    def upsert(self, posts: Sequence[IndexedPost]) -> None:
        self.change(Changes(upsert=posts))

    def change(self, changes: Changes) -> None:
        latest = {one.stored.post.id: one for one in changes.upsert}  # the last of several with one ID counts
        with naming_folder_trouble(self._folder):
            before = self._catalog.put([(one.stored, len(one.passages)) for one in latest.values()])
            upsert_points(self._shard, list(latest.values()), before)
            self._unbuilt += sum(len(one.passages) for one in latest.values())
            if self._unbuilt >= self._piece:
                self._shard.optimize()
                self._shard.flush()
                self._unbuilt = 0
            recount_points(self._shard, changes.recount, self._catalog.recount(changes.recount))
            delete_points(self._shard, self._catalog.delete(changes.delete))

    def finish(self, reached: Reached | None = None) -> GenerationInfo:
        with naming_folder_trouble(self._folder):
            self._shard.optimize()
            self._shard.flush()
            self._shard.close()
            posts, passages = self._catalog.finish(reached)
            sync_tree(self._folder)
            info = GenerationInfo(self.name, self._identity, datetime.now(UTC), posts, passages)
            write_manifest(self._folder, info)
        return info

    def discard(self) -> None:
        with contextlib.suppress(Exception):  # a full disk may prevent even this; the folder is deleted anyway
            self._shard.close()
        self._catalog.close()
        delete_generation(self._folder)


def delete_generation(folder: Path) -> None:
    """Delete a generation's folder, if there is one. A process that has it open keeps its files to the end."""
    # The manifest first: a half deleted folder must not count as finished.
    (folder / MANIFEST).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def copy_generation(like: Path, folder: Path) -> None:
    """Copy the folder of a finished generation, which may be open and changing elsewhere."""
    folder.mkdir()
    copy_shard(like, folder)


def copy_shard(like: Path, folder: Path) -> None:
    with changing(like):
        copy_sparsely(like / SHARD, folder / SHARD)
        with contextlib.closing(Catalog(like / CATALOG)) as catalog:
            catalog.copy_to(folder / CATALOG)
