"""Cut posts into the passages that are embedded, at sentence ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retrieval.text.sentences import sentences
from retrieval.types import Part, Passage, Post

_OVERLAP_SHARE = 0.2


def passage_text(post: Post, passage: Passage) -> str:
    """What is embedded and weighed for a passage: its slice together with the post's title and tags."""
    tags = " ".join(f"#{tag}" for tag in post.tags if tag not in passage.text)
    return "\n".join(part for part in (post.title, passage.text, tags) if part)


def cut_passages(post: Post, count_tokens: Callable[[Sequence[str]], list[int]], window: int) -> list[Passage]:
    """Cut a post into passages that fit an embedder's window, at sentence ends, each overlapping the one before.

    Args:
        count_tokens: Counts the embedder's tokens of each text.
        window: Tokens that the embedder reads at once. passage_text of each passage fits it, except for a single longer
            sentence, which the embedder truncates.

    Returns:
        At least one passage; those of the post's text first, then of each comment that is not blank.
    """
    # A tokenizer makes at most one token per UTF-8 byte, and the word pieces used here hardly more than one per
    # character. Most posts and comments therefore fit without counting.
    heading = len(post.title) + sum(len(tag) + 2 for tag in post.tags) + 4
    budget = (
        window - heading if heading <= window // 3 else window - min(window // 2, count_tokens([post.title])[0] + 32)
    )
    passages: list[Passage] = []

    def cut(text: str, comment: int | None) -> None:
        for start, end in _slices(text, count_tokens, max(budget, window // 3)):
            part: Part = "text" if comment is None else "comment"
            passages.append(Passage(post.id, len(passages), part, comment, start, end, text[start:end]))

    cut(post.text, None)
    if not passages:
        passages.append(Passage(post.id, 0, "text", None, 0, 0, ""))
    for number, comment in enumerate(post.comments):
        cut(comment.text, number)
    return passages


def _slices(text: str, count_tokens: Callable[[Sequence[str]], list[int]], budget: int) -> list[tuple[int, int]]:
    stripped = text.strip()
    if not stripped:
        return []
    if len(stripped) <= budget:
        start = len(text) - len(text.lstrip())
        return [(start, start + len(stripped))]
    spans = sentences(text)
    counts = count_tokens([text[span.start : span.end] for span in spans])
    slices: list[tuple[int, int]] = []
    first = 0
    while first < len(spans):
        last, tokens = first, counts[first]
        while last + 1 < len(spans) and tokens + counts[last + 1] <= budget:
            last += 1
            tokens += counts[last]
        slices.append((spans[first].start, spans[last].end))
        if last + 1 == len(spans):
            break
        # Start the next passage with the last sentences of this one, as far as the overlap allows, so that
        # what belongs together across the cut is in at least one passage.
        first, overlap = last + 1, 0
        while (
            first - 1 > 0
            and spans[first - 1].start > slices[-1][0]
            and overlap + counts[first - 1] <= budget * _OVERLAP_SHARE
        ):
            first -= 1
            overlap += counts[first]
    return slices
