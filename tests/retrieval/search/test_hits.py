"""What is shown of a found post."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from retrieval.search.fusion import Scale, fuse
from retrieval.search.hits import Layer, hit
from retrieval.search.ranking import placed
from retrieval.stores.post_summary import summary_of
from retrieval.types import Candidate, Comment, Hit, Post, SearchQuery

POST = Post(
    "owl",
    "The upstairs nobody tells you about",
    "A long table with lamps. Sockets at every seat, and nobody talks.",
    tags=("quiet cafe",),
    comments=(Comment("a", "delete this"), Comment("b", "still quiet on Mondays")),
)
TABLE, SOCKETS = (0, 24), (25, 65)


def found(query: str, *candidates: Candidate, post: Post = POST) -> Hit:
    scale = Scale.of(candidates, 0.8)
    first = placed(fuse(candidates, scale), {post.id: summary_of(post)})
    return hit(SearchQuery(query), 1, first[0], post, [Layer(candidates, first, first, scale, {})])


def text(cosine: float, span: tuple[int, int] = TABLE) -> Candidate:
    return Candidate("owl", span[0], "text", None, *span, cosine, 0.0)


def comment(number: int, cosine: float) -> Candidate:
    words = POST.comments[number].text
    return Candidate("owl", 90 + number, "comment", number, 0, len(words), cosine, 0.0)


@pytest.mark.parametrize(
    ("query", "candidates", "shown"),
    [
        ("quiet cafe", [comment(1, 0.9), text(0.5)], "still quiet on Mondays"),
        ("quiet cafe", [comment(0, 0.9), text(0.5), text(0.6, SOCKETS)], POST.text[slice(*SOCKETS)]),
        ("quiet cafe", [comment(0, 0.9)], POST.text),
        ("upstairs", [comment(0, 0.9), text(0.5)], POST.text[slice(*TABLE)]),
        ("remove it", [comment(0, 0.9), text(0.5)], "delete this"),
        ("quiet cafe", [comment(0, 0.5), text(0.9)], POST.text[slice(*TABLE)]),
    ],
    ids=[
        "a comment with a word of the query",
        "one that its tags alone brought: the best of the post's own passages",
        "the same, of whose own passages none was found: its opening",
        "one that its title alone brought",
        "one that means what is asked",
        "the post's own words match best",
    ],
)
def test_a_comment_is_shown_where_it_says_something_of_what_is_asked(
    query: str, candidates: Sequence[Candidate], shown: str
) -> None:
    one = found(query, *candidates)
    assert one.passage.text == shown
    assert one.cosine == max(candidate.cosine for candidate in candidates), "the scores are of what it was found by"
    source = POST.text if one.passage.comment is None else POST.comments[one.passage.comment].text
    assert source[one.passage.start : one.passage.end] == shown
    assert [source[span.start : span.end] for span in one.highlights] == (["quiet"] if "quiet" in shown else [])


def test_a_comment_of_a_post_without_words_of_its_own_is_shown_in_any_case() -> None:
    wordless = Post("owl", POST.title, "", tags=POST.tags, comments=POST.comments)
    assert found("quiet cafe", comment(0, 0.9), post=wordless).passage.text == "delete this"
