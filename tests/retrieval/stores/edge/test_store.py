"""What only the embedded store does with its folder: creating, keeping and wiping."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from retrieval.stores.contract import Changes
from retrieval.stores.edge.store import EdgeStore
from retrieval.stores.edge.writer import EdgeWriter
from retrieval.types import Filters
from tests.retrieval.stores.edge.edge_folder import folder_of
from tests.retrieval.stores.offered import IDENTITY, a_post, a_query, fill, indexed, some_posts


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


def test_posts_of_an_index_from_before_its_catalog_kept_facts_are_carried_over(tmp_path: Path) -> None:
    store, posts = EdgeStore(tmp_path), some_posts(5)
    info = fill(store, posts)
    with closing(sqlite3.connect(folder_of(tmp_path, info) / "posts.sqlite")) as catalog, catalog:
        catalog.executescript("DROP TABLE facts; DROP TABLE unsettled;")
    assert [found.posts for found in store.generations()] == [5]
    assert {stored.post.id for stored in store.stored_posts()} == {one.stored.post.id for one in posts}
    store.wipe(["post-1"])
    assert store.generations()[0].posts == 4


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
        folder = tmp_path / "index" / "generations" / "0001-pieces"
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
