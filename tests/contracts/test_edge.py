"""What is particular to the embedded store: its folder, its locks, and what is told when the disk is damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.errors import FixableError, IndexLocked, IndexMissing
from retrieval.store import Changes, GenerationInfo
from retrieval.stores.edge import EdgeStore
from retrieval.stores.edge_writer import EdgeWriter
from retrieval.types import Filters
from tests.contracts.offered import IDENTITY, a_post, a_query, fill, indexed, some_posts
from tests.contracts.test_changes import changed, holds

REPOSITORY = Path(__file__).parents[2]


def elsewhere(script: str, *given: Path | str, user: int | None = None) -> subprocess.Popen[str]:
    """Another process, with everything of `offered` and the store on the folder that is given first."""
    prelude = """
import os, sys
from pathlib import Path
from retrieval.errors import FixableError
from retrieval.stores.edge import EdgeStore
from tests.contracts.offered import *
store = EdgeStore(Path(sys.argv[1]))
"""
    become = "" if user is None else f"os.setgroups([]); os.setgid({user}); os.setuid({user})\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + become + script, *map(str, given)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def killed(process: subprocess.Popen[str]) -> None:
    assert process.communicate() == ("", "")
    assert process.returncode == -9


def folder_of(data: Path, info: GenerationInfo) -> Path:
    return data / "index" / "generations" / info.name


def rebuilt_after(data: Path, damaged: Path) -> None:
    """Do what the messages say: delete the folder, and index anew."""
    shutil.rmtree(damaged)
    store = EdgeStore(data)
    assert (store.current(), store.stored_hashes(["post-0"]), list(store.stored_posts())) == (None, {}, [])
    with pytest.raises(IndexMissing):
        store.open(IDENTITY)
    info = fill(store, some_posts(2))
    assert info.name != damaged.name  # a server that still has the old one open must notice
    store.open(IDENTITY).close()


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


def test_a_generation_that_is_dropped_while_it_is_open_answers_until_it_is_closed(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    old = fill(store, some_posts(30))
    generation = store.open(IDENTITY)
    before = generation.candidates(*a_query(0), 10, Filters())
    fill(store, some_posts(1))
    store.drop(old.name)
    assert not folder_of(tmp_path, old).exists()
    assert generation.candidates(*a_query(0), 10, Filters()) == before
    assert set(generation.posts(["post-7"])) == {"post-7"}
    generation.close()
    assert not folder_of(tmp_path, old).exists()


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "data")
    assert (store.current(), store.generations(), list(store.stored_posts())) == (None, [], [])
    assert not (tmp_path / "data").exists()


def test_strange_folders_are_let_alone(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    kept = fill(store, some_posts(1))
    strange = tmp_path / "index" / "generations" / "lost+found"
    strange.mkdir()
    fill(store, some_posts(1))
    assert strange.is_dir()
    assert kept in store.generations()


@pytest.mark.parametrize("said", ["", "../../elsewhere", "\0", "0001-A", b"\xff\xfe".decode("latin-1")])
def test_a_pointer_that_names_no_generation_is_told(said: str, tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    fill(store, some_posts(1))
    pointer = tmp_path / "index" / "CURRENT"
    pointer.write_text(said, "latin-1")
    with pytest.raises(FixableError, match="CURRENT") as raised:
        store.current()
    assert "delete it" in raised.value.fix
    pointer.unlink()
    assert store.current() is None
    fill(store, some_posts(1))


@pytest.mark.parametrize("said", [None, "", "{", "[]", "{}", '{"identity": {"model": "m"}}'])
def test_a_damaged_manifest_is_told_with_a_mend_that_works(said: str | None, tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    folder = folder_of(tmp_path, fill(store, some_posts(1)))
    if said is None:
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_text(said)
    with pytest.raises(FixableError, match="manifest") as raised:
        store.open(IDENTITY)
    assert f"delete {folder} and run `stipple reindex PATH`" in raised.value.fix
    rebuilt_after(tmp_path, folder)


@pytest.mark.parametrize("lost", ["edge", "edge/segments", "edge/edge_config.json", "posts.sqlite"])
@pytest.mark.parametrize("how", ["missing", "garbage"])
def test_a_damaged_index_is_told_with_a_mend_that_works(lost: str, how: str, tmp_path: Path) -> None:
    if (lost, how) == ("edge/edge_config.json", "missing"):
        pytest.skip("Qdrant Edge makes this file anew from the others")
    store = EdgeStore(tmp_path)
    folder = folder_of(tmp_path, fill(store, some_posts(1)))
    damaged = folder / lost
    shutil.rmtree(damaged) if damaged.is_dir() else damaged.unlink()
    if how == "garbage":
        damaged.write_bytes(b"no database " * 1_000)
    with pytest.raises(FixableError) as raised:
        store.open(IDENTITY)
    assert str(folder) in raised.value.problem
    if lost == "posts.sqlite":
        with pytest.raises(FixableError, match="cannot be used"):
            store.stored_hashes(["post-0"])
        with pytest.raises(FixableError, match="cannot be used"):
            list(store.stored_posts())
    rebuilt_after(tmp_path, folder)


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("")
    store = EdgeStore(tmp_path)
    with pytest.raises(FixableError, match="cannot be"):
        store.current()
    for act in (lambda: store.writing().__enter__(), lambda: store.begin(IDENTITY)):
        with pytest.raises(FixableError, match="cannot be used") as raised:
            act()
        assert "STIPPLE_DATA_DIR" in raised.value.fix


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user who may not write")
def test_a_folder_that_may_not_be_written_is_told_and_its_posts_are_still_read(tmp_path: Path) -> None:
    shared = Path("/tmp") / f"stipple-read-only-{os.getpid()}"  # tmp_path is closed to other users
    try:
        fill(EdgeStore(shared), some_posts(3))
        reading = elsewhere(
            """
assert len(list(store.stored_posts())) == len(store.stored_hashes(["post-0", "post-1", "post-2"])) == 3
for act in (lambda: store.open(IDENTITY), lambda: store.begin(IDENTITY), lambda: store.writing().__enter__(),
            lambda: store.switch(store.current())):
    try:
        act()
    except FixableError as error:
        print(error.problem, "|", error.fix)
""",
            shared, user=65534,
        )  # fmt: skip
        told, trouble = reading.communicate()
        assert trouble == ""
        assert told.count("cannot be written | make it writable for this user") == 4
    finally:
        shutil.rmtree(shared)


def test_a_full_disk_is_told_and_costs_only_what_was_being_written(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    kept = fill(store, some_posts(3))
    # No file of this process may grow beyond 1 MB, which SQLite takes for a full or failing disk.
    writing = elsewhere(
        """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = store.begin(IDENTITY)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    for number in range(100):
        writer.upsert([indexed(a_post(f"{number}-{at}", url="x" * 5_000), at) for at in range(100)])
except FixableError as error:
    writer.discard()
    print(error.problem, "|", error.fix)
""",
        tmp_path,
    )
    told, trouble = writing.communicate()
    assert trouble == ""
    assert "disk" in told
    assert "free" in told
    assert (store.current(), store.generations()) == (kept.name, [kept])
    assert len(list((tmp_path / "index" / "generations").iterdir())) == 1


def test_writing_is_fast_enough_to_wait_for(tmp_path: Path) -> None:
    """Loose enough for a busy machine: 10,000 points/s alone on two cores, a tenth of it here."""
    posts = some_posts(2_000)
    writer = EdgeStore(tmp_path).begin(IDENTITY)
    started = time.perf_counter()
    writer.upsert(posts)
    seconds = time.perf_counter() - started
    writer.discard()
    assert sum(len(post.passages) for post in posts) / seconds > 1_000


@pytest.mark.parametrize("settled", [True, False])
def test_changes_that_a_killed_process_had_not_settled_can_be_made_again(settled: bool, tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(12)
    fill(store, posts)
    script = f"""
from tests.contracts.test_changes import changed
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
    killed(elsewhere("from retrieval.store import Changes\n" + script, tmp_path))
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


def test_posts_of_an_index_from_before_its_catalog_kept_facts_are_carried_over(tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(5)
    info = fill(store, posts)
    with closing(sqlite3.connect(folder_of(tmp_path, info) / "posts.sqlite")) as catalog, catalog:
        catalog.executescript("DROP TABLE facts; DROP TABLE unsettled;")
    assert [found.posts for found in store.generations()] == [5]
    assert {stored.post.id for stored in store.stored_posts()} == {one.stored.post.id for one in posts}
    store.wipe(["post-1"])
    assert store.generations()[0].posts == 4


def test_a_copy_of_a_generation_that_another_process_is_changing_is_whole(tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(30)
    fill(store, posts)
    running = elsewhere(
        """
from retrieval.store import Changes
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


def test_a_wiped_posts_words_are_in_no_file(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    fill(
        store, [indexed(a_post(f"p{number}", url="https://x.example/" + "padding" * 9), number) for number in range(90)]
    )
    fill(store, [indexed(a_post("secret", url="https://private.example/"), 1), indexed(a_post("other"), 2)])
    with closing(store.open(IDENTITY)) as generation:
        generation.change(Changes(upsert=[indexed(a_post("late", url="https://private.example/late"), 3)]))
        EdgeStore(tmp_path).wipe(["secret", "late", "p7"])
        written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert not [path for path, data in written.items() if b"private.example" in data or b'text of p7"' in data]
        assert any(b"text of p8" in data for data in written.values())


def test_search_structures_are_built_piece_by_piece_and_every_piece_is_searched(tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(60)
    with store.writing():
        store.begin(IDENTITY).discard()  # makes the folders
        folder = tmp_path / "index" / "generations" / "0001-pieces-s3"
        writer = EdgeWriter(folder, IDENTITY, piece=20)
        for at in range(0, 60, 10):
            writer.upsert(posts[at : at + 10])
        info = writer.finish()
        store.switch(info.name)
    assert info.posts == 60
    with closing(store.open(IDENTITY)) as generation:
        for one in posts:
            found = generation.candidates(one.vectors[0], one.terms[0], 5, Filters())
            assert one.stored.post.id in {candidate.post_id for candidate in found if candidate.cosine > 0.999}
