"""The posts of one run on disk, and the room they need."""

from pathlib import Path

import pytest

from indexer.pipeline.staged_posts import SourceLine, StagedPosts, require_room
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


def test_a_run_stops_before_the_disk_is_full(tmp_path: Path) -> None:
    require_room(tmp_path, 1)
    with pytest.raises(FixableError, match="MB free, and 1,000,000,000,000 MB are needed"):
        require_room(tmp_path, 10**18)
