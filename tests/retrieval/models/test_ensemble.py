"""Several embedders as one: the inner product weighs their cosines, and a specialist reads only what it knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.models.embedding import HashEmbedder
from retrieval.models.ensemble import EnsembleEmbedder

EVERY = HashEmbedder(32, "every", None)
ENGLISH = HashEmbedder(48, "english", frozenset({"en"}))
TEXTS = st.text(st.sampled_from("abc xyz 大理咖啡 12🍜"), max_size=20)


@pytest.fixture(scope="module")
def both() -> EnsembleEmbedder:
    return EnsembleEmbedder([EVERY, ENGLISH])


@given(st.lists(TEXTS, max_size=5))
def test_every_vector_has_unit_length_and_the_sum_of_the_members_dimensions(texts: list[str]) -> None:
    vectors = EnsembleEmbedder([EVERY, ENGLISH]).embed_passages(texts)
    assert vectors.shape == (len(texts), 81)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_english_passages_rank_by_both_cosines_the_specialist_s_counting_more(
    both: EnsembleEmbedder,
) -> None:
    query, passages = "quiet cafe", ["a quiet cafe with a cat", "noisy bar", "cafe"]
    scores = both.embed_passages(passages) @ both.embed_query(query)
    every, english = (one.embed_passages(passages) @ one.embed_query(query) for one in (EVERY, ENGLISH))
    alone = every + 1.2 * english
    assert np.allclose(scores / scores[0], alone / alone[0], atol=1e-5)


def test_a_query_that_only_the_generalist_reads_ranks_passages_of_every_language_by_it_alone(
    both: EnsembleEmbedder,
) -> None:
    query, passages = "大理 cafe 咖啡", ["大理的咖啡馆", "a cafe in dali", "🍜"]
    scores = both.embed_passages(passages) @ both.embed_query(query)
    assert np.allclose(scores * np.sqrt(2), EVERY.embed_passages(passages) @ EVERY.embed_query(query), atol=1e-6)


def test_a_query_in_one_language_is_compared_with_passages_in_the_other(both: EnsembleEmbedder) -> None:
    assert both.embed_query("dali coffee") @ both.embed_passages(["大理 dali 咖啡"])[0] > 0
    assert both.embed_query("大理 dali 咖啡") @ both.embed_passages(["dali coffee"])[0] > 0


def test_queries_together_get_the_vectors_they_get_alone(both: EnsembleEmbedder) -> None:
    queries = ["quiet cafe", "noisy cafe"]
    alone = np.stack([both.embed_query(query) for query in queries])
    assert np.array_equal(both.embed_queries(queries), alone)


def test_its_identity_names_every_member_and_their_dimensions_add_up(both: EnsembleEmbedder) -> None:
    assert both.identity.model == "every-32+english-48"
    assert both.identity.dimension == 81


def test_it_knows_all_languages_when_one_member_does(both: EnsembleEmbedder) -> None:
    assert both.languages is None
    two = EnsembleEmbedder([HashEmbedder(8, "zh", frozenset({"zh"})), ENGLISH])
    assert two.languages == frozenset({"zh", "en"})


def test_tokens_of_english_texts_come_from_the_specialist_and_of_mixed_ones_from_the_generalist(
    both: EnsembleEmbedder,
) -> None:
    assert both.embed_tokens(["quiet cafe", "a cat"])[0].tokens.shape[1] == 48
    assert both.embed_tokens(["quiet cafe", "大理咖啡"])[0].tokens.shape[1] == 32
