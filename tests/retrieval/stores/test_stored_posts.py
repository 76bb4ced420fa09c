"""The contract of stored posts: they come back unchanged, by ID and by hash."""

from __future__ import annotations

from retrieval.stores.contract import PostStore
from retrieval.types import Filters
from tests.retrieval.stores.conftest import LOCAL_MODE, Place
from tests.retrieval.stores.generations import holds, opened
from tests.retrieval.stores.offered import (
    IDENTITY,
    a_post,
    a_query,
    fill,
    full_post,
    indexed,
)

pytestmark = LOCAL_MODE


def test_a_post_comes_back_as_it_was(store: PostStore) -> None:
    post, bare = full_post("full/#1 ☕"), a_post("bare")
    fill(store, [indexed(post, seed=1), indexed(bare, seed=2)])
    with opened(store) as generation:
        assert generation.posts([bare.id, "unknown", post.id]) == {post.id: post, bare.id: bare}
        assert generation.posts([]) == {}


def test_hashes_and_posts_are_read_also_while_the_generation_is_open_elsewhere(place: Place) -> None:
    posts = [indexed(a_post(f"p{number:04}"), seed=number, content_hash=f"h{number}") for number in range(1_203)]
    fill(place(), posts)
    hashes = {post.stored.post.id: post.stored.content_hash for post in posts}
    reindexing = place()
    with opened(place()):
        assert reindexing.stored_hashes([*hashes, "unknown"]) == hashes
        assert reindexing.stored_hashes([]) == {}
        read = list(reindexing.stored_posts())
    assert len(read) == len(posts)
    assert {one.post.id: one for one in read} == {post.stored.post.id: post.stored for post in posts}


def test_a_post_written_again_replaces_the_first_with_all_its_passages(store: PostStore) -> None:
    long, short = indexed(a_post("x", likes=1), 1, passages=3, content_hash="old"), indexed(a_post("x", likes=2), 2)
    grown, other = indexed(a_post("y"), 3, passages=2), indexed(a_post("z"), 4, passages=2)
    writer = store.begin(IDENTITY)
    writer.upsert([long, indexed(a_post("y"), 5), other])
    writer.upsert([long, short, grown])  # twice in one call: the last one counts
    writer.upsert([])
    info = writer.finish()
    store.switch(info.name)
    assert (info.posts, info.passages) == (3, 5)
    assert store.stored_hashes(["x"]) == {"x": "hash of x"}
    with opened(store) as generation:
        assert generation.posts(["x"])["x"].likes == 2
        holds(generation, [short, grown, other])


def test_a_generation_without_posts_finds_nothing(store: PostStore) -> None:
    info = fill(store, [])
    assert (info.posts, info.passages) == (0, 0)
    with opened(store) as generation:
        assert generation.candidates(*a_query(0), 10, Filters()) == []
        assert generation.matching(Filters(), 10) == []
    assert list(store.stored_posts()) == []
