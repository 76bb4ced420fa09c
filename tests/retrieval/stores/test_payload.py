"""How posts and filters are written for a store: posts come back unchanged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from retrieval.stores.payload import (
    AnyOf,
    Between,
    Condition,
    conditions,
    passage_payload,
    point_id,
    point_number,
    post_from_json,
    post_to_json,
)
from retrieval.types import Comment, Filters, Image, Passage, Place, Post
from tests.retrieval.stores.offered import lets_through

# UTF-8 cannot encode lone surrogates; posts with them are rejected earlier.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001  # zones are drawn
SECONDS = MOMENTS.map(lambda moment: moment.replace(microsecond=0))
COUNTS = st.integers(0, 2**40)
COMMENTS = st.builds(Comment, WORDS, WORDS, COUNTS, st.none() | MOMENTS)
PLACES = st.builds(Place, WORDS, st.none() | st.floats(-90, 90), st.none() | st.floats(-180, 180))
POSTS = st.builds(
    Post,
    id=WORDS, title=WORDS, text=WORDS, author=WORDS, tags=st.lists(WORDS, max_size=3).map(tuple),
    language=st.sampled_from(["en", "zh", "und"]), created_at=st.none() | MOMENTS, likes=COUNTS, collects=COUNTS,
    comment_count=COUNTS, url=WORDS, images=st.lists(st.builds(Image, WORDS, WORDS), max_size=2).map(tuple),
    place=st.none() | PLACES, comments=st.lists(COMMENTS, max_size=2).map(tuple),
)  # fmt: skip
SOME = st.lists(st.sampled_from(["a", "A", "ß", "SS", "é", ""]), max_size=2).map(tuple)
FILTERS = st.builds(
    Filters,
    authors=SOME, tags=SOME, languages=st.lists(st.sampled_from(["en", "zh"]), max_size=2).map(tuple),
    since=st.none() | SECONDS, until=st.none() | SECONDS, min_likes=st.none() | st.integers(0, 20),
)  # fmt: skip


@given(POSTS)
def test_every_post_comes_back_from_json_as_it_was(post: Post) -> None:
    assert post_from_json(post_to_json(post)) == post
    assert post_from_json(post_to_json(post).decode()) == post


@given(POSTS, SOME, SOME, st.integers(0, 30), FILTERS)
def test_the_conditions_of_a_filter_hold_of_the_payload_where_the_filter_lets_the_post_through(
    post: Post, authors: tuple[str, ...], tags: tuple[str, ...], likes: int, filters: Filters
) -> None:
    post = Post(
        post.id, post.title, post.text, author="".join(authors), tags=tags, language=post.language,
        created_at=post.created_at, likes=likes,
    )  # fmt: skip
    payload = passage_payload(post, Passage(post.id, 0, "text", None, 0, 0, ""))

    def holds(one: Condition) -> bool:
        if isinstance(one, AnyOf):
            held = payload[one.field]
            return not {*one.values}.isdisjoint(held if isinstance(held, list) else [held])
        assert isinstance(one, Between)
        value, at_least, below = payload.get(one.field), one.at_least, one.below
        return value is not None and (at_least is None or value >= at_least) and (below is None or value < below)

    assert all(map(holds, conditions(filters))) == lets_through(filters, post)


def test_a_filter_between_two_seconds_never_loses_a_post_of_that_second() -> None:
    second = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
    [between] = conditions(
        Filters(since=second.replace(microsecond=900_000), until=second.replace(microsecond=950_000))
    )
    at = second.timestamp()
    assert isinstance(between, Between)
    assert (between.at_least, between.below) == (at, at + 1)


def test_ids_that_look_alike_have_points_of_their_own() -> None:
    ids = [("a", 0), ("a", 10), ("a#1", 0), ("a#", 10), ("", 0), ("A", 0)]
    assert len({point_id(*one) for one in ids}) == len(ids)
    assert point_id("a", 0) == point_id("a", 0)


@given(st.lists(st.tuples(st.text(max_size=9), st.integers(0, 99)), unique=True))
def test_the_numbers_of_points_are_in_the_order_of_their_ids(passages: list[tuple[str, int]]) -> None:
    by_number = sorted(passages, key=lambda one: point_number(*one))
    assert by_number == sorted(passages, key=lambda one: point_id(*one))
    assert all(0 <= point_number(*one) < 2**64 for one in passages)


def test_a_place_is_kept_for_the_map_only_with_both_coordinates() -> None:
    passage = Passage("p", 0, "text", None, 0, 0, "")
    for place, kept in [
        (None, None),
        (Place("x"), None),
        (Place("x", 1.0), None),
        (Place("x", 0.0, -0.5), {"lat": 0.0, "lon": -0.5}),
    ]:
        assert passage_payload(Post("p", "", "", place=place), passage).get("place") == kept
