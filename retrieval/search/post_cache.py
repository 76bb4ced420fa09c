"""The posts of one search, each read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from retrieval.types import Post


class Reading:
    """Posts by id: as they were when they were first asked for, without those that were gone. For one thread."""

    def __init__(self, read: Callable[[Sequence[str]], Mapping[str, Post]]) -> None:
        self._read = read
        self._posts: dict[str, Post | None] = {}

    def __call__(self, ids: Sequence[str]) -> dict[str, Post]:
        missing = [post_id for post_id in ids if post_id not in self._posts]
        if missing:
            found = self._read(missing)
            self._posts |= {post_id: found.get(post_id) for post_id in missing}
        there = ((post_id, self._posts[post_id]) for post_id in ids)
        return {post_id: post for post_id, post in there if post is not None}
