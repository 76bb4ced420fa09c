"""Runs together with what the journal accepted or forgot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from indexer.journal.journal import Journal
from indexer.readers.formats.jsonl import offered as offered_line
from indexer.readers.records import Record
from indexer.rejects import Rejected
from indexer.run.reindex import RunOptions
from retrieval.types import Vectors
from tests.indexer.runs import CountingEmbedder, Run, a_post, many, stored


def test_what_the_journal_accepts_during_a_run_is_in_the_new_generation(run: Run) -> None:
    run(*many(10))

    class Accepting(CountingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            with Journal(run.folder / "journal.sqlite") as journal:
                if "late" in texts or journal.last():
                    return super().embed_passages(texts)
                journal.put([stored(a_post("late")), stored(a_post("0", "accepted last"))])
                journal.forget(["3", "1"], "command")
                journal.put([stored(a_post("3", "back again"))])
            return super().embed_passages(texts)

    run(*many(10), a_post("0", "offered"), a_post("x", "y"), embedder=Accepting())
    held = {key: one.stored.post.text for key, one in run.store.indexed().items()}
    assert (held["late"], held["0"], held["3"]) == ("coffee number late", "accepted last", "back again")
    assert "1" not in held
    with Journal(run.folder / "journal.sqlite") as journal:
        assert run.store.reached() == {journal.id: journal.last()}


@pytest.mark.parametrize("anew", [False, True])
def test_what_the_journal_accepted_before_a_run_gives_way_to_what_is_offered(anew: bool, run: Run) -> None:
    run(*many(20))
    with Journal(run.folder / "journal.sqlite") as journal:
        journal.put([stored(a_post("0", "accepted")), stored(a_post("1", "accepted")), stored(a_post("new"))])
        journal.forget(["4"], "command")
    summary = run(a_post("0", "offered"), a_post("4"), options=RunOptions(anew=anew))
    held = {key: one.stored.post.text for key, one in run.store.indexed().items()}
    assert (held["0"], held["1"], held["new"]) == ("offered", "accepted", "coffee number new")
    assert "4" not in held
    assert (summary.forgotten, summary.posts) == (1, 20)


def test_a_forgotten_post_stays_out_until_it_is_allowed_again(run: Run) -> None:
    run(*many(5), replace(a_post("by ann"), author="Ann"))
    with Journal(run.folder / "journal.sqlite") as journal:
        journal.forget(["2", "by ann"], "command", authors=["ann"])
    ann = [replace(a_post(post_id), author="ANN") for post_id in ("by ann", "never seen")]
    summary = run(*many(5), *ann)
    assert (summary.forgotten, summary.posts) == (3, 4)
    assert "3 forgotten before and blocked" in str(summary)
    summary = run(*many(5), *ann, options=RunOptions(allow_forgotten=True))
    assert (summary.forgotten, summary.posts) == (0, 7)
    assert run(*many(5), *ann).forgotten == 0


def opted_out(post_id: str) -> Rejected:
    found = offered_line(Record(1, {"id": post_id, "opt_out": True}, b'{"id": 1}'), "posts.jsonl")
    assert isinstance(found, Rejected)
    return found


def test_a_post_whose_author_opts_out_is_forgotten_and_no_words_of_the_line_are_kept(run: Run) -> None:
    run(*many(5))
    assert opted_out("3").raw == b""
    summary = run(a_post("3", "changed"), opted_out("3"), opted_out("never there"), options=RunOptions(dry_run=True))
    assert len(run.store.indexed()) == 5
    summary = run(a_post("3", "changed"), opted_out("3"), opted_out("never there"))
    assert (summary.forgotten, summary.rejected, summary.posts) == (2, 0, 4)
    assert run(opted_out("3"), *many(5)).forgotten == 2  # the flag, and the post
    assert sorted(run.store.indexed()) == ["0", "1", "2", "4"]
    assert not run(opted_out("3")).written
