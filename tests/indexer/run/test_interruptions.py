"""What an interrupted run leaves, and how the next one continues."""

from __future__ import annotations

import threading

import pytest

from indexer.pipeline.post_encoder import EMBEDDED_AT_ONCE
from retrieval.errors import FixableError
from tests.indexer.run.ahead_engine import AheadEngine
from tests.indexer.runs import CountingEmbedder, Run, a_post


def test_an_interrupted_run_leaves_the_old_generation_and_is_resumed_without_embedding_twice(run: Run) -> None:
    run(a_post("old"))
    posts = [a_post(str(number)) for number in range(3 * EMBEDDED_AT_ONCE)]
    interrupted = CountingEmbedder(dies_after=2 * EMBEDDED_AT_ONCE)
    with pytest.raises(KeyboardInterrupt):
        run(*posts, embedder=interrupted)
    assert run.store.events[-2:] == ["discard 0002", "unlock"]
    assert list(run.store.indexed()) == ["old"]
    resumed = CountingEmbedder()
    summary = run(*posts, embedder=resumed)
    assert summary.added == len(posts)
    assert sorted(interrupted.read + resumed.read) == sorted(post.text for post in posts)


def test_nothing_staged_is_left_behind(run: Run) -> None:
    run(a_post("1"))
    with pytest.raises(KeyboardInterrupt):
        run(a_post("2"), embedder=CountingEmbedder(dies_after=0))
    assert sorted(path.name for path in run.folder.iterdir()) == ["embeddings.sqlite", "journal.sqlite"]


def test_what_a_killed_run_staged_is_not_indexed(run: Run) -> None:
    (run.folder / "staging.sqlite").write_bytes(b"half a database")
    assert run(a_post("1")).posts == 1


def test_an_engine_that_goes_away_ends_the_run_and_what_it_embedded_is_kept(run: Run) -> None:
    posts = [a_post(str(number)) for number in range(3 * EMBEDDED_AT_ONCE)]
    with pytest.raises(FixableError, match="the workers are gone"):
        run(*posts, engine=AheadEngine(dies_at=2))
    assert run.store.current() is None
    assert run(*posts).embedded == EMBEDDED_AT_ONCE
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reindex")]
