"""What a large run says beforehand about its time."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pipeline.embedding_cache import EmbeddingCache
from indexer.pipeline.post_encoder import PostEncoder, Trial
from indexer.progress import QuietProgress
from indexer.run.reindex import RunOptions
from indexer.run.time_estimate import FEWEST_POSTS, extended
from retrieval.stores.contract import StoredPost
from tests.indexer.runs import CountingEmbedder, LengthWeigher, Run, a_post, many

TO_EMBED = re.compile(r"about ([\d,]+) passages are to be embedded(?: of about ([\d,]+);)?")


def foreseen(run: Run) -> tuple[int, int]:
    """How many passages the run said it would embed, and how many it would write in all."""
    said = TO_EMBED.findall(run.shown.getvalue())
    assert len(said) == 1, run.shown.getvalue()
    to_embed, passages = said[0]
    return int(to_embed.replace(",", "")), int((passages or to_embed).replace(",", ""))


def test_a_large_run_says_how_much_is_to_be_embedded_and_its_summary_compares_the_time(run: Run) -> None:
    embedder = CountingEmbedder()
    summary = run(*many(FEWEST_POSTS), embedder=embedder)
    assert foreseen(run) == (FEWEST_POSTS, FEWEST_POSTS)
    assert len(embedder.read) == summary.embedded == FEWEST_POSTS, "the sample is embedded once, like all others"
    assert summary.foreseen_s is not None
    assert "were foreseen" in str(summary)


def test_what_was_embedded_before_is_not_in_it(run: Run) -> None:
    run(*many(FEWEST_POSTS // 2))
    run.shown = io.StringIO()
    run(*many(FEWEST_POSTS), options=RunOptions(anew=True))
    to_embed, passages = foreseen(run)
    assert passages == FEWEST_POSTS
    assert to_embed == pytest.approx(FEWEST_POSTS / 2, rel=0.02)


def test_another_model_embeds_the_stored_posts_that_were_not_offered_too(run: Run) -> None:
    run(*many(FEWEST_POSTS))
    run.shown = io.StringIO()
    run(a_post("new"), embedder=CountingEmbedder(name="other"))
    assert foreseen(run) == (FEWEST_POSTS + 1, FEWEST_POSTS + 1)


def test_a_small_run_says_nothing(run: Run) -> None:
    summary = run(*many(20))
    assert summary.foreseen_s is None
    assert "foreseen" not in run.shown.getvalue() + str(summary)


def test_a_sample_is_embedded_once_and_what_needs_its_vectors_is_recorded(tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    posts = [StoredPost(post, post.id) for post in many(40)]
    with EmbeddingCache(tmp_path / "embeddings.sqlite", embedder.identity) as cache:
        encoder = PostEncoder(embedder, LengthWeigher(), cache, QuietProgress(io.StringIO()), 40)
        trial = encoder.tried(posts, most=10)
        assert (trial.passages, trial.missing) == (40, 40)
        assert len(embedder.read) == encoder.embedded == 10
        encoder.fill(posts, lambda _: None)
        assert sorted(embedder.read) == sorted(set(embedder.read))
        assert encoder.tried(posts, most=10).missing == 0
        cache.forget([post.post.id for post in posts])
        assert encoder.tried(posts, most=10).missing == 40


@given(st.integers(1, 500), st.integers(0, 500), st.floats(0, 1), st.floats(0, 10), st.floats(1, 1e4))
def test_twice_as_many_posts_take_twice_as_long(
    passages: int, missing: int, prepared_s: float, embedded_s: float, times: float
) -> None:
    trial = Trial(passages, min(missing, passages), prepared_s, embedded_s)
    once, twice = extended(trial, times), extended(trial, 2 * times)
    assert twice.seconds == pytest.approx(2 * once.seconds)
    assert twice.to_embed <= twice.passages
