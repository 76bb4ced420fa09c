"""A run whose files are read and whose passages are embedded by two workers of a real Ray on this machine."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from indexer.engines.engine import EmbeddingEngine
from indexer.progress import QuietProgress
from indexer.readers.formats.jsonl import Offered
from indexer.readers.record_reader import ReadOptions
from indexer.readers.sources import RemoteReader, find_sources, read_posts
from indexer.rejects import Rejected, RejectsLog
from indexer.run.reindex import reindex
from indexer.run.summary import Summary
from retrieval.errors import FixableError
from retrieval.models.embedding import Embedder, HashEmbedder
from retrieval.types import Post
from tests.indexer.engines.embedders import MortalEmbedder, absent_embedder, other_embedder
from tests.indexer.memory_store import MemoryStore
from tests.indexer.runs import LengthWeigher

pytest.importorskip("ray", reason="Ray is not installed: pip install 'stipple[ray]'")
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")]

from indexer.engines.ray import RETRIES, RayEngine  # noqa: E402  # it needs Ray
from indexer.engines.ray_cluster import Capacity, connected  # noqa: E402  # so does this
from indexer.engines.ray_reader import read_by_workers  # noqa: E402  # and this


@pytest.fixture(scope="module")
def capacity() -> Iterator[Capacity]:
    with connected(workers=2) as capacity:
        yield capacity


def posts(count: int, fatal: int = -1) -> list[Post]:
    """Short and long posts, Chinese and English."""
    return [
        Post(
            id=str(at),
            title="",
            text=f"第{at}杯咖啡 number {at} " * (1 + at % 40) + "fatal" * (at == fatal),
            language="",
        )
        for at in range(count)
    ]


def run(folder: Path, offered: list[Post], engine: EmbeddingEngine | None) -> tuple[MemoryStore, Summary]:
    store, progress = MemoryStore(), QuietProgress(io.StringIO())
    found = [Offered(post, "posts.jsonl", line, b"{}") for line, post in enumerate(offered, start=1)]
    with RejectsLog(folder / "rejects.jsonl", progress.saying) as rejects:
        summary = reindex(
            store, HashEmbedder(), LengthWeigher(), found, data_dir=folder, progress=progress, rejects=rejects,
            engine=engine,
        )  # fmt: skip
    return store, summary


def engine_of(
    load: Callable[[], Embedder], capacity: Capacity, tell: Callable[[str], None] = lambda _: None
) -> RayEngine:
    return RayEngine(load, HashEmbedder().identity, capacity, tell)


def require_same(one: MemoryStore, other: MemoryStore) -> None:
    assert one.indexed().keys() == other.indexed().keys()
    for post_id, indexed in one.indexed().items():
        there = other.indexed()[post_id]
        assert indexed.stored == there.stored
        assert (indexed.passages, indexed.terms) == (there.passages, there.terms)
        assert np.array_equal(indexed.vectors, there.vectors)


def test_an_index_embedded_by_two_workers_of_whom_one_is_killed_is_the_one_embedded_here(
    tmp_path: Path, capacity: Capacity
) -> None:
    lives, told = tmp_path / "lives", list[str]()
    lives.mkdir()
    (lives / "one").touch()
    offered = posts(1_500, fatal=700)
    here, local = run(tmp_path / "here", offered, None)
    there, summary = run(tmp_path / "there", offered, engine_of(partial(MortalEmbedder, lives), capacity, told.append))
    assert list(lives.iterdir()) == []
    assert len(told) == 1
    assert told[0].startswith("a Ray worker was lost")
    require_same(here, there)
    assert summary.embedded == local.embedded


def test_a_batch_that_kills_every_worker_ends_the_run_and_the_next_run_embeds_only_the_rest(
    tmp_path: Path, capacity: Capacity
) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    for life in range(RETRIES + 1):
        (lives / str(life)).touch()
    offered = posts(1_500, fatal=1_400)  # in the second window of passages
    with pytest.raises(FixableError, match=f"gave up on a batch after {RETRIES + 1} tries"):
        run(tmp_path, offered, engine_of(partial(MortalEmbedder, lives), capacity))
    assert list(lives.iterdir()) == []
    here, whole = run(tmp_path / "here", offered, None)
    there, rest = run(tmp_path, offered, engine_of(HashEmbedder, capacity))
    require_same(here, there)
    assert 0 < rest.embedded < whole.embedded


def test_batches_come_back_in_order_and_empty_ones_too(capacity: Capacity) -> None:
    batches = [[f"咖啡 {at} " * at for at in range(n)] for n in (3, 0, 200, 1, 0, 0, 50, *range(30))]
    vectors = list(engine_of(HashEmbedder, capacity).embed(batches))
    assert [len(some) for some in vectors] == [len(batch) for batch in batches]
    for batch, some in zip(batches, vectors, strict=True):
        assert np.array_equal(some, HashEmbedder().embed_passages(batch))


def test_no_worker_starts_where_nothing_is_to_be_embedded() -> None:
    idle = RayEngine(absent_embedder, HashEmbedder().identity, Capacity(10**6))
    assert [some.shape for some in idle.embed([[], []])] == [(0, 64), (0, 64)]


def test_a_worker_without_the_model_says_so_and_how_to_fix_it(capacity: Capacity) -> None:
    with pytest.raises(FixableError, match="cannot load its embedder: the model bge-m3 is not on disk") as caught:
        list(engine_of(absent_embedder, capacity).embed([["coffee"]]))
    assert caught.value.fix == "copy it there"


def test_a_worker_with_another_model_is_refused(capacity: Capacity) -> None:
    with pytest.raises(FixableError, match=r"embeds with other-64 .* and this run with hash-64"):
        list(engine_of(other_embedder, capacity).embed([["coffee"]]))


def test_an_address_where_nobody_answers_is_reported_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FixableError, match=f"no Ray cluster answers at {address}"), connected(address):
            pass


@pytest.mark.parametrize("address", ["cluster", "ray://head:10001", "head:", ":6379", "head:99999999"])
def test_what_is_not_an_address_is_reported_with_how_to_write_one(address: str) -> None:
    with pytest.raises(FixableError) as caught, connected(address):
        pass
    assert "HOST:PORT" in caught.value.fix


def a_line(post_id: str, **fields: object) -> str:
    return json.dumps({"id": post_id, "text": f"coffee {post_id}"} | fields, ensure_ascii=False) + "\n"


def write_shards(folder: Path) -> None:
    """Good files, broken ones, an empty one, an export with its comments in other files, an archive."""
    folder.mkdir()
    for at in range(4):
        lines = [a_line(f"{at}-{line}") for line in range(500)]
        (folder / f"{at}.jsonl").write_text(
            "".join([*lines, a_line("twice", title=f"from {at}"), "{broken\n"]), "utf-8"
        )
    (folder / "4.csv").write_bytes("id,text\nc1,咖啡馆在二楼\nc2,茶\n".encode("gb18030"))
    (folder / "5.jsonl").touch()
    (folder / "6.jsonl.gz").write_bytes(b"\x1f\x8b\x08no gzip")
    story = {"id": 1, "type": "story", "by": "pg", "time": 1160418111, "title": "Y Combinator", "score": 57}
    comment = {"id": 15, "type": "comment", "by": "sama", "time": 1160423461, "parent": 1, "text": "the rising star"}
    (folder / "7.jsonl").write_text(json.dumps(story) + "\n", "utf-8")
    (folder / "8.jsonl").write_text(json.dumps(comment) + "\n", "utf-8")
    with zipfile.ZipFile(folder / "9.zip", "w") as bundle:
        bundle.writestr("a.jsonl", a_line("z1"))
        bundle.writestr("b.jsonl", a_line("z2") + "{broken\n")


def read(folder: Path, remote: RemoteReader | None) -> tuple[list[Offered | Rejected], list[str]]:
    told: list[str] = []
    sources = find_sources([str(folder)])
    return list(read_posts(sources, io.BytesIO(), tell=told.append, remote=remote)), told


def test_files_read_by_workers_give_the_same_posts_and_rejects_in_the_same_order(
    tmp_path: Path, capacity: Capacity
) -> None:
    folder = tmp_path / "shards"
    write_shards(folder)
    workers = read_by_workers(find_sources([str(folder)]), ReadOptions())
    there, here = read(folder, workers), read(folder, None)
    assert there == here
    assert len([one for one in here[0] if isinstance(one, Rejected)]) >= 6
    assert any(isinstance(one, Offered) and one.post.id.endswith("1") and one.post.comments for one in here[0])


def test_one_file_alone_is_read_by_this_process(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(a_line("1"), "utf-8")
    assert read_by_workers(find_sources([str(file)]), ReadOptions()) is None
