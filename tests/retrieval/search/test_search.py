"""Searches of posts in two languages, by an embedder that knows both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.models.embedding import HashEmbedder
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.ranking import PAGE
from retrieval.search.search import Searcher
from retrieval.text.terms import TermWeigher
from retrieval.types import Filters, Post, SearchQuery
from tests.small_index import indexed

CHINESE = Post("owl", "巷子里的猫头鹰 quiet cafe", "楼上很安静，可以坐一下午。", language="zh")
ENGLISH = [
    Post(f"en{number}", "quiet cafe", f"A quiet cafe at number {number}: quiet cafe, quiet cafe.", language="en")
    for number in range(60)
]
BOTH = HashEmbedder(languages=frozenset({"en", "zh"}))


@contextmanager
def searching(folder: Path, embedder: HashEmbedder, candidates: int = 20) -> Iterator[Searcher]:
    live = LiveGeneration(indexed(folder, [*ENGLISH, CHINESE], embedder), embedder.identity)
    try:
        yield Searcher(live, embedder, TermWeigher(), candidates=candidates)
    finally:
        live.close()


def found(searcher: Searcher, query: SearchQuery) -> list[str]:
    return [hit.post.id for hit in searcher.search(query).hits]


def test_a_post_in_another_language_is_found_though_more_posts_than_are_looked_at_match_better(tmp_path: Path) -> None:
    with searching(tmp_path, BOTH) as searcher:
        best = searcher.search(SearchQuery("quiet cafe", limit=PAGE, explain=True, fold=False)).hits
        assert best[-1].post.id == "owl"
        explained = best[-1].explanation
        assert explained is not None
        assert explained.found_by != "filters"
        ranking = searcher.rankings("quiet cafe")["fused"]
        assert sorted(ranking, key=lambda post_id: -ranking[post_id]).index("owl") == PAGE - 1


def test_posts_of_one_language_alone_are_asked_for_by_its_filter(tmp_path: Path) -> None:
    with searching(tmp_path, BOTH) as searcher:
        for language, wanted in (("zh", {"owl"}), ("en", {post.id for post in ENGLISH})):
            query = SearchQuery("quiet cafe", limit=50, filters=Filters(languages=(language,)), fold=False)
            assert set(found(searcher, query)) <= wanted
            assert found(searcher, query)


def test_sorted_by_date_a_page_has_no_place_for_another_language(tmp_path: Path) -> None:
    with searching(tmp_path, BOTH) as searcher:
        query = SearchQuery("quiet cafe", limit=PAGE, sort="newest", fold=False)
        assert "owl" not in found(searcher, query)


def test_an_embedder_that_does_not_know_the_other_language_brings_it_no_nearer(tmp_path: Path) -> None:
    with searching(tmp_path, HashEmbedder(languages=frozenset({"en"}))) as searcher:
        assert "owl" not in found(searcher, SearchQuery("quiet cafe", limit=PAGE, fold=False))


def test_pages_fit_together(tmp_path: Path) -> None:
    with searching(tmp_path, BOTH) as searcher:
        whole = found(searcher, SearchQuery("quiet cafe", limit=30, fold=False))
        parts = [
            post_id
            for offset in (0, 10, 20)
            for post_id in found(searcher, SearchQuery("quiet cafe", limit=10, offset=offset, fold=False))
        ]
        assert parts == whole
        assert len(set(whole)) == 30
