"""Folding, sentences, passages, the hash of a post."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.content_hash import content_hash
from retrieval.text.folding import fold, fold_with_offsets
from retrieval.text.passages import cut_passages, passage_text
from retrieval.text.sentences import sentences
from retrieval.types import Comment, Post

_TEXT = st.text(st.sampled_from("ab c.。！?\n，, 12一二三咖啡臺Ａ…;'\"”"), max_size=400) | st.text(max_size=200)


def _count(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


@pytest.mark.parametrize(
    ("written", "folded"),
    [("臺北", "台北"), ("Ｃａｆé", "café"), ("１２元", "12元"), ("咖啡", "咖啡"), ("ﬁ", "fi"), ("", "")],
)
def test_what_readers_take_for_the_same_folds_to_the_same(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(_TEXT)
def test_each_folded_code_point_knows_where_it_came_from(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs 3.5 euros. Bring cash!", ["It costs 3.5 euros.", "Bring cash!"]),
        ("Ask Mr. Li, e.g. at noon. Then go.", ["Ask Mr. Li, e.g. at noon.", "Then go."]),
        ("早上九点开门。拿铁28元！要排队吗？要", ["早上九点开门。", "拿铁28元！", "要排队吗？", "要"]),
        ("他说：“别去。”我去了", ["他说：“别去。”", "我去了"]),
        ("Steps:\n1. Grind 15 g.\n2. Pour", ["Steps:", "1. Grind 15 g.", "2. Pour"]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("   \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences(text)] == expected


@given(_TEXT)
def test_sentences_cover_all_that_is_not_white_space_in_order(text: str) -> None:
    spans = sentences(text)
    covered = "".join(text[span.start : span.end] for span in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))


def test_a_line_without_an_end_is_broken_into_pieces_a_reader_can_hold() -> None:
    spans = sentences("word " * 2000)
    assert max(span.end - span.start for span in spans) <= 300


@given(_TEXT, st.lists(_TEXT, max_size=3), st.integers(20, 200))
def test_passages_are_verbatim_slices_that_together_hold_every_sentence(
    text: str, comments: list[str], window: int
) -> None:
    post = Post("p", "title", text, comments=tuple(Comment("a", comment) for comment in comments))
    passages = cut_passages(post, _count, window)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for passage in passages:
        source = text if passage.comment is None else comments[passage.comment]
        assert passage.text == source[passage.start : passage.end]
    for number, source in [(None, text), *enumerate(comments)]:
        held = {at for passage in passages if passage.comment == number for at in range(passage.start, passage.end)}
        assert all(at in held for at, character in enumerate(source) if not character.isspace())


def test_a_long_post_is_cut_into_overlapping_passages_within_the_window() -> None:
    text = " ".join(f"Sentence number {n} says a little." for n in range(200))
    passages = cut_passages(Post("p", "", text), lambda texts: [len(one.split()) for one in texts], 60)
    assert len(passages) > 10
    assert all(len(passage_text(Post("p", "", text), passage).split()) <= 60 for passage in passages)
    assert all(after.start < before.end for before, after in itertools.pairwise(passages))


def test_a_post_with_a_title_alone_has_one_passage() -> None:
    post = Post("p", "Only a title", "")
    (passage,) = cut_passages(post, _count, 100)
    assert passage_text(post, passage) == "Only a title"


def test_title_and_tags_colour_a_passage_and_a_tag_that_is_in_the_text_is_not_repeated() -> None:
    post = Post("p", "Dali", "Great #coffee here", tags=("coffee", "yunnan"))
    (passage,) = cut_passages(post, _count, 100)
    assert passage_text(post, passage) == "Dali\nGreat #coffee here\n#yunnan"


def test_any_change_of_a_post_changes_its_hash() -> None:
    post = Post("p", "t", "x", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    others = [
        replace(post, likes=1),
        replace(post, title="u"),
        replace(post, comments=(Comment("a", "b"),)),
        replace(post, created_at=None),
        replace(post, id="q"),
    ]
    assert len({content_hash(one) for one in [post, *others]}) == len(others) + 1
    assert content_hash(post) == content_hash(replace(post))
