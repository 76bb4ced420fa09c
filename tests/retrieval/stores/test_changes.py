"""The contract of changing generations, copies, and wiped posts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from retrieval.stores.contract import Changes, PostStore
from retrieval.types import Filters
from tests.retrieval.stores.conftest import LOCAL_MODE, Place
from tests.retrieval.stores.generations import EVERYTHING, holds, opened
from tests.retrieval.stores.offered import (
    IDENTITY,
    a_post,
    a_query,
    changed,
    fill,
    indexed,
    recounted,
    some_posts,
)

pytestmark = LOCAL_MODE


def test_a_change_is_found_at_once_and_after_it_is_opened_again(store: PostStore) -> None:
    posts = some_posts(12)
    fill(store, posts)
    changes, after = changed(posts)
    with opened(store) as generation:
        generation.change(changes)
        holds(generation, after)
        generation.settle({"mine": 7})
        holds(generation, after)
    with opened(store) as again:
        holds(again, after)
    [info] = store.generations()
    assert (info.posts, info.passages) == (len(after), sum(len(one.passages) for one in after))
    assert {one.post.id: one for one in store.stored_posts()} == {one.stored.post.id: one.stored for one in after}
    assert sorted(store.stored_ids()) == sorted(one.stored.post.id for one in after)
    assert store.stored_hashes(["post-0", "post-2", "d"]) == {"post-2": "99 likes", "d": "hash of d"}


def test_the_same_change_twice_is_as_good_as_once(store: PostStore) -> None:
    posts = some_posts(12)
    fill(store, posts)
    changes, after = changed(posts)
    with opened(store) as generation:
        generation.change(changes)
        generation.change(changes)
        holds(generation, after)
        generation.settle({})
        generation.change(changes)
        generation.change(Changes())
        holds(generation, after)


def test_likes_are_filtered_by_as_they_are_now(store: PostStore) -> None:
    posts = [indexed(a_post(f"p{n}", likes=n), seed=n, passages=1 + n % 3) for n in range(6)]
    fill(store, posts)
    with opened(store) as generation:
        generation.change(Changes(recount=[recounted(one, 100 + n).stored for n, one in enumerate(posts)]))
        found = generation.candidates(*a_query(0), EVERYTHING, Filters(min_likes=103))
        assert (
            {one.post_id for one in found}
            == {"p3", "p4", "p5"}
            == set(generation.matching(Filters(min_likes=103), EVERYTHING))
        )


def test_which_journal_was_taken_over_is_remembered(store: PostStore) -> None:
    assert store.reached() == {}
    fill(store, some_posts(2))
    with opened(store) as generation:
        assert generation.reached() == store.reached() == {}
        generation.settle({"a": 3, "b": 1})
        generation.settle({"a": 5})
        assert generation.reached() == store.reached() == {"a": 5, "b": 1}
    with opened(store) as again:
        assert again.reached() == {"a": 5, "b": 1}
        assert again.info == store.generations()[0]


def test_a_writer_says_what_its_generation_holds_of_journals(store: PostStore) -> None:
    writer = store.begin(IDENTITY)
    assert writer.reached() == {}
    writer.change(Changes(upsert=some_posts(9)))
    changes, after = changed(some_posts(9))
    writer.change(changes)
    store.switch(writer.finish({"a": 4}).name)
    with opened(store) as generation:
        assert generation.reached() == {"a": 4}
        holds(generation, after)


def test_a_copy_is_changed_beside_the_one_it_was_made_of(place: Place) -> None:
    store, posts = place(), some_posts(12)
    assert store.begin_copy(IDENTITY) is None
    old = fill(store, posts)
    assert store.begin_copy(replace(IDENTITY, model="other@1")) is None
    changes, after = changed(posts)
    with opened(place()) as reading:
        reading.settle({"a": 2})
        writer = store.begin_copy(IDENTITY)
        if writer is None:
            pytest.skip("this store copies no generation")
        assert writer.reached() == {"a": 2}
        writer.change(changes)
        new = writer.finish()
        holds(reading, posts)
        store.switch(new.name)
        holds(reading, posts)
    assert store.generations() == [old, new]
    with opened(store) as generation:
        holds(generation, after)
        assert generation.reached() == {"a": 2}


def test_a_wiped_post_is_gone_from_every_generation_while_one_is_open(place: Place) -> None:
    store, posts = place(), some_posts(6)
    old = fill(store, posts)
    fill(store, posts)
    with opened(place()) as reading:
        place().wipe(["post-1", "post-2", "never there"])
        assert reading.posts(["post-1", "post-2", "post-3"]) == {"post-3": posts[3].stored.post}
        assert list(reading.summaries(["post-1", "post-2", "post-3"])) == ["post-3"]
        reading.change(Changes(upsert=[posts[4]]))  # its own change does not hide the other's
        assert list(reading.summaries(["post-1", "post-3"])) == ["post-3"]
        reading.change(Changes(delete=["post-1", "post-2"]))
        holds(reading, [posts[0], *posts[3:]])
    store.switch(old.name)
    assert set(store.stored_ids()) == {"post-0", "post-3", "post-4", "post-5"}
    with opened(store) as rolled_back:
        rolled_back.change(Changes(delete=["post-1", "post-2"]))
        holds(rolled_back, [posts[0], *posts[3:]])


def test_changes_made_durable_between_a_wipe_and_its_deletion_leave_nothing_of_the_post(place: Place) -> None:
    store, posts = place(), some_posts(6)
    fill(store, posts)
    left = [posts[0], *posts[3:]]
    with opened(place()) as reading:
        reading.change(Changes(upsert=[posts[1], posts[4]]))
        place().wipe(["post-1", "post-2"])
        reading.settle({"a": 1})
        reading.change(Changes(delete=["post-1", "post-2"]))
        holds(reading, left)
        reading.settle({"a": 2})
        holds(reading, left)
    with opened(store) as again:
        holds(again, left)
        assert again.reached() == {"a": 2}
