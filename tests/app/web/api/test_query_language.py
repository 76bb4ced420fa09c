"""The query language as a client of the API meets it, on a real index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.answering.generation import ScriptedGenerator
from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import Place, Post
from tests.small_index import POSTS, indexed

DAY = datetime(2025, 3, 1, 12, tzinfo=UTC)
DALI, OATS, CAMP, RUN, EVIL = POSTS
HELD = (
    replace(DALI, created_at=DAY, place=Place("Renmin Road, Dali", 25.69, 100.16), likes=5),
    replace(OATS, created_at=DAY.replace(year=2026)),
    replace(CAMP, created_at=DAY.replace(month=5), place=Place("苍山", 25.7, 100.1)),
    replace(RUN, place=Place("Nanjing", 32.0, 118.8)),
    EVIL,
    *(Post(f"tea-{n}", "", f"Green tea number {n}, with oat milk", "ming", ("tea",), "en") for n in range(250)),
    Post("tea-plain", "", "Plain green tea", "ming", ("tea",), "en", likes=1000),
)
# A word of every post but those about tea with milk: who asks for less finds less, whatever the filters.
EACH = "flat white 营地 loop ignore plain"
NEWEST_FIRST = ["oats", "camp", "dali"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("language")
    indexed(folder, HELD, HashEmbedder(256))
    settings = Settings(data_dir=folder, _env_file=None)
    generator = ScriptedGenerator(["A flat white at Blue Door is 28 yuan. [1]"])
    services = Services(settings, open_store(settings), HashEmbedder(256), generator)
    with TestClient(create_app(settings, services), raise_server_exceptions=False) as client:
        yield client


def search(client: TestClient, typed: str, **parameters: Any) -> dict[str, Any]:
    response = client.get("/api/search", params={"q": typed, "limit": 50, **parameters})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [hit["post"]["id"] for hit in found["hits"]]


@pytest.mark.parametrize(
    ("typed", "parameters", "expected"),
    [
        ("flat white from:MO", {"author": "MO"}, {"dali"}),
        ("flat white #coffee", {"tag": "coffee"}, {"dali", "oats"}),
        (f"{EACH} -#coffee -#tea", {"without_tag": ["#coffee", "tea"]}, {"camp", "run", "evil"}),
        (f"{EACH} -from:mo -from:ming", {"without_author": ["@mo", "ming"]}, {"oats", "camp", "run", "evil"}),
        (f"{EACH} lang:zh", {"language": "zh"}, {"camp"}),
        (f"{EACH} since:2025-05", {"since": "2025-05-01"}, {"oats", "camp"}),
        ("flat white until:2025-03", {"until": "2025-04-01"}, {"dali"}),
        (f"{EACH} likes>5", {"min_likes": 6}, {"oats", "tea-plain"}),
        (f"{EACH} likes<=5 -#tea", {"max_likes": 5, "without_tag": "tea"}, {"dali", "camp", "run", "evil"}),
        ('flat white "oat milk in a flat white"', {"phrase": "oat milk in a flat white"}, {"oats"}),
        ("green tea -oat #tea", {"without": "oat", "tag": "tea"}, {"tea-plain"}),
        ('flat white near:"Dali,3km"', {"near": "Dali,3km"}, {"dali"}),
        (f"{EACH} near:25.69,100.16,20km", {"near": "25.69,100.16,20km"}, {"dali", "camp"}),
        (f"{EACH} 附近:南京,100公里", {"near": "南京,100公里"}, {"run"}),
    ],
)
def test_what_is_typed_finds_what_the_same_parameters_find(
    client: TestClient, typed: str, parameters: dict[str, Any], expected: set[str]
) -> None:
    by_words = search(client, typed)
    # Words that are looked for beside the filters, as they remain of what was typed.
    by_parameters = search(client, by_words["understood"]["text"], **parameters)
    assert set(ids(by_words)) == set(ids(by_parameters)) == expected
    assert by_words["understood"] == by_parameters["understood"]
    assert by_words["query"] == typed
    assert by_words["notes"] == []


def test_filters_alone_find_all_that_match_newest_first(client: TestClient) -> None:
    assert ids(search(client, "-from:ming -from:x -from:jo")) == NEWEST_FIRST
    assert ids(search(client, "#coffee")) == ["oats", "dali"]
    assert ids(search(client, "", tag="coffee")) == ["oats", "dali"]
    assert ids(search(client, "", near="Dali,20km")) == ["camp", "dali"]
    hit = search(client, "#coffee from:mo")["hits"][0]
    assert (hit["score"], hit["passage"]["text"]) == (0, DALI.text)


def test_pages_of_filters_alone_follow_one_another_without_gap_or_repeat(client: TestClient) -> None:
    paged: list[str] = []
    while len(page := ids(search(client, "#tea", offset=len(paged)))) > 0:
        paged += page
    assert sorted(paged) == sorted(post.id for post in HELD if "tea" in post.tags)
    assert ids(search(client, "#tea", offset=1000)) == []


def test_words_that_almost_every_candidate_holds_still_leave_a_full_page(client: TestClient) -> None:
    """250 nearer posts say "oat"; the one that does not is found all the same, by words and by date."""
    assert "tea-plain" in ids(search(client, "green tea number with milk -oat"))
    assert ids(search(client, "#tea -oat")) == ["tea-plain"]
    assert ids(search(client, '"plain green" with oat milk number')) == ["tea-plain"]


def test_the_language_and_the_highlights_are_those_of_the_remaining_text(client: TestClient) -> None:
    found = search(client, "作者:mo 语言:en flat white")
    assert found["language"] == "en"
    best = found["hits"][0]
    marked = [best["post"]["text"][span["start"] : span["end"]] for span in best["passage"]["highlights"]]
    assert marked == ["flat", "white"]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ('flat "white', ["unbalanced_quote"]),
        ("flat likes>abc", ["bad_likes"]),
        ("flat since:2026-13", ["bad_date"]),
        ("flat since:2999", ["future"]),
        ("flat near:Atlantis,5km lang:xx", ["unknown_place", "unknown_language"]),
    ],
)
def test_a_mistake_is_explained_where_it_stands_and_the_query_is_answered(
    client: TestClient, typed: str, codes: list[str]
) -> None:
    found = search(client, typed)
    assert [note["code"] for note in found["notes"]] == codes
    for note in found["notes"]:
        assert found["query"][note["start"] : note["end"]] in typed
        assert note["message"]
    assert found["hits"] or codes == ["future"]


def test_a_mistake_is_explained_in_the_language_of_the_query(client: TestClient) -> None:
    assert "write a whole number" in search(client, "flat likes>abc")["notes"][0]["message"]
    assert "请写整数" in search(client, "咖啡 赞>很多")["notes"][0]["message"]


def test_an_answer_takes_the_query_language_too(client: TestClient) -> None:
    asked = "How much is a flat white at Blue Door? from:mo since:2999 likes>abc"
    answer = client.post("/api/answer", json={"question": asked}).json()
    assert answer["question"] == asked
    assert [note["code"] for note in answer["notes"]] == ["future", "bad_likes"]
    assert answer["hits"] == []
    answer = client.post(
        "/api/answer", json={"question": "How much is a flat white? #coffee", "near": "Dali,9km"}
    ).json()
    assert {hit["post"]["id"] for hit in answer["hits"]} == {"dali"}
    assert answer["understood"]["tag"] == ["coffee"]
    assert answer["understood"]["near"]["radius_km"] == 9
    assert answer["kind"] != "declined"


def test_a_streamed_answer_says_at_once_what_was_understood(client: TestClient) -> None:
    body = {"question": "flat white #coffee likes>abc", "stream": True}
    text = client.post("/api/answer", json=body).text
    events = [part.split("\n") for part in text.strip().split("\n\n")]
    first, last = (json.loads(lines[1].removeprefix("data: ")) for lines in (events[0], events[-1]))
    assert first["understood"] == last["understood"]
    assert first["notes"] == last["notes"] != []
    assert last["question"] == body["question"]


def test_a_question_of_filters_alone_is_declined_with_the_posts_that_match(client: TestClient) -> None:
    answer = client.post("/api/answer", json={"question": "#coffee"}).json()
    assert answer["kind"] == "declined"
    assert [hit["post"]["id"] for hit in answer["hits"]] == ["oats", "dali"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"near": "Atlantis,5km"}, "near"),
        ({"near": "91,0,5km"}, "near"),
        ({"near": ""}, "near"),
        ({"max_likes": -1}, "max_likes"),
        ({"phrase": " "}, "phrase.0"),
        ({"without": ["a"] * 51}, "without"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(
    client: TestClient, parameters: dict[str, Any], field: str
) -> None:
    response = client.get("/api/search", params={"q": "x", **parameters})
    assert (response.status_code, response.json()["field"]) == (422, field)


@pytest.mark.parametrize("typed", ['"' * 2000, "#" * 2000, "-a " * 600, "likes>a " * 250, "near:x " * 280, "「" * 2000])
def test_hostile_queries_get_a_sane_page(client: TestClient, typed: str) -> None:
    assert len(search(client, typed)["notes"]) <= 20


def test_a_query_of_5000_characters_is_refused(client: TestClient) -> None:
    assert client.get("/api/search", params={"q": "a" * 5000}).status_code == 422


def test_a_place_that_a_new_generation_names_is_known(tmp_path: Path) -> None:
    indexed(tmp_path, HELD[:3], HashEmbedder(256))
    settings = Settings(data_dir=tmp_path, _env_file=None)
    services = Services(settings, open_store(settings), HashEmbedder(256), None)
    with TestClient(create_app(settings, services)) as client:
        assert [note["code"] for note in search(client, "x near:Oz,5km")["notes"]] == ["unknown_place"]
        indexed(
            tmp_path, [*HELD[:3], Post("oz", "", "x", place=Place("Emerald City, Oz", 1.0, 2.0))], HashEmbedder(256)
        )
        assert search(client, "x near:Oz,5km")["understood"]["near"] == {
            "latitude": 1.0, "longitude": 2.0, "radius_km": 5.0,
        }  # fmt: skip
