"""The order of a page: posts leave only into a fold or by the cap, and every score is the sum of its parts."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.search.facets import MOST_VALUES, count_facets
from retrieval.search.fusion import Scale, fuse
from retrieval.search.ranking import (
    PAGE,
    Boosts,
    Placed,
    boosted,
    copies_among,
    explained,
    finders,
    folded,
    for_answers,
    in_both_languages,
    in_order,
    led_by,
    placed,
    spread,
)
from retrieval.stores.post_summary import summary_of
from retrieval.text.folding import fold
from retrieval.text.near_copies import SKETCHED, meeting, near_copies, sketches
from retrieval.types import Candidate, FacetCount, Post, Sort

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COURTYARD = "A tiny courtyard down an alley off Renmin Road, where a flat white is 28 yuan and the cat sleeps all day."


def a_candidate(post_id: str, cosine: float = 0.5, lexical: float = 1.0) -> Candidate:
    return Candidate(post_id, 0, "text", None, 0, 1, cosine, lexical)


def a_place(post_id: str, match: float = 0.5, **fields: Any) -> Placed:
    return Placed(a_candidate(post_id), summary_of(Post(post_id, "", post_id, **fields)), match)


def ids(found: list[Placed]) -> list[str]:
    return [one.post.post_id for one in found]


TEXTS = st.sampled_from(
    [COURTYARD, COURTYARD + " Go early.", "Noodles at noon.", "东门的牛肉面十二块钱一碗，汤是清的。"]
)
FOUND = st.lists(
    st.builds(
        lambda text, author, likes, age, cosine, lexical: (
            Candidate("", 0, "text", None, 0, 1, cosine, lexical),
            {
                "text": text,
                "author": author,
                "likes": likes,
                "created_at": None if age is None else NOW - timedelta(days=age),
            },
        ),
        TEXTS,
        st.sampled_from(["", "mo", "MO", "ann"]),
        st.integers(0, 10**6),
        st.none() | st.integers(-400, 4000),
        st.floats(-1, 1),
        st.floats(0, 40),
    ),
    max_size=70,
)
SORTS = st.sampled_from(["relevance", "newest", "most_liked"])


def posts_of(drawn: list[tuple[Candidate, dict[str, Any]]]) -> dict[str, Post]:
    return {f"p{number}": Post(f"p{number}", "", **fields) for number, (_, fields) in enumerate(drawn)}


def as_found(drawn: list[tuple[Candidate, dict[str, object]]], weight: float) -> tuple[list[Placed], Scale]:
    candidates = [
        Candidate(f"p{number}", 0, "text", None, 0, 1, one.cosine, one.lexical) for number, (one, _) in enumerate(drawn)
    ]
    summaries = {post_id: summary_of(post) for post_id, post in posts_of(drawn).items()}
    scale = Scale.of(candidates, weight)
    return placed(fuse(candidates, scale), summaries), scale


@given(FOUND, SORTS, st.integers(0, 4), st.floats(0, 0.4), st.floats(0, 0.4))
def test_no_post_is_lost_but_into_a_fold(
    drawn: list[tuple[Candidate, dict[str, object]]], sort: Sort, per_author: int, freshness: float, popularity: float
) -> None:
    found, _ = as_found(drawn, 0.7)
    order = in_order(boosted(found, Boosts(freshness, popularity), NOW), sort)
    assert Counter(ids(order)) == Counter(ids(found))
    posts = posts_of(drawn)
    folding = folded(order, copies_among(found, posts))
    assert Counter([*ids(folding), *(one for place in folding for one in place.similar_ids)]) == Counter(ids(found))
    shown = spread(folding, per_author)
    assert Counter(ids(shown)) == Counter(ids(folding))
    authors = {post_id: post.author.lower() for post_id, post in posts.items()}
    written = Counter(author for author in map(authors.__getitem__, ids(shown)) if author)
    if per_author == 0 or not written or max(written.values()) > len(shown) / 2:
        assert shown == folding
        return
    for at, post_id in enumerate(ids(shown)):
        author = authors[post_id]
        before = [authors[one] for one in ids(shown[max(0, at - 9) : at])]
        if author and before.count(author) >= per_author:
            later = {authors[one] for one in ids(shown[at:])}
            assert all(one and before.count(one) >= per_author for one in later), "only where nobody else is left"


@given(FOUND, st.integers(0, 8), st.floats(0, 0.4), st.floats(0, 0.4))
def test_the_best_come_first_and_each_post_is_shown_once(
    drawn: list[tuple[Candidate, dict[str, object]]], best: int, freshness: float, popularity: float
) -> None:
    found, _ = as_found(drawn, 0.7)
    copies = copies_among(found, posts_of(drawn))
    first = folded(found, copies)[:best]
    order = led_by(first, folded(boosted(found, Boosts(freshness, popularity), NOW), copies))
    assert order[:best] == first
    assert len(set(ids(order))) == len(order)
    assert {*ids(order), *(one for place in order for one in place.similar_ids)} == set(ids(found))
    assert spread(order, 1, exempt=best)[:best] == first


@given(FOUND, st.floats(0, 1), st.floats(0, 0.4), st.floats(0, 0.4))
def test_the_parts_of_an_explanation_sum_to_the_score(
    drawn: list[tuple[Candidate, dict[str, object]]], weight: float, freshness: float, popularity: float
) -> None:
    found, scale = as_found(drawn, weight)
    sides = finders([one.candidate for one in found], 5)
    for one in boosted(found, Boosts(freshness, popularity), NOW):
        found_by = sides.get((one.candidate.post_id, one.candidate.ordinal), "filters")
        why = explained(one, scale, found_by)
        assert why.dense + why.lexical + why.freshness + why.popularity == pytest.approx(one.score, abs=1e-9)
        assert -1e-9 <= one.score <= 1 + 1e-9


@given(FOUND, SORTS)
def test_what_is_arranged_twice_stays_as_it_is(drawn: list[tuple[Candidate, dict[str, object]]], sort: Sort) -> None:
    found, _ = as_found(drawn, 0.7)
    once = in_order(found, sort)
    assert in_order(once, sort) == once
    assert spread(spread(once, 2), 2) == spread(once, 2)


def test_boosts_that_are_off_change_nothing() -> None:
    found = [a_place("a", 0.2, likes=9), a_place("b", 0.1, likes=900)]
    assert boosted(found, Boosts(), NOW) == found


def test_of_two_that_match_alike_the_fresh_and_the_popular_one_comes_first() -> None:
    old = a_place("old", 0.50, created_at=NOW - timedelta(days=900), likes=1)
    new = a_place("new", 0.49, created_at=NOW, likes=1)
    liked = a_place("liked", 0.49, likes=2000)
    assert ids(boosted([old, new], Boosts(freshness=0.1), NOW)) == ["new", "old"]
    assert ids(boosted([old, liked], Boosts(popularity=0.1), NOW)) == ["liked", "old"]


def test_a_post_dated_in_the_future_does_not_make_all_others_old() -> None:
    today = a_place("today", created_at=NOW)
    order = boosted([a_place("2099", created_at=NOW.replace(year=2099)), today], Boosts(freshness=0.2), NOW)
    assert [one.freshness for one in order] == [0.2, 0.2]


def test_a_half_life_halves() -> None:
    found = [a_place("new", created_at=NOW), a_place("old", created_at=NOW - timedelta(days=30))]
    new, old = boosted(found, Boosts(freshness=0.2, half_life_days=30), NOW)
    assert (new.freshness, old.freshness) == (0.2, 0.1)


@pytest.mark.parametrize("boosts", [(-0.1, 0.0), (0.5, 0.5)])
def test_boosts_that_leave_no_room_for_the_match_are_refused(boosts: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="leave room"):
        Boosts(*boosts)


def test_sorted_by_date_what_hardly_matches_comes_last_though_it_is_newest() -> None:
    day = timedelta(days=1)
    found = [
        a_place("best", 0.9, created_at=NOW - 9 * day),
        a_place("good", 0.8, created_at=NOW - day),
        a_place("no date", 0.7),
        a_place("far off", 0.1, created_at=NOW),
    ]
    assert ids(in_order(found, "newest")) == ["good", "best", "no date", "far off"]


def test_near_copies_stand_under_the_one_that_comes_first() -> None:
    found = [
        a_place("a", likes=1),
        a_place("x"),
        a_place("b", likes=5),
    ]
    texts = {"a": COURTYARD, "x": "Something else altogether.", "b": COURTYARD + " Go early!"}
    copies = copies_among(found, {post_id: Post(post_id, "", text) for post_id, text in texts.items()})
    assert [(one.post.post_id, one.similar_ids) for one in folded(found, copies)] == [("a", ("b",)), ("x", ())]
    liked = folded(in_order(found, "most_liked"), copies)
    assert [(one.post.post_id, one.similar_ids) for one in liked] == [("b", ("a",)), ("x", ())]


@pytest.mark.parametrize(
    ("one", "other", "copies"),
    [
        (COURTYARD, COURTYARD.replace("28", "32"), False),
        (COURTYARD, COURTYARD.upper() + " It opens at 9.", True),
        ("康定路馬三哥牛肉麵，一碗12元，加蛋2塊，湯是清的", "康定路的马三哥牛肉面，12元一碗，加蛋2元，汤清", True),
        ("Great coffee!", "great coffee", True),
        ("Great coffee!", "Great tea!", False),
        ("", "", False),
        ("🍜🍜🍜", "☕", False),
        ("No on", "On no", False),
        ("房间 20㎡ 朝南", "房间 20m2 朝南", True),
        (COURTYARD, "x " * 600 + COURTYARD, False),
        (COURTYARD, COURTYARD.replace(" ", "… "), True),
    ],
)
def test_copies_differ_in_words_but_not_in_numbers(one: str, other: str, copies: bool) -> None:
    assert bool(near_copies([Post("a", "", one), Post("b", "", other)])) is copies


@given(st.lists(st.text(max_size=60), max_size=8))
def test_copies_are_pairs_of_posts_that_are_there(texts: list[str]) -> None:
    posts = [Post(str(number), "", text) for number, text in enumerate(texts)]
    assert all(0 <= i < j < len(posts) for i, j in near_copies(posts))


@given(st.lists(st.text(st.sampled_from("ab12.:㎡…_ 咖啡館🍜"), max_size=40), max_size=9))
def test_copies_share_pairs_of_words_as_counted_one_by_one(texts: list[str]) -> None:
    posts = [Post(str(number), "", text) for number, text in enumerate(texts)]
    assert near_copies(posts) == {
        (i, j) for i, j in combinations(range(len(posts)), 2) if copies_one_by_one(texts[i], texts[j])
    }


@given(st.lists(st.text(st.sampled_from("ab12.:㎡…_ 咖啡館🍜"), max_size=60), max_size=9))
def test_posts_with_few_pairs_of_words_are_seen_to_be_copies_by_their_sketches(texts: list[str]) -> None:
    posts = [Post(str(number), "", text) for number, text in enumerate(texts)]
    copies = {place for pair in near_copies(posts) for place in pair}
    assert copies <= set(meeting(sketches(posts)))


def test_long_copies_meet_and_posts_on_something_else_do_not() -> None:
    words = [f"word{number}" for number in range(300)]
    shared = [" ".join(words[at : at + 100]) for at in (0, 20, 200)]  # the first two share two thirds of their pairs
    sketched = sketches([Post(str(number), "", text) for number, text in enumerate(shared)])
    assert sketched.shape == (3, SKETCHED)
    assert sketched.all()
    assert meeting(sketched) == [0, 1]
    assert meeting(sketched[:0]) == meeting(sketches([])) == []


def copies_one_by_one(one: str, other: str) -> bool:
    """The rule of docs/decisions/0006-near-copies.md, word for word."""
    words, others = (re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", fold(text)) for text in (one, other))
    numbers, more = (set(re.findall(r"\d+(?:[.:]\d+)*", fold(text))) for text in (one, other))
    if len(words) <= 8 or len(others) <= 8:
        alike = bool(words) and words == others
    else:
        pairs, theirs = set(pairwise(words)), set(pairwise(others))
        alike = len(pairs & theirs) >= 0.3 * len(pairs | theirs)
    return alike and not (numbers - more and more - numbers)


def test_an_author_is_one_however_written_and_posts_of_nobody_never_wait() -> None:
    found = [a_place("1", author="Mo"), a_place("2", author="ｍｏ"), a_place("3"), a_place("4")]
    assert ids(spread(found, 1)) == ["1", "3", "4", "2"]


@pytest.mark.parametrize("written", [["mo"] * 12, ["mo"] * 9 + ["lin", "", "ann"]])
def test_in_an_archive_of_one_author_every_post_keeps_its_place(written: list[str]) -> None:
    found = [a_place(str(number), author=author) for number, author in enumerate(written)]
    assert spread(found, 3) == found


def test_facets_count_posts_once_under_the_form_that_is_met_most() -> None:
    posts = [
        Post("a", "", "x", "mo", ("Cafe", "cafe"), "en", NOW),
        Post("b", "", "x", "Mo", ("Cafe",), "en", NOW - timedelta(days=1)),
        Post("c", "", "x", "mo", ("dali",), "zh"),
    ]
    assert count_facets(posts, ("tags", "authors", "languages", "months")) == {
        "tags": (FacetCount("Cafe", 2), FacetCount("dali", 1)),
        "authors": (FacetCount("mo", 3),),
        "languages": (FacetCount("en", 2), FacetCount("zh", 1)),
        "months": (FacetCount("2025-12", 1), FacetCount("2026-01", 1)),
    }
    many = [Post(str(number), "", "x", f"author {number}") for number in range(100)]
    assert len(count_facets(many, ("authors",))["authors"]) == MOST_VALUES


def test_a_passage_is_found_by_each_side_that_brings_it() -> None:
    candidates = [a_candidate("both", 0.9, 3.0), a_candidate("dense", 0.8, 0.0), a_candidate("lexical", 0.1, 2.0)]
    assert finders(candidates, 2) == {("both", 0): "both", ("dense", 0): "dense", ("lexical", 0): "lexical"}


MATCHES = st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), max_size=25)


@given(MATCHES)
def test_only_one_post_moves_to_the_end_of_the_first_page_and_only_where_that_has_one_language(
    drawn: list[tuple[float, bool]],
) -> None:
    order = [a_place(f"p{number:02}", match) for number, (match, _) in enumerate(sorted(drawn, reverse=True))]
    elsewhere = {one.post.post_id for one, (_, other) in zip(order, sorted(drawn, reverse=True), strict=True) if other}
    shown = in_both_languages(order, elsewhere)
    assert sorted(ids(shown)) == sorted(ids(order))
    if ids(shown) != ids(order):
        moved = ids(shown)[PAGE - 1]
        assert moved in elsewhere
        assert not elsewhere & set(ids(order)[:PAGE])
        assert [one for one in ids(shown) if one != moved] == [one for one in ids(order) if one != moved]


def test_an_answer_has_the_nearest_posts_of_another_language_last_among_its_own() -> None:
    here = [a_place(f"en{number}", 0.9 - number / 100) for number in range(10)]
    near, nearer, far = (
        one._replace(candidate=one.candidate._replace(cosine=cosine))
        for one, cosine in ((a_place("zh1", 0.4), 0.3), (a_place("zh2", 0.3), 0.5), (a_place("zh3", 0.2), 0.1))
    )
    shown = for_answers([*here, near, nearer, far], 6, {"zh1", "zh2", "zh3"})
    assert ids(shown) == ["en0", "en1", "en2", "en3", "zh2", "zh1"]
    assert ids(for_answers(here, 6, set())) == ids(here)[:6]
    assert ids(for_answers([nearer, *here], 6, {"zh2"})) == ["zh2", "en0", "en1", "en2", "en3", "en4"]


def test_the_best_post_of_another_language_is_on_the_first_page_unless_it_hardly_matches() -> None:
    here = [a_place(f"en{number}", 0.9 - number / 100) for number in range(PAGE + 5)]
    assert ids(in_both_languages([*here, a_place("zh", 0.5)], {"zh"}))[:PAGE][-1] == "zh"
    assert ids(in_both_languages([*here, a_place("zh", 0.2)], {"zh"}))[-1] == "zh"
