"""An embedded generation's files are in memory before they are needed, as far as there is room."""

from __future__ import annotations

import mmap
import platform
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.search.live_generation import LiveGeneration
from retrieval.stores.contract import IndexedPost
from retrieval.stores.edge.page_cache import warm
from retrieval.stores.edge.store import EdgeStore
from retrieval.types import Filters, Identity
from tests.retrieval.stores.generations import same
from tests.retrieval.stores.offered import a_post, fill, indexed

LINUX = tuple(map(int, re.findall(r"\d+", platform.release())[:2])) if platform.system() == "Linux" else (0, 0)
pytestmark = pytest.mark.skipif(LINUX < (5, 14), reason="only Linux from 5.14 on has pages read at an address")

WIDE = Identity("wide@53aa5117", 4096)
MIB = 1 << 20


def at_hand(folder: Path, name: str = "*") -> dict[str, tuple[int, int]]:
    """Of each mapped file under a folder, by name: how many bytes are in memory, and how many it has."""
    found: dict[str, tuple[int, int]] = {}
    path = Path()
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        fields = line.split(maxsplit=5)
        if not fields[0].endswith(":"):
            path = Path(fields[5]) if len(fields) == 6 else Path()
        elif folder in path.parents and path.match(name) and fields[0] in {"Size:", "Rss:"}:
            resident, size = found.get(path.name, (0, 0))
            more = int(fields[1]) * 1024
            found[path.name] = (resident, size + more) if fields[0] == "Size:" else (resident + more, size)
    return found


@contextmanager
def mapped(path: Path, size: int) -> Iterator[mmap.mmap]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as lying:
        yield lying


def test_mapped_files_that_match_are_read_and_at_hand(tmp_path: Path) -> None:
    with mapped(tmp_path / "a" / "wanted", 3 * MIB), mapped(tmp_path / "b" / "unwanted", MIB):
        assert at_hand(tmp_path) == {"wanted": (0, 3 * MIB), "unwanted": (0, MIB)}
        assert warm(tmp_path, "a/*") == 3 * MIB
        assert at_hand(tmp_path) == {"wanted": (3 * MIB, 3 * MIB), "unwanted": (0, MIB)}


def test_where_there_is_no_room_for_all_the_smaller_ones_are_read(tmp_path: Path) -> None:
    with mapped(tmp_path / "a", 3 * MIB), mapped(tmp_path / "b", MIB), mapped(tmp_path / "c", 2 * MIB):
        assert warm(tmp_path, "*", budget_bytes=4 * MIB) == 3 * MIB
        assert {name: resident for name, (resident, _) in at_hand(tmp_path).items()} == {
            "a": 0,
            "b": MIB,
            "c": 2 * MIB,
        }


def test_a_file_that_is_cut_short_or_deleted_meanwhile_ends_nothing(tmp_path: Path) -> None:
    with mapped(tmp_path / "cut", 2 * MIB), mapped(tmp_path / "gone", MIB), mapped(tmp_path / "whole", MIB):
        (tmp_path / "gone").unlink()
        with (tmp_path / "cut").open("r+b") as file:
            file.truncate(4096)
        assert warm(tmp_path, "*") == 4096 + MIB
        assert at_hand(tmp_path)["whole"] == (MIB, MIB)


def test_each_generations_graph_and_vectors_are_at_hand_soon_after_it_is_handed_out(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    live = LiveGeneration(store, WIDE)
    for _ in range(2):
        folder = tmp_path / "index" / "generations" / fill(store, wide_posts(8), WIDE).name
        assert live.refresh()
        ends = time.monotonic() + 10
        while not is_warm(folder) and time.monotonic() < ends:
            time.sleep(0.01)
        assert is_warm(folder)
    live.close()


def test_a_generation_finds_the_same_warm_and_cold_and_when_closed_warms_nothing(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    posts = wide_posts(8)
    fill(store, posts, WIDE)
    with closing(store.open(WIDE)) as generation:
        question = (posts[3].vectors[7], posts[3].terms[7], 10, Filters())
        cold = generation.candidates(*question)
        assert not is_warm(tmp_path)
        generation.warm()
        assert is_warm(tmp_path)
        same(generation.candidates(*question), cold)
    generation.warm()
    assert at_hand(tmp_path) == {}


def wide_posts(count: int) -> list[IndexedPost]:
    """Posts of a hundred passages. With eight of them there are too many vectors for a full scan, and the engine writes
    them into immutable files.
    """
    random = np.random.default_rng(0)
    posts = [indexed(a_post(f"post-{number}"), number, 100) for number in range(count)]
    vectors = random.standard_normal((count, 100, WIDE.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return [replace(one, vectors=own) for one, own in zip(posts, vectors, strict=True)]


def is_warm(folder: Path) -> bool:
    files = at_hand(folder, "vector_*-dense/*")
    return bool(files) and all(resident == size for resident, size in files.values())
