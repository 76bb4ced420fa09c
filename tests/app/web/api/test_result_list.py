"""The result list as clients and readers see it: order, pages, folds, facets, reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.answering.types import Question
from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import Filters, Post, SearchQuery
from tests.small_index import indexed

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
MENU = "The courtyard cafe in the old town sells a flat white and a slice of walnut cake, and a cat sleeps on the till."
WORDS = ("rain", "bridge", "market", "lantern", "river", "garden", "tower", "alley", "museum", "station")


def a_post(number: int) -> Post:
    """One of many about cafes, no two alike, by authors who wrote seven each."""
    words = [WORDS[number % 10], WORDS[number // 10 % 10], WORDS[(number * 7 + 3) % 10]]
    return Post(
        id=f"p{number:03}",
        title=f"Cafe {words[0]} {words[1]}",
        text=f"A cafe by the {words[0]} {words[1]}, seen from the {words[2]}: number {number} on my list of {number}.",
        author=f"author {number // 7}",
        tags=("cafe", words[0]),
        language="en",
        created_at=FIRST_DAY + timedelta(days=number * 37 % 300),
        likes=number * 53 % 997,
    )


COPIES = (
    Post("first", "Courtyard cafe", MENU, "mo", ("cafe", "cat"), "en", FIRST_DAY, likes=40),
    Post("copy", "Courtyard cafe!", MENU + " Go early.", "ann", ("cafe",), "en", FIRST_DAY + timedelta(1), likes=3),
    Post("copy of copy", "The courtyard cafe", MENU + " So good!", "jo", ("cafe",), "en", likes=1),
)
CAFES = (*(a_post(number) for number in range(140)), *COPIES)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("results")
    indexed(folder, CAFES, HashEmbedder(256))
    settings = Settings(data_dir=folder, boost_freshness=0.1, boost_popularity=0.05, _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services), raise_server_exceptions=False) as client:
        yield client


def found(client: TestClient, **parameters: Any) -> dict[str, Any]:
    response = client.get("/api/search", params={"q": "cafe", **parameters})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def ids(body: dict[str, Any]) -> list[str]:
    return [hit["post"]["id"] for hit in body["hits"]]


@pytest.mark.parametrize("boosts", ["true", "false"])
def test_explained_scores_are_the_sum_of_their_parts(client: TestClient, boosts: str) -> None:
    for hit in found(client, explain="true", boosts=boosts)["hits"]:
        why = hit["explanation"]
        assert why["found_by"] in {"dense", "lexical", "both"}
        parts = [why[part] for part in ("dense", "lexical", "freshness", "popularity")]
        assert sum(parts) == pytest.approx(hit["score"], abs=1e-5)
        assert (why["freshness"] > 0) is (boosts == "true" and hit["post"]["created_at"] is not None)
    assert found(client)["hits"][0]["explanation"] is None


def test_hits_that_filters_alone_found_say_so(client: TestClient) -> None:
    hits = found(client, q="", tag="cat", explain="true")["hits"]
    assert [hit["explanation"]["found_by"] for hit in hits] == ["filters"]


def test_sorting_changes_the_order_and_nothing_else(client: TestClient) -> None:
    newest = [hit["post"]["created_at"] for hit in found(client, q="cafe rain", sort="newest")["hits"]]
    liked = [hit["post"]["likes"] for hit in found(client, q="cafe rain", sort="most_liked")["hits"]]
    assert newest == sorted(newest, reverse=True)
    assert liked == sorted(liked, reverse=True)


@pytest.mark.parametrize("sort", ["relevance", "newest", "most_liked"])
@pytest.mark.parametrize("per_author", [0, 3])
@pytest.mark.parametrize("q", ["cafe", "", '"number" cafe'])
def test_pages_through_the_cursor_have_no_gap_and_no_repeat(
    client: TestClient, sort: str, per_author: int, q: str
) -> None:
    asked: dict[str, Any] = {"q": q, "sort": sort, "per_author": per_author, "tag": "cafe"}
    seen: list[str] = []
    folded = 0
    ranks: list[int] = []
    cursor = ""
    for limit in (7, 10, 1, *[13] * 20):
        page = found(client, **asked, limit=limit, **({"cursor": cursor} if cursor else {}))
        seen += ids(page)
        folded += sum(hit["similar"] for hit in page["hits"])
        ranks += [hit["rank"] for hit in page["hits"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert cursor is None, "the pages end"
    assert len(seen) == len(set(seen))
    assert ranks == list(range(1, len(seen) + 1))
    by_offset = [one for at in range(0, 200, 50) for one in ids(found(client, **asked, limit=50, offset=at))]
    assert seen == by_offset
    if per_author == 0 and '"' not in q:
        assert len(seen) + folded == len(CAFES)


@pytest.mark.parametrize(
    "cursor", ["x", "a" * 1500, "e30", "\u0101", "AAAA====", "'; DROP TABLE posts"], ids=lambda cursor: cursor[:8]
)
def test_a_cursor_that_was_not_given_out_is_refused(client: TestClient, cursor: str) -> None:
    response = client.get("/api/search", params={"q": "cafe", "cursor": cursor})
    assert (response.status_code, response.json()["error"], response.json()["field"]) == (400, "bad_cursor", "cursor")


def test_a_cursor_that_was_tampered_with_or_is_of_another_query_is_refused(client: TestClient) -> None:
    cursor = found(client)["next_cursor"]
    for parameters in (
        {"q": "cafe", "cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")},
        {"q": "tea", "cursor": cursor},
        {"q": "cafe", "cursor": cursor, "sort": "newest"},
        {"q": "cafe", "cursor": cursor, "offset": 3},
    ):
        response = client.get("/api/search", params=parameters)
        assert (response.status_code, response.json()["error"]) == (400, "bad_cursor"), parameters


def test_a_cursor_of_a_generation_that_is_gone_is_refused(tmp_path: Path) -> None:
    indexed(tmp_path, CAFES, HashEmbedder(256))
    settings = Settings(data_dir=tmp_path, _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services)) as client:
        cursor = found(client)["next_cursor"]
    indexed(tmp_path, CAFES[1:], HashEmbedder(256))
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services)) as client:
        response = client.get("/api/search", params={"q": "cafe", "cursor": cursor})
        assert (response.status_code, response.json()["error"]) == (400, "bad_cursor")
        assert "index has changed" in response.json()["message"]


def test_facets_count_the_posts_found_and_say_the_same_on_every_page(client: TestClient) -> None:
    facets = found(client, facet=["tags", "authors", "languages", "months"], tag="cafe")["facets"]
    assert facets.keys() == {"tags", "authors", "languages", "months"}
    assert facets["tags"][0]["value"] == "cafe"
    for counts in facets.values():
        assert [one["posts"] for one in counts] == sorted((one["posts"] for one in counts), reverse=True)
    later = found(client, facet="tags", tag="cafe", offset=20)["facets"]
    assert later == {"tags": facets["tags"]}
    assert found(client, facet="tags", author="mo")["facets"]["tags"] == [
        {"value": "cafe", "posts": 1},
        {"value": "cat", "posts": 1},
    ]
    assert found(client)["facets"] == {}


@pytest.mark.parametrize(
    ("parameters", "field", "named"),
    [
        ({"facet": "colour"}, "facet", "colour"),
        ({"facet": ["tags", "x" * 500]}, "facet", "tags, authors, languages, months"),
        ({"sort": "oldest"}, "sort", "newest"),
        ({"per_author": -1}, "per_author", ""),
        ({"fold": "perhaps"}, "fold", ""),
        ({"explain": "why"}, "explain", ""),
    ],
)
def test_what_there_is_none_of_is_refused_by_name(
    client: TestClient, parameters: dict[str, Any], field: str, named: str
) -> None:
    response = client.get("/api/search", params={"q": "cafe", **parameters})
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert named in response.json()["message"]
    assert len(response.json()["message"]) < 300


def test_near_copies_stand_under_the_best_of_them_unless_asked_for(client: TestClient) -> None:
    hits = found(client, q="courtyard cafe walnut cake")["hits"]
    assert {hits[0]["post"]["id"], *hits[0]["similar_ids"]} == {post.id for post in COPIES}
    assert hits[0]["similar"] == 2
    unfolded = found(client, q="courtyard cafe walnut cake", fold="false")
    assert {*ids(unfolded)[:3]} == {post.id for post in COPIES}
    assert {hit["similar"] for hit in unfolded["hits"]} == {0}


def test_an_author_has_a_few_hits_in_a_row_unless_asked_for(client: TestClient) -> None:
    def most(**parameters: Any) -> int:
        authors = [hit["post"]["author"] for hit in found(client, limit=10, **parameters)["hits"]]
        return max(map(authors.count, authors))

    assert most() <= 3
    assert most(per_author=1) == 1
    assert most(author="author 3") == 7
    totals = {found(client, per_author=most_of_one)["total"] for most_of_one in (0, 1, 3)}
    assert len(totals) == 1, "nobody's posts are left out"


def test_the_page_folds_copies_and_leads_to_them(client: TestClient) -> None:
    html = client.get("/search", params={"q": "courtyard cafe walnut cake", "js": "off"}).text
    (link,) = re.findall(r'<p class="similar"><a href="([^"]+)" rel="nofollow">2 similar posts</a>', html)
    each = client.get(link.replace("&amp;", "&")).text
    assert "fold=0" in link
    assert "similar posts</a></p>" not in each
    assert "Fold similar posts" in each
    assert 'id="answer"' not in each
    chinese = client.get("/search", params={"q": "courtyard cafe walnut cake", "js": "off", "ui": "zh"}).text
    assert "2 篇相似的帖子" in chinese


def test_the_page_offers_orders_and_tags_and_keeps_them_in_its_links(client: TestClient) -> None:
    html = client.get("/search", params={"q": "cafe rain", "sort": "newest", "js": "off"}).text
    assert '<span aria-current="true">Newest</span>' in html
    assert 'href="/search?q=cafe+rain&amp;js=off" rel="nofollow">Best match</a>' in html
    assert 'href="/search?q=cafe+rain&amp;sort=most_liked&amp;js=off" rel="nofollow">Most liked</a>' in html
    tags = re.findall(
        r'<li><a href="([^"]+)" rel="nofollow">#<bdi>(\w+)</bdi> <span class="count">([\d,]+)</span>', html
    )
    assert 1 < len(tags) <= 8
    assert tags[0][1] == "cafe"
    assert tags[0][0] == "/search?q=cafe+rain&amp;tag=cafe&amp;sort=newest&amp;js=off"
    filtered = client.get("/search", params={"q": "cafe rain", "tag": "cafe", "js": "off"}).text
    assert "#<bdi>cafe</bdi> <span" not in filtered, "a tag that was chosen is not offered again"
    assert "sort=newest&amp;offset=10" in html
    dates = re.findall(r'<time datetime="([^"]+)"', html)
    assert dates == sorted(dates, reverse=True)


def test_a_page_of_no_known_order_has_the_usual_one(client: TestClient) -> None:
    html = client.get("/search", params={"q": "cafe rain", "sort": "sideways", "fold": "maybe", "js": "off"}).text
    assert '<span aria-current="true">Best match</span>' in html


@pytest.mark.parametrize("text", ["cafe", "cafe rain bridge", "courtyard cat cake", "number 7 museum"])
@pytest.mark.parametrize("filters", [Filters(), Filters(tags=("rain",)), Filters(authors=("author 1", "mo", "ann"))])
def test_an_answer_gets_the_same_hits_from_the_search_of_its_page_as_from_a_search_of_its_own(
    client: TestClient, text: str, filters: Filters
) -> None:
    with services_of(client).bundle() as bundle:
        search = bundle.searcher.search
        alone = search(bundle.finder.query(Question(text, filters)))
        most = services_of(client).answer_hits
        pages = [search(SearchQuery(text, filters, offset=offset, answer_hits=most)) for offset in range(0, 160, 10)]
        page = search(SearchQuery(text, filters))
    assert pages[0].hits[:most] == alone.hits
    shown = [hit.post.id for one in pages for hit in one.hits]
    assert len(set(shown)) == len(shown), "pages repeat nothing"
    assert len(shown) >= pages[0].total
    assert len(pages[0].hits) == min(10, len(shown))
    under = {one for page in pages for hit in page.hits for one in hit.similar_ids}
    assert {hit.post.id for hit in page.hits} <= set(shown) | under, "no hit of an ordinary page is lost"


def services_of(client: TestClient) -> Services:
    services = client.app.state.services  # type: ignore[attr-defined]  # an ASGI app, for all that the client knows
    assert isinstance(services, Services)
    return services
