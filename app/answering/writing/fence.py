"""The code between whose two lines a prompt shows posts, so that no post can imitate the end of its block."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from retrieval.types import Hit


class Fence:
    """Makes the code of these posts.

    It depends on a secret of this process and on every word of the posts: a post cannot hold it, not even one whose
    author has seen the code of an answer before, since writing it into a post makes it another code. For the same posts
    it is the same, so that a model need not read them again.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def __call__(self, hits: Sequence[Hit]) -> str:
        """Eight hexadecimal digits."""
        code = hashlib.blake2b(key=self._secret, digest_size=4)
        for post in sorted((hit.post for hit in hits), key=lambda post: post.id):
            for text in (post.id, post.title, post.text, *(comment.text for comment in post.comments), ""):
                said = text.encode("utf-8", "replace")
                code.update(len(said).to_bytes(8, "little") + said)
        return code.hexdigest()
