"""Recognise an unchanged post. Pure."""

from __future__ import annotations

import hashlib

import orjson

from retrieval.types import Post


def content_hash(post: Post) -> str:
    """Changes whenever anything in the post does: 32 hexadecimal digits of its words, a full stop, and 8 of its
    counters (likes, collects, comment_count), so that one more like differs from an edit.
    """
    said = [
        post.id, post.title, post.text, post.author, post.tags, post.language, post.created_at, post.url, post.images,
        post.place, post.comments,
    ]  # fmt: skip
    counters = f"{post.likes},{post.collects},{post.comment_count}"
    content = hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()
    return f"{content}.{hashlib.blake2b(counters.encode(), digest_size=4).hexdigest()}"


def same_content(one: str, other: str) -> bool:
    """Whether two content hashes are equal, or differ only in the counters."""
    return one.partition(".")[0] == other.partition(".")[0]
