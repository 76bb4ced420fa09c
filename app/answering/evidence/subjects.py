"""Which of the posts found are about one subject: the same shop, rule or product."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.models.embedding import Embedder
from retrieval.types import Hit

Subjects = frozenset[tuple[int, int]]
"""Pairs of marks of posts about one subject, in both orders."""

NONE: Subjects = frozenset()
# Beginnings of two posts as like as this are about one subject. On the sample posts' questions about what has changed,
# posts of one subject have cosines of .62 to .75, .45 to .56 where each says much else; others reach .58, few .5.
_ONE_SUBJECT = 0.6
_BEGINNING = 200  # characters of the text: what follows tells of other things


def subjects(hits: Sequence[Hit], embedder: Embedder) -> Subjects:
    """Which posts are about one subject; mark 1 is hits[0]. Takes as long as embedding their first sentences."""
    if len(hits) < 2:
        return NONE
    heads = embedder.embed_passages([f"{hit.post.title}\n{hit.post.text[:_BEGINNING]}" for hit in hits])
    likeness = heads @ heads.T
    return frozenset(
        (one + 1, other + 1)
        for one in range(len(hits))
        for other in range(len(hits))
        if one != other and likeness[one, other] >= _ONE_SUBJECT
    )
