"""Columns return the latest state of each post and passage, and nothing of deleted posts."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.stores.edge.columns import Columns, Slice
from retrieval.stores.post_summary import PostSummary, author_number
from retrieval.text.near_copies import sketches
from retrieval.types import Candidate, Part, Post

SKETCH = sketches([Post("", "", "any words")])[0].tobytes()
IDS = st.sampled_from(["a", "b", "咖啡 3", "d", "a#0"])
SUMMARIES = st.builds(
    PostSummary,
    IDS,
    st.sampled_from([0, author_number("Mo")]),
    st.integers(0, 2**53),
    st.none() | st.floats(-1e9, 1e10),
    st.sampled_from(["en", "zh", "und"]),
)
PUTS = st.tuples(st.just("put"), SUMMARIES, st.integers(1, 3))
STEPS = st.lists(
    PUTS | st.tuples(st.just("drop"), SUMMARIES, st.just(0)) | st.tuples(st.just("recount"), SUMMARIES, st.just(0))
)


def a_candidate(place: Slice) -> Candidate:
    part: Part = "text" if place.comment is None else "comment"
    return Candidate(place.post_id, place.ordinal, part, place.comment, place.start, place.end, 0.5, 2.0)


def slices(post_id: str, passages: int) -> dict[int, Slice]:
    """Numbered and cut as a store does."""
    return {
        hash((post_id, ordinal)) % (1 << 64): Slice(post_id, ordinal, ordinal or None, 0, 9)
        for ordinal in range(passages)
    }


@given(st.lists(st.tuples(SUMMARIES, st.integers(1, 3)), unique_by=lambda one: one[0].post_id), STEPS)
def test_columns_hold_what_was_said_last(
    begun: list[tuple[PostSummary, int]], steps: list[tuple[str, PostSummary, int]]
) -> None:
    known = {summary.post_id: (summary, slices(summary.post_id, passages)) for summary, passages in begun}
    shells = slices("wiped", 2)  # a passage whose post is not in the catalog
    columns = Columns(
        ((summary, SKETCH) for summary, _ in begun),
        [one for _, own in known.values() for one in own.items()] + list(shells.items()),
    )
    asked = ["a", "b", "咖啡 3", "d", "a#0", "wiped", "never there"]
    every = {number: one for post_id in asked for number, one in slices(post_id, 3).items()}

    def candidates() -> list[Candidate]:
        return columns.candidates(list(every), [0.5] * len(every), [2.0] * len(every))

    candidates()  # what was found once may be gone
    for step, summary, passages in steps:
        post_id = summary.post_id
        if step == "put":
            own = slices(post_id, passages)
            columns.put(summary, own, SKETCH)
            known[post_id] = (summary, own)
        elif step == "drop":
            columns.drop([post_id, "never there"])
            known.pop(post_id, None)
        elif post_id in known:
            before, own = known[post_id]
            after = before._replace(likes=summary.likes)
            columns.recount(after)
            known[post_id] = (after, own)
        else:
            columns.recount(summary)
    summaries = {post_id: summary for post_id, (summary, _) in known.items()}
    assert columns.summaries(asked) == summaries
    expected = {number: one for _, own in known.values() for number, one in own.items()}
    assert candidates() == [a_candidate(expected[number]) for number in every if number in expected]
    assert columns.summaries(asked) == summaries  # as before, of posts that were found


@given(st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 99)), st.lists(st.integers(0, 2**64 - 1)))
@example(set(range(40)), [40, 2**63])
def test_each_point_is_found_whatever_numbers_there_are(points: set[int], others: list[int]) -> None:
    places = {number: Slice("a", nth, None, 0, 9) for nth, number in enumerate(points)}
    columns = Columns([(PostSummary("a"), SKETCH)], places.items())
    asked = [*points, *others]
    found = columns.candidates(asked, [0.5] * len(asked), [2.0] * len(asked))
    assert found == [a_candidate(places[number]) for number in asked if number in places]


def test_the_id_of_a_post_that_is_gone_is_overwritten() -> None:
    places = {1: Slice("gone-for-good", 0, None, 0, 9), 2: Slice("kept", 0, None, 0, 9)}
    columns = Columns([(PostSummary("gone-for-good"), SKETCH), (PostSummary("kept"), SKETCH)], places.items())
    columns.candidates([1, 2], [0.5, 0.5], [2.0, 2.0])
    columns.drop(["gone-for-good"])
    assert list(columns._lately) == ["kept"]
    assert b"gone" not in columns._names
    assert b"kept" in columns._names


def test_only_posts_whose_sketches_meet_may_be_copies() -> None:
    said = "the tea house by the old bridge is open until five on all days but the first of the month"
    same, other = sketches([Post("same", "", said), Post("other", "", said[::-1])])
    columns = Columns(
        [(PostSummary("a"), same.tobytes()), (PostSummary("b"), other.tobytes()), (PostSummary("c"), same.tobytes())],
        [],
    )
    asked = ["b", "c", "never there", "a", "d"]
    assert columns.may_be_copies(asked) == ["c", "a"]
    columns.put(PostSummary("d"), {}, other.tobytes())
    assert columns.may_be_copies(asked) == ["b", "c", "a", "d"]
    columns.drop(["c"])
    assert columns.may_be_copies(asked) == ["b", "d"]
    columns.drop(["d"])
    assert columns.may_be_copies(asked) == []


def test_an_author_has_one_number_however_written_and_nobody_has_none() -> None:
    assert author_number("Mo") == author_number("ｍｏ") != author_number("ann")
    assert author_number("") == author_number(" ") == 0
