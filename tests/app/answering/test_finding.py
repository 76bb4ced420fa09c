"""What is found for a question, by a search of its own or from hits that somebody has found already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.answering.finding import FoundEvidence
from app.answering.types import Done, HitsFound, Question
from app.model_bundle import make_finder
from app.services import Services
from retrieval.errors import FixableError
from retrieval.models.embedding import HashEmbedder
from retrieval.query.parser import parse_query
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.text.terms import TermWeigher
from retrieval.types import Post
from tests.small_index import POSTS, indexed

QUESTION = Question("How much is a flat white at Blue Door?")
EMBEDDER = HashEmbedder(256)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    indexed(tmp_path, POSTS, EMBEDDER)
    settings = Settings(data_dir=tmp_path, answer_hits=2, _env_file=None)
    made = Services(settings, open_store(settings), EMBEDDER, None)
    yield made
    asyncio.run(made.close())


class Unsearchable:
    """A searcher that must not be asked."""

    def search(self, query: object) -> None:
        raise FixableError(f"searched again: {query}", "use the hits that are there")


def test_what_was_found_already_is_not_searched_for_again_and_of_more_hits_the_first_are_used(
    services: Services,
) -> None:
    with services.bundle() as bundle:
        finder = bundle.finder
        searched = finder.find(QUESTION)
        page = bundle.searcher.search(replace(finder.query(QUESTION), limit=20))
    assert len(page.hits) > len(searched.page.hits) == 2
    elsewhere = make_finder(Settings(answer_hits=2, _env_file=None), Unsearchable(), EMBEDDER, TermWeigher())  # type: ignore[arg-type]  # all of a Searcher that is used
    given = elsewhere.find(QUESTION, page)
    assert given.page.hits == searched.page.hits
    assert (given.evidence, given.answerability) == (searched.evidence, searched.answerability)
    assert given.answerability.outcome == "answer"
    with pytest.raises(FixableError, match="searched again"):
        elsewhere.find(QUESTION)


def test_an_answer_from_hits_that_are_there_is_the_answer_of_its_own_search(services: Services) -> None:
    with services.bundle() as bundle:
        page = bundle.searcher.search(bundle.finder.query(QUESTION))
        answerer = bundle.answerer

        async def events(given: bool) -> list[object]:
            return [event async for event in answerer.answer(QUESTION, page if given else None)]

        own, given = (asyncio.run(events(given)) for given in (False, True))
    assert own[:-1] == given[:-1]
    assert isinstance(given[0], HitsFound)
    last, other = own[-1], given[-1]
    assert isinstance(last, Done)
    assert isinstance(other, Done)
    assert replace(last.answer, timings_ms={}) == replace(other.answer, timings_ms={})


def test_filters_without_a_word_find_posts_and_no_evidence(services: Services) -> None:
    with services.bundle() as bundle:
        found = bundle.finder.find(Question("  "))
        assert (found.evidence, found.answerability.outcome) == ([], "declined")
        assert bundle.finder.evidence_for(Question("  ")) == ()
        assert bundle.finder.evidence_for(QUESTION)


def test_posts_of_the_time_that_is_asked_for_answer_and_others_only_where_they_do_not(tmp_path: Path) -> None:
    then, now = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    priced = [
        Post("old", "", "A day pass at Fern Hall costs 12 euros.", created_at=then),
        Post("new", "", "A day pass at Fern Hall costs 15 euros.", created_at=now),
    ]
    indexed(tmp_path, priced, EMBEDDER)
    settings = Settings(data_dir=tmp_path, _env_file=None)
    services = Services(settings, open_store(settings), EMBEDDER, None)

    def found(typed: str) -> FoundEvidence:
        query = parse_query(typed, today=date(2026, 12, 1))
        with services.bundle() as bundle:
            return bundle.finder.find(Question(query.text, query.filters))

    last_year, never = found("How much is a day pass at Fern Hall last year?"), found("day pass at Fern Hall in 2019?")
    assert [hit.post.id for hit in last_year.page.hits] == ["old"]
    assert last_year.answerability.missing == ""
    assert {hit.post.id for hit in never.page.hits} == {"old", "new"}
    assert "No post from 2019-01-01 to 2019-12-31 answers this" in never.answerability.missing
    assert never.question.filters.in_words  # what was asked stays what was asked
    asyncio.run(services.close())
