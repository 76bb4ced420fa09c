"""Options of a run: pruning, a dry run, a generation from scratch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.run.reindex import RunOptions
from retrieval.errors import FixableError
from tests.indexer.runs import BAD, CountingEmbedder, Run, a_post, many


def test_pruning_deletes_what_is_not_offered(run: Run) -> None:
    run(*many(10))
    summary = run(*many(8), options=RunOptions(prune=True))
    assert (summary.deleted, summary.carried, summary.posts) == (2, 0, 8)
    assert "2 not in the input and deleted" in str(summary)
    assert sorted(run.store.indexed()) == sorted(str(number) for number in range(8))


def test_pruning_more_than_a_fifth_has_to_be_confirmed_by_the_number(run: Run) -> None:
    run(*many(10))
    with pytest.raises(FixableError, match="would delete 3 of 10 posts, but may delete only 2") as raised:
        run(*many(7), options=RunOptions(prune=True))
    assert "--prune-up-to 3" in raised.value.fix
    assert len(run.store.indexed()) == 10
    assert run(*many(7), options=RunOptions(prune=True, most_pruned=3)).posts == 7


def test_nothing_is_pruned_where_lines_were_rejected(run: Run) -> None:
    run(*many(10))
    with pytest.raises(FixableError, match="1 lines were rejected"):
        run(*many(9), BAD, options=RunOptions(prune=True))
    assert len(run.store.indexed()) == 10


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Run) -> None:
    first = run(*many(10))
    run.store.events.clear()
    embedder = CountingEmbedder()
    options = RunOptions(dry_run=True, prune=True)
    summary = run(a_post("0", "tea"), replace(a_post("1"), likes=1), a_post("new"), embedder=embedder, options=options)
    assert (summary.added, summary.changed, summary.recounted, summary.deleted) == (1, 1, 1, 8)
    assert (summary.written, summary.generation, summary.posts) == (True, first.generation, 10)
    assert str(summary).startswith("nothing was changed")
    assert embedder.read == []
    assert run.store.events == ["lock", "unlock"]


def test_a_new_generation_is_written_when_asked_though_nothing_changed(run: Run) -> None:
    run(*many(5))
    summary = run(*many(2), embedder=CountingEmbedder(dies_after=0), options=RunOptions(anew=True))
    assert (summary.posts, summary.written, summary.generation, summary.embedded) == (5, True, "0002", 0)
