"""What a glance at a post tells. Pure."""

from __future__ import annotations

from functools import lru_cache

from retrieval.text.folding import fold
from retrieval.types import Glance, Post


def glance_of(post: Post) -> Glance:
    created_s = None if post.created_at is None else post.created_at.timestamp()
    return Glance(post.id, author_number(post.author), post.likes, created_s)


@lru_cache(maxsize=16_384)
def author_number(author: str) -> int:
    """One number for all spellings of an author, 0 for nobody. It fits into 64 bits, and means nothing elsewhere."""
    name = fold(author).casefold().strip()
    return (hash(name) or 1) if name else 0
