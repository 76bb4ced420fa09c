"""Counts of tags, authors, languages and months among the posts found. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC

from retrieval.text.folding import fold
from retrieval.types import FacetCount, FacetName, Post

MOST_VALUES = 20


def count_facets(posts: Sequence[Post], names: Iterable[FacetName]) -> dict[FacetName, tuple[FacetCount, ...]]:
    """The MOST_VALUES most frequent values of each facet, most frequent first; ties in order of the values.

    Tags and authors that readers consider the same (case, width, 臺北 and 台北) count together, in their most frequent
    form. A post counts once for each of its values; one without an author or a date does not count there.

    >>> count_facets([Post("a", "", "x", tags=("Cafe", "dali")), Post("b", "", "y", tags=("Cafe",))], ["tags"])
    {'tags': (FacetCount(value='Cafe', posts=2), FacetCount(value='dali', posts=1))}
    """
    return {name: _count(_values(post, name) for post in posts) for name in names}


def _count(values_of_posts: Iterable[Sequence[str]]) -> tuple[FacetCount, ...]:
    posts: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for values in values_of_posts:
        of_post = {fold(value).casefold().strip(): value for value in values}
        posts.update(of_post.keys())
        for key, value in of_post.items():
            written.setdefault(key, Counter())[value] += 1
    ordered = sorted(posts.items(), key=lambda counted: (-counted[1], counted[0]))[:MOST_VALUES]
    return tuple(FacetCount(_most_met(written[key]), count) for key, count in ordered)


def _most_met(forms: Counter[str]) -> str:
    return min(forms, key=lambda form: (-forms[form], form))


def _values(post: Post, name: FacetName) -> Sequence[str]:
    match name:
        case "tags":
            return post.tags
        case "authors":
            return [post.author] if post.author else []
        case "languages":
            return [post.language]
        case "months":
            return [] if post.created_at is None else [f"{post.created_at.astimezone(UTC):%Y-%m}"]
