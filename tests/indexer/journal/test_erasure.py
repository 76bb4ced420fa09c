"""Forgotten posts are gone from every file, for good."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from indexer.commands.cli import add_commands
from indexer.journal.erasure import forget
from indexer.journal.journal import Journal
from indexer.progress import QuietProgress
from indexer.readers.sources import find_sources
from indexer.upkeep.old_generations import prune, rollback
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.contract import StoredPost
from retrieval.stores.edge.store import EdgeStore
from retrieval.text.content_hash import content_hash
from retrieval.text.terms import TermWeigher
from retrieval.types import Post
from tests.indexer.commands.test_reindex import reindex

SECRET = "zebra stripes"


class Index:
    """An embedded index of ten posts and two of ann's, one of which also has a rejected line."""

    def __init__(self, folder: Path) -> None:
        self.data, self.posts = folder / "data", folder / "posts.jsonl"
        self.settings, self.store = Settings(data_dir=self.data), EdgeStore(self.data)
        lines: list[dict[str, object]] = [
            {"id": str(number), "text": f"coffee number {number}"} for number in range(10)
        ]
        lines += [
            {"id": f"ann {number}", "text": f"{SECRET} {number}", "author": "Ann", "tags": [SECRET]}
            for number in (1, 2)
        ]
        lines += [{"id": "ann 1", "text": SECRET, "author": "@Ann", "likes": "many"}, {"id": "x", "text": 5}]
        self.posts.write_text("".join(json.dumps(line) + "\n" for line in lines))
        reindex(self.data, self.posts, "--quiet")

    def places(self, words: str) -> set[str]:
        """The files of the data folder that contain the words."""
        return {
            str(path.relative_to(self.data))
            for path in self.data.rglob("*")
            if path.is_file() and words.encode() in path.read_bytes()
        }


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path)


def test_a_forgotten_authors_words_are_gone_at_once_and_no_file_holds_them_after_pruning(index: Index) -> None:
    assert {Path(one).name for one in index.places(SECRET)} >= {"posts.sqlite"}
    outcome = forget(index.store, index.data, [], ["@ANN".lstrip("@")], by="command")
    assert sorted(outcome.posts) == ["ann 1", "ann 2"]
    assert (outcome.found, outcome.lines) == (2, 1)
    assert len(list(index.store.stored_ids())) == 10
    assert {one for one in index.places(SECRET) if "/edge/" not in one} == set()
    reindex(index.data, index.posts, "--quiet")
    assert len(list(index.store.stored_ids())) == 10
    told = prune(index.store, HashEmbedder(), TermWeigher(), index.settings, QuietProgress(io.StringIO()))
    assert (told.posts, len(index.store.generations())) == (10, 1)
    for words in (SECRET, "zebra", "ann 1", "Ann", "ann\x00"):
        assert index.places(words) == set(), words
    assert "deleted 3 generations" in str(told) or "deleted 2 generations" in str(told)


def test_a_rollback_does_not_bring_back_what_was_forgotten(index: Index) -> None:
    index.posts.write_text(json.dumps({"id": "new", "text": "tea"}))
    reindex(index.data, index.posts, "--quiet")
    forget(index.store, index.data, ["ann 1", "3"], by="command")
    rollback(index.store)
    assert not {"ann 1", "3", "new"} & set(index.store.stored_ids())
    assert index.store.stored_hashes(["ann 1", "3"]) == {}


def test_the_audit_says_when_and_by_whom_and_not_what(index: Index) -> None:
    forget(index.store, index.data, ["ann 1", "never stored"], ["bo"], by="key ops")
    with Journal(index.data / "journal.sqlite") as journal:
        audit = journal.audit()
        assert {(one.what, one.by) for one in audit} == {("post", "key ops"), ("author", "key ops")}
        assert len({one.digest for one in audit}) == 3
        again = Post("never stored", "", "hi")
        assert journal.kept_out([again, Post("y", "", "z", author="Bo")]) == {"never stored", "y"}
    said = (index.data / "journal.sqlite").read_bytes()
    assert b"bo" not in said.replace(b"bool", b"")


def test_a_vector_goes_with_the_last_post_that_needs_it(index: Index) -> None:
    before = (index.data / "embeddings.sqlite").stat().st_size
    with Journal(index.data / "journal.sqlite") as journal:
        journal.put([StoredPost(post := Post("late", "", SECRET), content_hash(post))])
    outcome = forget(index.store, index.data, ["late", "0"], by="command")
    assert outcome.found == 2
    assert str(outcome).startswith("forgot 2 posts")
    with Journal(index.data / "journal.sqlite") as journal:
        assert [(one.post_id, one.stored) for one in journal.after(0)] == [("late", None), ("0", None)]
    assert before > 0


def test_the_command_wants_a_name(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    args = parser.parse_args(["forget", "--post", "1", "--post", "2", "--author", "nobody"])
    assert args.run(args, index.settings) == 0
    assert "forgot 2 posts; 1 author blocked" in capsys.readouterr().out
    assert find_sources([str(index.posts)])
