"""Moving an index to a Qdrant server and back, without reading or embedding its posts again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from indexer.progress import QuietProgress
from indexer.upkeep.migration import COMPARED_WHOLE, migrate
from retrieval.errors import FixableError, IndexLocked, IndexMissing
from retrieval.stores.contract import Changes, PostStore
from retrieval.stores.edge.store import EdgeStore
from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore
from retrieval.types import Filters, TermWeights
from stipple.cli import main
from tests.retrieval.stores.offered import IDENTITY, a_post, a_query, fill, full_post, indexed, some_posts
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, Trouble, http_qdrant

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
QUIET = QuietProgress(StringIO())


@pytest.fixture
def server() -> Iterator[HttpQdrant]:
    with http_qdrant() as server:
        yield server


def store_on(server: HttpQdrant, folder: Path) -> ServerStore:
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    return ServerStore(
        client, "stipple", folder, url=server.url, retry=RetryPolicy(run_s=0.05, first_s=0.01), poll_s=0
    )  # fmt: skip


def everything(store: PostStore) -> list[Any]:
    """Everything that a search of the current generation can return."""
    generation = store.open(IDENTITY)
    try:
        found = [
            one for seed in range(3) for one in generation.candidates(*a_query(seed), 5_000, Filters(min_likes=seed))
        ]
        found.sort(key=lambda one: (one.post_id, one.ordinal, round(one.cosine, 2)))
        ids = sorted(store.stored_ids())
        return [
            [(one.post_id, one.ordinal, one.part, one.comment, one.start, one.end) for one in found],
            np.array([one.cosine for one in found]),
            np.array([one.lexical for one in found]),
            generation.matching(Filters(), 500),
            generation.posts(ids),
            store.stored_hashes(ids),
        ]
    finally:
        generation.close()


def equal(one: PostStore, other: PostStore, but: Sequence[int] = ()) -> None:
    for at, (mine, theirs) in enumerate(zip(everything(one), everything(other), strict=True)):
        if at not in but:
            assert np.allclose(mine, theirs, rtol=0, atol=1e-4) if isinstance(mine, np.ndarray) else mine == theirs, at


def puts(server: HttpQdrant) -> int:
    return sum(len(one.body["points"]) for one in server.asked if one.method == "PUT" and one.path.endswith("/points"))


def test_the_moved_index_finds_and_gives_what_the_old_one_does(server: HttpQdrant, tmp_path: Path) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    empty = indexed(a_post("no terms"), seed=5)
    posts = [*some_posts(300), indexed(full_post("full"), seed=3, passages=2)]
    fill(here, [*posts, type(empty)(empty.stored, empty.passages, empty.vectors, (TermWeights((), ()),))])
    generation = here.open(IDENTITY)
    generation.settle({"journal": 7})
    generation.close()
    moved = migrate(here, there, QUIET)
    equal(there, here, but=[2])  # the two engines count a passage without terms differently: how rare a term is
    assert there.reached() == {"journal": 7}
    assert (there.current(), moved.posts, moved.found, moved.compared) == (moved.generation, 302, 0, 302)
    back = migrate(there, EdgeStore(tmp_path / "back"), QUIET)
    equal(EdgeStore(tmp_path / "back"), here)
    assert (back.posts, back.passages) == (moved.posts, moved.passages)


def test_one_that_was_interrupted_goes_on_where_it_was(server: HttpQdrant, tmp_path: Path) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    fill(here, some_posts(900))
    server.before = lambda path: (
        server.trouble.append(Trouble(507)) if path.endswith("/points") and puts(server) > 800 else None
    )
    with pytest.raises(FixableError, match="507"):
        migrate(here, there, QUIET)
    server.before, server.trouble = (lambda _: None), []
    assert (there.current(), there.generations()) == (None, [])
    server.asked.clear()
    moved = migrate(here, there, QUIET)
    assert 0 < moved.found < 900
    assert 0 < puts(server) < moved.passages - 800
    assert moved.posts == 900
    equal(there, here)


def test_what_changed_between_the_interruption_and_the_next_run_is_moved_as_it_is_now(
    server: HttpQdrant, tmp_path: Path
) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    fill(here, some_posts(60))
    server.trouble = [Trouble(507, only="/count", method="POST")]  # when all was written, and not yet counted
    with pytest.raises(FixableError):
        migrate(here, there, QUIET)
    generation = here.open(IDENTITY)
    generation.change(Changes(upsert=[indexed(a_post("post-7"), 99, 1, "another hash")], delete=["post-8", "post-9"]))
    generation.settle({})
    generation.close()
    moved = migrate(here, there, QUIET)
    assert (moved.posts, moved.found) == (58, 57)
    # How rare a term is counts what was deleted until the old index is written anew: the server has only what is there.
    equal(there, here, but=[2])


def test_an_index_that_a_running_server_has_open_is_moved_all_the_same(server: HttpQdrant, tmp_path: Path) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    fill(here, some_posts(20))
    generation = here.open(IDENTITY)
    generation.settle({"journal": 3})
    generation.change(Changes(upsert=[indexed(a_post("not settled"), 1)]))
    moved = migrate(EdgeStore(tmp_path), there, QUIET)
    assert there.reached() == {"journal": 3}  # whoever opens it makes good what the journal has since
    assert moved.posts in (20, 21)
    assert generation.candidates(*a_query(1), 5, Filters())
    generation.close()
    assert not (tmp_path / "index" / "carried").exists()


def test_what_does_not_arrive_unchanged_is_reported_and_not_switched_to(server: HttpQdrant, tmp_path: Path) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    fill(here, some_posts(30))

    def alter(path: str) -> None:
        if path.endswith("/count"):
            server.before = lambda _: None
            collection = path.split("/")[2]
            (point,) = server.client.scroll(collection, limit=1)[0]
            other = models.PointVectors(id=point.id, vector={"dense": [1.0] * 16})
            server.client.update_vectors(collection, [other])

    server.before = alter
    with pytest.raises(FixableError, match="did not arrive unchanged") as raised:
        migrate(here, there, QUIET)
    assert "stipple migrate" in raised.value.fix
    assert there.current() is None
    assert COMPARED_WHOLE > 30


def test_nothing_to_move_and_another_who_writes_are_reported(server: HttpQdrant, tmp_path: Path) -> None:
    here, there = EdgeStore(tmp_path), store_on(server, tmp_path)
    with pytest.raises(IndexMissing, match="no index to move"):
        migrate(here, there, QUIET)
    fill(here, some_posts(1))
    with EdgeStore(tmp_path).writing(), pytest.raises(IndexLocked):
        migrate(here, there, QUIET)


# --- the command ---


def test_the_command_moves_an_index_and_back(
    server: HttpQdrant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(EdgeStore(tmp_path), some_posts(10))
    monkeypatch.setenv("STIPPLE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("STIPPLE_QDRANT_URL", raising=False)
    assert main(["migrate"]) == 1
    assert "STIPPLE_QDRANT_URL is not set" in capsys.readouterr().err
    monkeypatch.setenv("STIPPLE_QDRANT_URL", server.url)
    assert main(["migrate", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"moved 10 posts (19 passages) to 0001-toy-model-v2-53aa5117-s{IDENTITY.schema} in ")
    assert f"delete {tmp_path / 'index'}" in said.err
    assert main(["migrate", "--back", "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)
    assert (moved["posts"], moved["generation"][:4]) == (10, "0002")
    assert main(["rollback"]) == 1  # on the server there is one generation
    server.stop()
    monkeypatch.setenv("STIPPLE_QDRANT_PATIENCE_S", "0")
    assert main(["migrate"]) == 1
    assert "does not answer" in capsys.readouterr().err
