"""The embedded store on a damaged, read-only or full disk: the messages, and that the remedy works."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from retrieval.errors import FixableError, IndexMissing
from retrieval.stores.edge.store import EdgeStore
from tests.retrieval.stores.edge.edge_folder import elsewhere, folder_of
from tests.retrieval.stores.offered import IDENTITY, fill, some_posts


def rebuilt_after(data: Path, damaged: Path) -> None:
    """Do what the messages say: delete the folder, and reindex."""
    shutil.rmtree(damaged)
    store = EdgeStore(data)
    assert (store.current(), store.stored_hashes(["post-0"]), list(store.stored_posts())) == (None, {}, [])
    with pytest.raises(IndexMissing):
        store.open(IDENTITY)
    info = fill(store, some_posts(2))
    assert info.name != damaged.name  # a server that still has the old one open must notice
    store.open(IDENTITY).close()


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
        with pytest.raises(FixableError, match="cannot be written") as raised:
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
    # No file of this process may exceed 1 MB, which SQLite reports as a full or failing disk.
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
