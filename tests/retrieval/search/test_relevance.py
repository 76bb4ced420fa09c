"""What is found and what is not, and that all pages of a search say so alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.models.embedding import HashEmbedder
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.reference_texts import CHINESE, ENGLISH
from retrieval.search.relevance import Background, Floor, Unrelated, kept
from retrieval.search.search import Searcher
from retrieval.text.terms import TermWeigher
from retrieval.types import Candidate, Filters, Post, SearchQuery
from tests.small_index import indexed

POSTS = [
    *(
        Post(f"kiln-{n}", "", f"Bowl {n} came out of the pottery kiln in one piece.", f"a{n % 4}", ("clay",), "en")
        for n in range(80)
    ),
    *(Post(f"train-{n}", "", f"Night train, carriage {n}, slept badly.", f"a{n % 5}", (), "en") for n in range(80)),
]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    embedder = HashEmbedder(256)
    folder: Path = tmp_path_factory.mktemp("relevance")
    live = LiveGeneration(indexed(folder, POSTS, embedder), embedder.identity)
    yield Searcher(live, embedder, TermWeigher(), candidates=20)
    live.close()


@pytest.mark.parametrize("query", [
    SearchQuery("pottery kiln"),
    SearchQuery("night train", fold=False, per_author=0),
    SearchQuery("pottery", sort="newest"),
    SearchQuery("", Filters(tags=("clay",))),
    SearchQuery("bowl", Filters(without=("12",))),
    SearchQuery('pottery', Filters(phrases=("one piece",))),
])  # fmt: skip
def test_the_total_is_the_same_on_every_page_and_is_what_the_pages_show(searcher: Searcher, query: SearchQuery) -> None:
    totals = set[int]()
    for limit in (1, 7, 50):
        shown, cursor = list[str](), ""
        while True:
            page = searcher.search(replace(query, limit=limit, cursor=cursor))
            totals.add(page.total)
            shown += [hit.post.id for hit in page.hits]
            cursor = page.next_cursor
            if not cursor:
                break
        assert len(shown) == len(set(shown)) == page.total
    assert totals == {searcher.search(replace(query, offset=offset)).total for offset in (0, 30, 79, 1000)}
    assert len(totals) == 1


def test_every_post_with_the_words_is_found_however_few_are_looked_at(searcher: Searcher) -> None:
    assert searcher.search(SearchQuery("pottery kiln", fold=False)).total == 80


def test_a_query_without_sense_finds_nothing(searcher: Searcher) -> None:
    page = searcher.search(SearchQuery("qwxzv jjkkpp"))
    assert (page.total, page.hits, page.next_cursor) == (0, (), "")


def test_where_nothing_is_near_only_the_words_find(searcher: Searcher) -> None:
    page = searcher.search(SearchQuery("qwxzv jjkkpp carriage", limit=50, fold=False))
    assert page.hits
    assert all("carriage" in hit.post.text for hit in page.hits)


def test_a_search_in_posts_that_are_given_finds_them_all(tmp_path: Path) -> None:
    embedder = HashEmbedder(256)
    live = LiveGeneration(indexed(tmp_path, POSTS[:5], embedder), embedder.identity)
    assert Searcher(live, embedder, TermWeigher(), given=True).search(SearchQuery("qwxzv", fold=False)).total == 5
    live.close()


def test_unrelated_texts_are_embedded_once_and_differ() -> None:
    class Counting(HashEmbedder):
        passages = 0

        def embed_passages(self, texts):  # type: ignore[no-untyped-def]  # as HashEmbedder's
            self.passages += len(texts)
            return super().embed_passages(texts)

    embedder = Counting(64)
    background = Background(embedder)
    vector = embedder.embed_queries(["a"])[0]
    before = embedder.passages
    assert background.of(vector) == background.of(vector)
    assert embedder.passages - before == len(ENGLISH) + len(CHINESE)
    assert len(ENGLISH) == len(set(ENGLISH)) == len(CHINESE) == len(set(CHINESE))


UNRELATED = {"en": Unrelated(0.1, 0.05), "zh": Unrelated(0.2, 0.02)}
SCORES = st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 50), st.sampled_from(["en", "zh", "ja"])), max_size=30)


@given(SCORES, st.booleans())
def test_the_best_words_are_always_found_and_more_of_anything_never_loses(
    scores: list[tuple[float, float, str]], known: bool
) -> None:
    found = [
        Candidate(f"p{n}", 0, "text", None, 0, 1, cosine, lexical) for n, (cosine, lexical, _) in enumerate(scores)
    ]
    languages = {f"p{n}": language for n, (_, _, language) in enumerate(scores)}
    floor = Floor.of(found, languages, UNRELATED, known=known)
    there = kept(found, languages, floor)
    best = max(found, key=lambda one: one.lexical, default=None)
    assert best is None or best.lexical == 0 or best.post_id in there
    for one in found:
        if one.post_id in there:
            assert floor.keeps(one._replace(cosine=one.cosine + 0.1), languages[one.post_id])
            assert not floor.ends(one.cosine, one.lexical)
