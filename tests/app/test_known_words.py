"""Queries changed to what the posts can answer, on a real index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.known_words import KnownWords
from retrieval.models.embedding import HashEmbedder
from retrieval.query.parser import parse_query
from retrieval.query.pieces import ParsedQuery
from retrieval.stores.contract import Generation
from retrieval.types import Post
from tests.small_index import indexed

HELD = (
    Post("pot", "", "楼下新开的火锅店，番茄锅底很好。", tags=("火锅",), language="zh"),
    Post("pot-2", "", "下雨天就想吃火锅。", language="zh"),
    Post("guide", "", "这家的规定很多，贵的也不好吃。", language="zh"),
    Post("tea", "", "Dali has a tea house by the lake.", language="en"),
)


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    embedder = HashEmbedder(256)
    folder: Path = tmp_path_factory.mktemp("words")
    opened = indexed(folder, HELD, embedder).open(embedder.identity)
    yield opened
    opened.close()


def read(generation: Generation, typed: str, usual: tuple[str, ...] = ()) -> ParsedQuery:
    return KnownWords().of(generation, typed, parse_query(typed), lambda word: word in usual)


@pytest.mark.parametrize("typed", ["huoguo", "Huoguo", "huo guo"])
def test_pinyin_becomes_the_word_that_posts_have(generation: Generation, typed: str) -> None:
    found = read(generation, typed)
    assert found.text == "火锅"
    assert [one.code for one in found.mistakes] == ["pinyin"]


def test_only_the_words_that_no_post_has_are_pinyin(generation: Generation) -> None:
    assert read(generation, "dali huoguo").text == "dali 火锅"
    assert read(generation, "dali tea") == parse_query("dali tea")


def test_a_word_that_is_usual_in_its_own_language_is_no_pinyin(generation: Generation) -> None:
    assert read(generation, "guide").text != "guide"
    assert read(generation, "guide", usual=("guide",)).text == "guide"


def test_pinyin_of_words_that_no_post_has_stays(generation: Generation) -> None:
    assert read(generation, "kafei") == parse_query("kafei")


def test_a_tag_that_no_post_has_is_looked_for_by_its_words(generation: Generation) -> None:
    assert read(generation, "#火锅").filters.tags == ("火锅",)
    found = read(generation, "吃 #番茄锅")
    assert (found.text, found.filters.tags, found.pieces) == ("番茄锅 吃", (), ())
    assert [(one.code, one.start, one.end) for one in found.mistakes] == [("unknown_tag", 2, 6)]
