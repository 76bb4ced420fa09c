"""The convex combination of cosine and BM25."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.search.fusion import Scale, fuse
from retrieval.types import Candidate


def a_candidate(post_id: str, cosine: float, lexical: float, ordinal: int = 0) -> Candidate:
    return Candidate(post_id, ordinal, "text", None, 0, 1, cosine, lexical)


def fused_by(weight: float, *candidates: Candidate) -> list[tuple[float, Candidate]]:
    return fuse(candidates, Scale.of(candidates, weight))


_CANDIDATES = st.lists(
    st.builds(
        a_candidate,
        st.sampled_from("abcdef"),
        st.floats(-1, 1, width=32),
        st.floats(0, 50, width=32),
        st.integers(0, 3),
    ),
    max_size=20,
)


@given(_CANDIDATES, st.floats(0, 1))
def test_every_post_comes_once_best_first_with_a_score_from_0_to_1(candidates: list[Candidate], weight: float) -> None:
    fused = fused_by(weight, *candidates)
    assert {candidate.post_id for _, candidate in fused} == {candidate.post_id for candidate in candidates}
    assert len({candidate.post_id for _, candidate in fused}) == len(fused)
    scores = [score for score, _ in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


@given(_CANDIDATES, st.floats(0, 1), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(
    candidates: list[Candidate], weight: float, random: Random
) -> None:
    shuffled = sorted(candidates, key=lambda _: random.random())
    in_order, mixed_up = fused_by(weight, *candidates), fused_by(weight, *shuffled)
    assert [(score, one.post_id) for score, one in in_order] == [(score, one.post_id) for score, one in mixed_up]


def test_the_weight_moves_the_order_from_lexical_to_dense() -> None:
    candidates = [a_candidate("meaning", 0.9, 0.0), a_candidate("words", 0.1, 9.0)]
    assert fused_by(0.9, *candidates)[0][1].post_id == "meaning"
    assert fused_by(0.1, *candidates)[0][1].post_id == "words"


def test_where_no_word_is_shared_the_cosine_decides_with_full_weight() -> None:
    assert fused_by(0.3, a_candidate("a", 0.5, 0.0))[0][0] == pytest.approx(1.0)


def test_the_best_passage_of_a_post_stands_for_it() -> None:
    fused = fused_by(0.5, a_candidate("a", 0.2, 1.0, 0), a_candidate("a", 0.9, 1.0, 3))
    assert [candidate.ordinal for _, candidate in fused] == [3]


@given(_CANDIDATES, st.floats(0, 1), st.frozensets(st.sampled_from("abcdef")))
def test_a_post_in_another_language_never_loses_by_it_and_no_other_post_changes(
    candidates: list[Candidate], weight: float, elsewhere: frozenset[str]
) -> None:
    here, across = Scale.of(candidates, weight), Scale.of(candidates, weight, elsewhere)
    for before, after, one in zip(here.scores(candidates), across.scores(candidates), candidates, strict=True):
        assert before - 1e-9 <= after <= 1 + 1e-9
        assert one.post_id in elsewhere or after == before
        assert across.dense(one) + across.lexical(one) == pytest.approx(after)


def test_a_post_in_another_language_is_not_measured_by_words_that_it_cannot_have() -> None:
    words, meaning = a_candidate("en", 0.6, 9.0), a_candidate("zh", 0.6, 0.0)
    both = Scale.of([words, meaning], 0.8).scores([words, meaning])
    across = Scale.of([words, meaning], 0.8, frozenset({"zh"})).scores([words, meaning])
    assert both == pytest.approx([1.0, 0.8])
    assert across == pytest.approx([1.0, 0.84])


def test_words_that_a_post_in_another_language_does_have_still_count() -> None:
    named, meaning = a_candidate("named", 0.3, 9.0), a_candidate("meaning", 0.6, 0.0)
    scale = Scale.of([named, meaning], 0.5, frozenset({"named", "meaning"}))
    assert scale.scores([named]) == pytest.approx([0.75])


def test_a_weight_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Scale.of([], 1.5)
