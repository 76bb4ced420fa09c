"""What decides a post's place among others, known without reading the post. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from retrieval.text.folding import fold
from retrieval.text.language import UNKNOWN
from retrieval.types import Post


class PostSummary(NamedTuple):
    """What decides a post's place among others.

    Attributes:
        author: A number that all spellings of its author share, while the process lasts; 0 where nobody is named.
        created_s: POSIX time of `created_at`; None where that is unknown.
        language: As of the post.
    """

    post_id: str
    author: int = 0
    likes: int = 0
    created_s: float | None = None
    language: str = UNKNOWN


def summary_of(post: Post) -> PostSummary:
    created_s = None if post.created_at is None else post.created_at.timestamp()
    return PostSummary(post.id, author_number(post.author), post.likes, created_s, post.language)


@lru_cache(maxsize=16_384)
def author_number(author: str) -> int:
    """One number for all spellings of an author, 0 for nobody. Fits into 64 bits; differs between processes."""
    return number_of_key(fold(author).casefold().strip())


def number_of_key(name: str) -> int:
    """As `author_number`, for a name in the one form that its spellings share."""
    return (hash(name) or 1) if name else 0
