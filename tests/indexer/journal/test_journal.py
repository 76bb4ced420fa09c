"""The journal: accepted changes are durable, the last change of a post counts, and forgotten posts leave no words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from indexer.journal.journal import Journal
from retrieval.stores.contract import StoredPost
from retrieval.types import Post

REPOSITORY = Path(__file__).parents[3]


def stored(post_id: str, text: str = "flat white", author: str = "") -> StoredPost:
    return StoredPost(Post(id=post_id, title="", text=text, author=author), f"hash of {text}.0")


def elsewhere(script: str, path: Path) -> str:
    """What a script prints in another process with the journal open."""
    prelude = """
import sys
from pathlib import Path
from indexer.journal.journal import Journal
from tests.indexer.journal.test_journal import stored
journal = Journal(Path(sys.argv[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", prelude + script, path], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_of_a_post_the_last_change_counts_in_the_order_of_the_changes(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert (journal.last(), journal.after(0)) == (0, [])
        assert journal.put([stored("a"), stored("b")]) == 2
        assert journal.put([stored("a", "tea")]) == 3
        assert journal.forget(["b"], "command") == 4
        assert [(one.number, one.post_id, one.stored) for one in journal.after(0)] == [
            (3, "a", stored("a", "tea")), (4, "b", None),
        ]  # fmt: skip
        assert journal.pending(["a", "b", "c"], 0) == {"a": "hash of tea.0", "b": None}
        assert journal.pending(["a"], 3) == {}
        assert journal.forgotten_after(0) == (["b"], 4)
        journal.trim(3)
        assert [one.number for batch in journal.batches(0) for one in batch] == [4]
        assert journal.last() == 4


def test_numbers_go_on_after_the_changes_were_trimmed_and_the_journal_is_opened_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([stored("a")])
        journal.trim(1)
        name = journal.id
    with Journal(tmp_path / "journal.sqlite") as again:
        assert (again.id, again.last(), again.put([stored("b")])) == (name, 1, 2)


def test_what_this_process_writes_is_seen_by_others_though_it_opened_the_journal_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.put([stored("a")])
        Journal(path).close()
        assert elsewhere("print(journal.put([stored('b')])); journal.close()", path) == "2"
        assert journal.put([stored("c")]) == 3
        assert elsewhere("print([one.post_id for one in journal.after(0)])", path) == "['a', 'b', 'c']"


def test_forgotten_words_are_in_no_file_of_the_journal_while_it_is_open(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([stored("a", "zebra stripes " * 500, "ann"), stored("b")])
        journal.forget(["a"], "command", ["ann"])
        journal.put([stored("c")])
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"zebra" not in held
    assert b"ann" not in held
    assert b"flat white" in held


def test_each_erasure_target_is_told_on_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert (journal.told("suggestions"), journal.least_told()) == (0, None)
        journal.forget(["a", "b"], "command")
        journal.tell("suggestions", 2)
        journal.tell("conversations", 1)
        assert (journal.told("suggestions"), journal.least_told()) == (2, 1)
