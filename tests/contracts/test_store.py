"""What every PostStore promises: one suite, run on the embedded store and on a Qdrant server's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.errors import IndexLocked, IndexMismatch, IndexMissing
from retrieval.store import Generation, Identity, IndexedPost, PostStore, TermWeights
from retrieval.types import Candidate, Filters, Near
from tests.contracts.conftest import Place
from tests.contracts.offered import (
    DAY_0,
    IDENTITY,
    a_post,
    a_query,
    brute_force,
    fill,
    full_post,
    indexed,
    lets_through,
    newest_first,
    some_posts,
)

# Qdrant's local mode, which stands for a server here, has no index to build and searches exactly anyway.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
EVERYTHING = 1_000
A_TERM = TermWeights((7,), (1.0,))


@contextmanager
def opened(store: PostStore, identity: Identity = IDENTITY) -> Iterator[Generation]:
    generation = store.open(identity)
    try:
        yield generation
    finally:
        generation.close()


def same(found: list[Candidate], expected: list[Candidate]) -> None:
    """The same passages in the same order, scores equal but for the rounding of 32 bit floats."""
    assert [(one.post_id, one.ordinal) for one in found] == [(one.post_id, one.ordinal) for one in expected]
    for one, by_definition in zip(found, expected, strict=True):
        assert one.cosine == pytest.approx(by_definition.cosine, abs=1e-5)
        assert one.lexical == pytest.approx(by_definition.lexical, rel=1e-5, abs=1e-6)
        assert one._replace(cosine=0, lexical=0) == by_definition._replace(cosine=0, lexical=0)


def best(candidates: list[Candidate], limit: int) -> list[Candidate]:
    """The `limit` best by cosine with the `limit` best by BM25, best cosine first."""
    by_terms = sorted((one for one in candidates if one.lexical > 0), key=lambda one: -one.lexical)[:limit]
    return [one for rank, one in enumerate(candidates) if rank < limit or one in by_terms]


# --- generations ---


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
        with pytest.raises(ValueError, match="no finished generation"):
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


# --- posts ---


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
    writer.upsert([long, short, grown])  # twice in one call: the last holds
    writer.upsert([])
    info = writer.finish()
    store.switch(info.name)
    assert (info.posts, info.passages) == (3, 5)
    assert store.stored_hashes(["x"]) == {"x": "hash of x"}
    vector, terms = a_query(1)
    with opened(store) as generation:
        assert generation.posts(["x"])["x"].likes == 2
        same(
            generation.candidates(vector, terms, EVERYTHING, Filters()),
            brute_force([short, grown, other], vector, terms, Filters()),
        )


def test_a_generation_without_posts_finds_nothing(store: PostStore) -> None:
    info = fill(store, [])
    assert (info.posts, info.passages) == (0, 0)
    with opened(store) as generation:
        assert generation.candidates(*a_query(0), 10, Filters()) == []
        assert generation.matching(Filters(), 10) == []
    assert list(store.stored_posts()) == []


# --- candidates ---

FILTERS = [
    Filters(),
    Filters(authors=("ana",)),
    Filters(authors=("ANA", "straße", "nobody")),
    Filters(tags=("COFFEE", "été")),
    Filters(tags=("咖啡",), languages=("zh", "en")),
    Filters(languages=("und",)),
    Filters(since=DAY_0 + timedelta(days=2)),
    Filters(until=DAY_0 + timedelta(days=2)),
    Filters(since=DAY_0 + timedelta(days=3), until=DAY_0 + timedelta(days=4)),
    Filters(min_likes=0),
    Filters(min_likes=7, authors=("博主", "")),
    Filters(tags=("nothing has this",)),
    Filters(max_likes=3),
    Filters(min_likes=2, max_likes=2),
    Filters(without_authors=("ana", "")),
    Filters(without_tags=("COFFEE",)),
    Filters(tags=("coffee",), without_tags=("咖啡", "été"), without_authors=("nobody",)),
    Filters(near=Near(25.6, 100.2, 1)),
    Filters(near=Near(25.6, 100.2, 300), min_likes=3),
    Filters(near=Near(-16.8, 180, 20), languages=("en",)),
    Filters(near=Near(0, 0, 20_038)),
    Filters(near=Near(80, 0, 10)),
]


@pytest.fixture
def filled(store: PostStore) -> Iterator[tuple[Generation, list[IndexedPost]]]:
    posts = some_posts(150)
    fill(store, posts)
    with opened(store) as generation:
        yield generation, posts


def test_candidates_are_the_best_by_cosine_and_by_bm25_each_once_with_exact_scores(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    for seed, filters in enumerate(FILTERS):
        vector, terms = a_query(seed)
        expected = brute_force(posts, vector, terms, filters)
        for limit in (1, 7, 40, EVERYTHING):
            same(generation.candidates(vector, terms, limit, filters), best(expected, limit))


def test_filters_let_through_what_their_description_says(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, posts = filled
    for filters in FILTERS:
        found = {one.post_id for one in generation.candidates(*a_query(0), EVERYTHING, filters)}
        assert found == {post.stored.post.id for post in posts if lets_through(filters, post.stored.post)}


def test_names_are_the_same_in_any_width_case_and_script(store: PostStore) -> None:
    posts = [a_post("trad", author="臺北小吃", tags=("臺北 美食",)), a_post("wide", author="ＭＯ", tags=("Ｃａｆé",))]
    fill(store, [indexed(post, seed) for seed, post in enumerate(posts)])
    with opened(store) as generation:
        asked = {
            "trad": [Filters(authors=("台北小吃",)), Filters(tags=("台北 美食",)), Filters(without_tags=("café",))],
            "wide": [Filters(authors=("mo",)), Filters(tags=("CAFÉ",)), Filters(without_authors=("台北小吃 ",))],
        }
        for expected, several in asked.items():
            for filters in several:
                found = {one.post_id for one in generation.candidates(*a_query(0), EVERYTHING, filters)}
                assert found == {expected} == set(generation.matching(filters, EVERYTHING))


def test_words_of_a_post_are_not_the_stores_to_look_at(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, _ = filled
    vector, terms = a_query(2)
    worded = Filters(phrases=("nobody said this",), without=("text",), min_likes=5)
    plain = Filters(min_likes=5)
    found = generation.candidates(vector, terms, EVERYTHING, worded)
    same(found, generation.candidates(vector, terms, EVERYTHING, plain))
    assert generation.matching(worded, EVERYTHING) == generation.matching(plain, EVERYTHING)


def test_matching_gives_every_post_that_filters_let_through_newest_first(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    for filters in FILTERS:
        expected = newest_first(posts, filters)
        assert generation.matching(filters, EVERYTHING) == expected
        for limit, offset in ((1, 0), (7, 3), (40, 20), (10, 140), (10, 5_000), (0, 0)):
            assert generation.matching(filters, limit, offset) == expected[offset : offset + limit]


def test_matching_pages_posts_of_one_second_without_gap_or_repeat(store: PostStore) -> None:
    dates = [
        DAY_0,
        DAY_0 + timedelta(microseconds=5),
        None,
        DAY_0 + timedelta(seconds=1),
        datetime(1960, 1, 1, tzinfo=UTC),
    ]
    posts = [indexed(a_post(f"p{n}", created_at=dates[n % 5]), seed=n, passages=1 + n % 2) for n in range(40)]
    fill(store, posts)
    with opened(store) as generation:
        expected = newest_first(posts, Filters())
        for size in (1, 3, 40):
            pages = [generation.matching(Filters(), size, at) for at in range(0, 40, size)]
            assert [post_id for page in pages for post_id in page] == expected


def test_a_query_without_terms_is_dense_alone(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, posts = filled
    vector, _ = a_query(3)
    none = TermWeights((), ())
    found = generation.candidates(vector, none, 20, Filters(min_likes=3))
    same(found, brute_force(posts, vector, none, Filters(min_likes=3))[:20])
    assert {one.lexical for one in found} == {0.0}


def test_terms_that_no_passage_holds_find_nothing_and_score_nothing(
    filled: tuple[Generation, list[IndexedPost]],
) -> None:
    generation, posts = filled
    vector, _ = a_query(4)
    found = generation.candidates(vector, A_TERM, 20, Filters())
    same(found, brute_force(posts, vector, A_TERM, Filters())[:20])


def test_moments_are_compared_with_their_time_zone(store: PostStore) -> None:
    moments = [DAY_0 + timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
    fill(store, [indexed(a_post(f"{number}", created_at=one), number) for number, one in enumerate(moments)])
    elsewhere = datetime.fromisoformat("2024-03-01T20:00:00+08:00")
    assert elsewhere == DAY_0
    with opened(store) as generation:

        def found(filters: Filters) -> set[str]:
            return {one.post_id for one in generation.candidates(*a_query(0), 10, filters)}

        assert found(Filters(since=elsewhere)) == {"1", "2"}
        assert found(Filters(until=elsewhere)) == {"0"}
        assert found(Filters(since=datetime(1960, 1, 1, tzinfo=UTC))) == {"0", "1", "2"}


def test_equal_passages_come_in_the_order_of_their_ids(store: PostStore) -> None:
    twins = [indexed(a_post(name), seed=1) for name in ("c", "a", "b")]
    fill(store, twins)
    with opened(store) as generation:
        for _ in range(3):
            assert [one.post_id for one in generation.candidates(*a_query(0), 10, Filters())] == ["a", "b", "c"]


def test_several_threads_get_what_one_gets(filled: tuple[Generation, list[IndexedPost]]) -> None:
    generation, _ = filled

    def ask(seed: int) -> tuple[list[Candidate], set[str]]:
        found = generation.candidates(*a_query(seed), 30, FILTERS[seed % len(FILTERS)])
        return found, set(generation.posts([one.post_id for one in found]))

    seeds = list(range(24))
    alone = [ask(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        for (found, posts), (expected, expected_posts) in zip(pool.map(ask, seeds), alone, strict=True):
            same(found, expected)
            assert posts == expected_posts


def test_closing_twice_is_as_good_as_once(store: PostStore) -> None:
    fill(store, some_posts(1))
    generation = store.open(IDENTITY)
    generation.close()
    generation.close()
    with opened(store) as again:
        assert again.info == generation.info
