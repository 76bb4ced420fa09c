"""The posts of one run on disk, and errors of the disk."""

import errno
import sqlite3
from pathlib import Path

import pytest

from indexer.pipeline.staged_posts import SourceLine, StagedPosts, naming_disk_trouble, require_room
from retrieval.errors import FixableError
from retrieval.stores.contract import StoredPost
from retrieval.types import Post


def stored(post_id: str) -> StoredPost:
    return StoredPost(Post(id=post_id, title="", text="flat white"), f"hash of {post_id}")


def test_posts_come_back_in_their_order_and_the_first_of_an_id_wins(tmp_path: Path) -> None:
    with StagedPosts(tmp_path / "staging.sqlite") as staged:
        assert staged.add(stored("b"), SourceLine("x\udcff.jsonl", 1)) is None
        assert staged.add(stored("a"), SourceLine("y.jsonl", 1)) is None
        assert staged.add(stored("b"), SourceLine("y.jsonl", 2)) == SourceLine("x\udcff.jsonl", 1)
        assert list(staged.posts()) == [stored("b"), stored("a")]
        assert list(staged.hashes(1)) == [[("b", "hash of b")], [("a", "hash of a")]]


def test_stored_posts_that_are_offered_again_are_left_out(tmp_path: Path) -> None:
    with StagedPosts(tmp_path / "staging.sqlite") as staged:
        staged.add(stored("b"), SourceLine("x.jsonl", 1))
        remaining = staged.without_staged([stored(post_id) for post_id in "abcde"], batch=2)
        assert [one.post.id for one in remaining] == ["a", "c", "d", "e"]


@pytest.mark.parametrize(
    ("number", "problem"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "cannot be written"), (errno.EACCES, "be written")],
)
def test_a_disk_that_refuses_is_named_with_the_fix(number: int, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FixableError, match=problem) as raised, naming_disk_trouble(tmp_path):
        raise OSError(number, "the system's words")
    assert str(tmp_path) in raised.value.problem


def test_a_database_without_room_is_a_full_disk(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "any.sqlite")
    database.execute("PRAGMA max_page_count = 2")
    database.execute("CREATE TABLE a (x)")
    with pytest.raises(FixableError, match="is full"), naming_disk_trouble(tmp_path):
        database.execute("CREATE TABLE b (x)")
    database.close()


def test_a_database_that_cannot_be_opened_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="cannot be written"), naming_disk_trouble(tmp_path):
        sqlite3.connect(tmp_path / "nowhere" / "any.sqlite")


def test_a_run_stops_before_the_disk_is_full(tmp_path: Path) -> None:
    require_room(tmp_path, 1)
    with pytest.raises(FixableError, match="MB free, and 1,000,000,000,000 MB are needed"):
        require_room(tmp_path, 10**18)


def test_a_bug_stays_a_bug(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), naming_disk_trouble(tmp_path):
        sqlite3.connect(":memory:").execute("SELECT nonsense FROM nowhere")
    with pytest.raises(ConnectionResetError), naming_disk_trouble(tmp_path):
        raise ConnectionResetError(errno.ECONNRESET, "gone")
