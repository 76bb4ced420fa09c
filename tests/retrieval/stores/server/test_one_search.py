"""A search on a server: as few requests as promised, each thing asked for once, and ranked as by the embedded store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from qdrant_client import QdrantClient

from retrieval.models.embedding import HashEmbedder
from retrieval.search.live_generation import LiveGeneration
from retrieval.search.search import Searcher
from retrieval.stores.contract import PostStore
from retrieval.stores.edge.store import EdgeStore
from retrieval.stores.server.store import ServerStore
from retrieval.text.terms import TermWeigher
from retrieval.types import Comment, Filters, Post, SearchPage, SearchQuery
from tests.retrieval.stores.generations import same
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, http_qdrant
from tests.small_index import ready

# Candidates, how many there are in all, what may be copies, and the page's posts.
MOST_REQUESTS = 4
MOST_REQUESTS_OF_A_PHRASE = 5  # whose words are looked for in all that are counted
DAY_0 = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)


class Unbounded(HashEmbedder):
    """Posts and comments are not cut, so that each passage has its own length, and no two match alike."""

    @property
    def window(self) -> int:
        return 100_000


EMBEDDER = Unbounded(languages=frozenset({"en", "zh"}))


WORDS = [
    f"{first}{last}" for first in ("ba", "ko", "mi", "ru", "te") for last in ("lan", "nok", "pir", "sut", "vem", "zor")
]


def a_post(number: int) -> Post:
    """Of words by chance and of its own length, so that no two match alike; some are near copies of one before."""
    chance = random.Random(number - number % 9 if number % 9 == 1 else number)
    said = " ".join(chance.choices(WORDS, k=20 + number - (number % 9 == 1)))
    return Post(
        f"p{number}",
        "quiet cafe" if chance.random() < 0.4 else "a loud bar",
        f"{said} {WORDS[0] if number % 9 == 1 else ''} quiet.",
        author=f"Author {number % 7}",
        language="en",
        likes=number * 37 % 101,
        created_at=None if number % 11 == 0 else DAY_0 + timedelta(seconds=number % 3, microseconds=number),
        comments=(Comment("bo", " ".join(chance.choices(WORDS, k=300 + number))),) * (number % 3 == 0),
    )


POSTS = [*map(a_post, range(200)), Post("猫头鹰", "安静的咖啡馆", "巷子里很安静 quiet cafe", language="zh")]
QUERIES = {
    "usual": SearchQuery("quiet cafe balan"),
    "second page": SearchQuery("quiet cafe balan", offset=10),
    "filtered": SearchQuery("quiet cafe kolan", filters=Filters(authors=("author 3",), min_likes=2)),
    "in one language": SearchQuery("quiet cafe kolan", filters=Filters(languages=("zh",))),
    "in another language": SearchQuery("安静的咖啡馆"),
    "newest": SearchQuery("balan konok mipir", sort="newest"),
    "liked": SearchQuery("balan konok mipir", sort="most_liked", fold=False),
    "facets": SearchQuery("rusut tevem kozor", facets=("authors", "languages")),
    "no terms that any post has": SearchQuery("zzzz"),
    "without a word": SearchQuery("", filters=Filters(min_likes=5)),
    "without a word, far down": SearchQuery("", filters=Filters(min_likes=1), limit=30, offset=60),
    "a phrase": SearchQuery("quiet", filters=Filters(phrases=("quiet cafe",))),
    "for an answer": SearchQuery("where is a quiet cafe", answer_hits=6),
    "widened": SearchQuery("quiet cafe banok", limit=30, offset=30),
    "widened twice": SearchQuery("quiet cafe banok", limit=50, offset=150),
    "widened, not folded": SearchQuery("loud bar misut", limit=40, offset=20, fold=False),
}


@contextmanager
def searching(store: PostStore) -> Iterator[Searcher]:
    with store.writing():
        writer = store.begin(EMBEDDER.identity)
        writer.upsert([ready(post, EMBEDDER) for post in POSTS])
        store.switch(writer.finish().name)
    with closing(LiveGeneration(store, EMBEDDER.identity)) as live:
        yield Searcher(live, EMBEDDER, TermWeigher(), candidates=20)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Searcher, Searcher, HttpQdrant]]:
    with http_qdrant() as server, closing(QdrantClient(url=server.url, check_compatibility=False)) as client:
        on_server = ServerStore(client, "stipple", tmp_path_factory.mktemp("server"), url=server.url, poll_s=0)
        with searching(EdgeStore(tmp_path_factory.mktemp("edge"))) as embedded, searching(on_server) as asking:
            yield embedded, asking, server


def requests_of(server: HttpQdrant, search: Callable[[], SearchPage]) -> tuple[SearchPage, list[str]]:
    server.asked.clear()
    page = search()
    return page, [one.path for one in server.asked]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_search_takes_at_most_four_requests_and_finds_what_the_embedded_store_finds(
    query: SearchQuery, both: tuple[Searcher, Searcher, HttpQdrant]
) -> None:
    embedded, on_server, server = both
    on_server.search(replace(query, text=query.text and "first"))  # opens the generation
    page, requests = requests_of(server, lambda: on_server.search(query))
    expected = embedded.search(query)
    assert len(requests) <= (MOST_REQUESTS_OF_A_PHRASE if query.filters.phrases else MOST_REQUESTS), requests
    assert [(hit.post.id, hit.similar_ids) for hit in page.hits] == [
        (hit.post.id, hit.similar_ids) for hit in expected.hits
    ]
    assert [hit.score for hit in page.hits] == pytest.approx([hit.score for hit in expected.hits], abs=1e-5)
    assert (page.total, page.facets) == (expected.total, expected.facets)


def test_a_usual_search_takes_three_requests_and_reads_its_pages_posts_alone(
    both: tuple[Searcher, Searcher, HttpQdrant],
) -> None:
    _, on_server, server = both
    query = SearchQuery("loud bar balan tezor", fold=False)
    page, requests = requests_of(server, lambda: on_server.search(query))
    assert [path.rpartition("/points")[2] for path in requests] == ["/query/batch", "/query/batch", ""]
    assert len(server.asked[-1].body["ids"]) == len(page.hits)


def test_a_larger_search_asks_for_no_passage_again(both: tuple[Searcher, Searcher, HttpQdrant]) -> None:
    _, on_server, server = both
    server.asked.clear()
    with on_server._live.pin() as pinned:
        generation = pinned.one_search()
        vector, terms = EMBEDDER.embed_query("quiet cafe"), TermWeigher().query("quiet cafe")
        whole = generation.candidates(vector, terms, 80, Filters())
        again = pinned.one_search()
        small = again.candidates(vector, terms, 20, Filters())
        server.asked.clear()
        same(again.candidates(vector, terms, 80, Filters()), whole)
        assert again.candidates(vector, terms, 20, Filters()) == small
        [asked] = server.asked
        brought = [one for one in asked.body["searches"] if one.get("with_payload")]
        assert [one["limit"] for one in brought] == [60, 60]
        assert all(len(one["filter"]["must_not"][0]["has_id"]) == 20 for one in brought)


def test_posts_written_before_searches_had_fields_of_their_own_are_found_alike(
    both: tuple[Searcher, Searcher, HttpQdrant],
) -> None:
    embedded, on_server, server = both
    query = SearchQuery("quiet cafe banok", limit=20)
    [collection] = server.collections()
    points, _ = server.client.scroll(collection, limit=10_000, with_payload=True)
    before = {one.id: dict(one.payload or {}) for one in points}
    server.client.delete_payload(collection, ["sketch", "created_s"], [one.id for one in points])
    page = on_server.search(query)
    for point, payload in before.items():
        server.client.overwrite_payload(collection, payload, [point])
    assert [hit.post.id for hit in page.hits] == [hit.post.id for hit in embedded.search(query).hits]
