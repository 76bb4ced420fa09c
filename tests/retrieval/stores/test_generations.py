"""The contract of generations: how they are begun, listed, switched to and dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.errors import IndexLocked, IndexMismatch, IndexMissing
from retrieval.stores.contract import PostStore
from retrieval.types import Filters, Identity
from tests.retrieval.stores.conftest import LOCAL_MODE, Place
from tests.retrieval.stores.generations import EVERYTHING, opened, same
from tests.retrieval.stores.offered import (
    IDENTITY,
    a_query,
    fill,
    full_post,
    indexed,
    some_posts,
)

pytestmark = LOCAL_MODE


def test_before_the_first_switch_there_is_nothing(store: PostStore) -> None:
    assert store.current() is None
    assert store.generations() == []
    assert store.stored_hashes(["post-1"]) == {}
    assert list(store.stored_posts()) == []
    with pytest.raises(IndexMissing, match="stipple reindex PATH"):
        store.open(IDENTITY)


def test_a_generation_is_seen_only_when_switched_to(place: Place) -> None:
    store, reader = place(), place()
    posts = some_posts(5)
    writer = store.begin(IDENTITY)
    writer.upsert(posts)
    assert (reader.current(), reader.generations()) == (None, [])
    info = writer.finish()
    assert (reader.current(), reader.generations()) == (None, [info])
    store.switch(info.name)
    assert (store.current(), reader.current()) == (info.name, info.name)
    assert (info.name, info.identity, info.posts) == (writer.name, IDENTITY, 5)
    assert info.passages == sum(len(post.passages) for post in posts)
    assert abs(info.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    with opened(reader) as generation:
        assert generation.info == info


def test_a_generations_name_tells_its_number_model_and_schema(store: PostStore) -> None:
    infos = [fill(store, some_posts(1)), fill(store, some_posts(1), replace(IDENTITY, model="模型", schema=12))]
    assert infos[0].name == f"0001-toy-model-v2-53aa5117-s{IDENTITY.schema}"
    assert (infos[1].name[:5], infos[1].name[-4:]) == ("0002-", "-s12")
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in infos[1].name)
    assert store.generations() == infos


def test_an_open_generation_answers_on_while_the_next_is_written_and_opened(place: Place) -> None:
    store, reader = place(), place()
    vector, terms = a_query(0)
    fill(store, some_posts(3))
    with opened(reader) as old:
        before = old.candidates(vector, terms, EVERYTHING, Filters())
        fill(store, [*some_posts(3), indexed(full_post("new"), seed=9)])
        with opened(reader) as new:
            same(old.candidates(vector, terms, EVERYTHING, Filters()), before)
            assert set(old.posts(["new", "post-0"])) == {"post-0"}
            assert set(new.posts(["new", "post-0"])) == {"new", "post-0"}
            assert len(new.candidates(vector, terms, EVERYTHING, Filters())) == len(before) + 1


def test_what_an_interrupted_writer_left_is_deleted_by_the_next(place: Place) -> None:
    store = place()
    kept = fill(store, some_posts(2))
    place().begin(IDENTITY).upsert(some_posts(2))
    assert store.generations() == [kept]
    following = fill(place(), some_posts(1))
    assert store.generations() == [kept, following]


def test_discarding_leaves_nothing_also_twice_and_after_finishing(store: PostStore) -> None:
    kept = fill(store, some_posts(2))
    for finished in (False, True):
        writer = store.begin(IDENTITY)
        writer.upsert(some_posts(3))
        if finished:
            writer.finish()
        writer.discard()
        writer.discard()
        assert store.generations() == [kept]
    assert store.current() == kept.name


def test_dropping_deletes_a_generation_but_never_the_current_one(store: PostStore) -> None:
    old, new = fill(store, some_posts(2)), fill(store, some_posts(3))
    store.drop(old.name)
    assert store.generations() == [new]
    with pytest.raises(ValueError, match="current"):
        store.drop(new.name)
    with opened(store) as generation:
        assert generation.info == new


def test_switching_back_is_switching(store: PostStore) -> None:
    old, new = fill(store, some_posts(2)), fill(store, some_posts(3))
    store.switch(old.name)
    assert store.current() == old.name
    store.drop(new.name)
    assert len(list(store.stored_posts())) == 2


def test_only_a_finished_generation_can_be_switched_to(store: PostStore) -> None:
    kept = fill(store, some_posts(1))
    writer = store.begin(IDENTITY)
    for name in (writer.name, "0099-nowhere-s1"):
        with pytest.raises(ValueError, match="not a finished generation"):
            store.switch(name)
    assert store.current() == kept.name
    writer.discard()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (replace(IDENTITY, model="other@1"), ["Toy-Model.v2@53aa5117", "other@1", "STIPPLE_EMBEDDING_MODEL"]),
        (replace(IDENTITY, dimension=8), ["16 dimensions", "8 dimensions"]),
        (replace(IDENTITY, schema=IDENTITY.schema + 1), [f"schema {IDENTITY.schema}", f"schema {IDENTITY.schema + 1}"]),
    ],
)
def test_an_index_of_another_model_or_schema_is_refused_with_the_mend(
    asked: Identity, told: list[str], store: PostStore
) -> None:
    fill(store, some_posts(1))
    with pytest.raises(IndexMismatch) as raised:
        store.open(asked)
    assert all(words in str(raised.value) for words in [*told, "stipple reindex PATH"])


def test_only_one_writes_at_a_time(place: Place) -> None:
    first, second = place(), place()
    with first.writing(), pytest.raises(IndexLocked, match="writing"), second.writing():
        pass
    with second.writing():
        pass


def test_closing_twice_is_as_good_as_once(store: PostStore) -> None:
    fill(store, some_posts(1))
    generation = store.open(IDENTITY)
    generation.close()
    generation.close()
    with opened(store) as again:
        assert again.info == generation.info
