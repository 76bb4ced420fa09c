"""The embedded store and several processes: its locks, and what a killed process leaves."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from retrieval.errors import IndexLocked
from retrieval.stores.contract import Changes
from retrieval.stores.edge.store import EdgeStore
from tests.retrieval.stores.edge.edge_folder import elsewhere, killed
from tests.retrieval.stores.generations import holds
from tests.retrieval.stores.offered import IDENTITY, changed, fill, some_posts


def test_a_writer_killed_in_the_middle_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    kept = fill(store, some_posts(3))
    running = elsewhere(
        """
with store.writing():
    writer = store.begin(IDENTITY)
    number = 0
    while True:
        writer.upsert(some_posts(50, seed=number))
        number += 1
        print(number, flush=True)
""",
        tmp_path,
    )
    assert running.stdout is not None
    assert [running.stdout.readline() for _ in range(3)] == ["1\n", "2\n", "3\n"]
    with pytest.raises(IndexLocked), store.writing():
        pass
    running.kill()
    running.communicate()

    assert (store.current(), store.generations()) == (kept.name, [kept])
    assert len(list((tmp_path / "index" / "generations").iterdir())) == 2
    with store.writing():
        new = fill(store, some_posts(4))
    assert [folder.name for folder in sorted((tmp_path / "index" / "generations").iterdir())] == [kept.name, new.name]
    assert store.current() == new.name


def test_a_writer_killed_before_the_switch_leaves_a_generation_that_counts_and_is_not_used(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    kept = fill(store, some_posts(3))
    script = "writer = store.begin(IDENTITY); writer.upsert(some_posts(9)); writer.finish(); os.kill(os.getpid(), 9)"
    killed(elsewhere(script, tmp_path))
    assert store.current() == kept.name
    assert [info.posts for info in store.generations()] == [3, 9]


def test_a_generation_open_in_another_process_is_locked_and_its_posts_are_not(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    fill(store, some_posts(3))
    server = elsewhere(
        "generation = store.open(IDENTITY); print('open', flush=True); sys.stdin.readline(); generation.close()"
        "; print('closed', flush=True); sys.stdin.readline()",
        tmp_path,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == "open\n"
    with pytest.raises(IndexLocked, match="open in another process"):
        store.open(IDENTITY)
    assert len(store.stored_hashes(["post-0", "post-1", "post-2"])) == len(list(store.stored_posts())) == 3
    server.stdin.write("\n")
    server.stdin.flush()
    assert server.stdout.readline() == "closed\n"
    store.open(IDENTITY).close()
    server.communicate("\n")


def test_a_killed_reader_leaves_no_lock(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    fill(store, some_posts(3))
    killed(elsewhere("generation = store.open(IDENTITY); os.kill(os.getpid(), 9)", tmp_path))
    store.open(IDENTITY).close()


@pytest.mark.parametrize("settled", [True, False])
def test_changes_that_a_killed_process_had_not_settled_can_be_made_again(settled: bool, tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(12)
    fill(store, posts)
    script = f"""
generation = store.open(IDENTITY)
changes, after = changed(some_posts(12))
for one in some_posts(40, seed=3):  # longer versions in between leave nothing behind
    generation.change(Changes(upsert=[indexed(a_post("post-6"), 5, passages=3), one]))
generation.change(changes)
if {settled}:
    generation.settle({{"a": 1}})
    generation.change(Changes(delete=["post-7"]))
os.kill(os.getpid(), 9)
"""
    killed(elsewhere("from retrieval.stores.contract import Changes\n" + script, tmp_path))
    changes, after = changed(posts)
    with closing(store.open(IDENTITY)) as generation:
        assert generation.reached() == ({"a": 1} if settled else {})
        generation.change(Changes(upsert=some_posts(40, seed=3)))
        generation.change(Changes(upsert=posts))
        generation.change(changes)
        generation.change(Changes(delete=[f"post-{number}" for number in range(12, 40)]))
        holds(generation, after)
        generation.settle({"a": 2})
    with closing(store.open(IDENTITY)) as again:
        holds(again, after)


def test_a_copy_of_a_generation_that_another_process_is_changing_is_whole(tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(30)
    fill(store, posts)
    running = elsewhere(
        """
from retrieval.stores.contract import Changes
generation = store.open(IDENTITY)
number = 0
while True:
    generation.change(Changes(upsert=some_posts(30, seed=number), delete=[f"extra-{number - 1}"]))
    generation.change(Changes(upsert=[indexed(a_post(f"extra-{number}"), 1, passages=3)]))
    if number % 3 == 0:
        generation.settle({"a": number})
    number += 1
    print(number, flush=True)
""",
        tmp_path,
    )
    assert running.stdout is not None
    for _ in range(3):
        running.stdout.readline()
        writer = store.begin_copy(IDENTITY)
        assert writer is not None
        ids = list(store.stored_ids())
        writer.change(Changes(upsert=posts, delete=[one for one in ids if one.startswith("extra")]))
        writer.change(Changes(delete=[f"extra-{number}" for number in range(200)]))
        copy = writer.finish()
        assert copy.posts == 30
    running.kill()
    running.communicate()
    store.switch(copy.name)
    with closing(store.open(IDENTITY)) as generation:
        holds(generation, posts)
