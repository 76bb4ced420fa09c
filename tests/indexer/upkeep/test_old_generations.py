"""Going back to another generation, also where the current one is gone from the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer.upkeep.old_generations import rollback
from retrieval.errors import IndexMissing
from retrieval.models.embedding import HashEmbedder
from tests.small_index import POSTS, indexed


def test_where_the_current_generation_is_gone_the_one_before_is_offered_and_can_be_gone_back_to(tmp_path: Path) -> None:
    embedder = HashEmbedder(64)
    indexed(tmp_path, POSTS, embedder)
    store = indexed(tmp_path, POSTS[:1], embedder)
    first, second = store.generations()
    shutil.rmtree(tmp_path / "index" / "generations" / second.name)
    with pytest.raises(IndexMissing, match=f"{second.name} is gone") as missing:
        store.open(embedder.identity)
    assert f"stipple rollback {first.name}" in missing.value.fix
    assert rollback(store)[1].name == first.name
    store.open(embedder.identity).close()


def test_without_any_generation_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    from retrieval.stores.edge.store import EdgeStore

    with pytest.raises(IndexMissing, match="nothing is indexed"):
        rollback(EdgeStore(tmp_path))
