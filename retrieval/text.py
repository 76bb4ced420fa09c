"""What is done to text before it is found: folding, sentences with offsets, passages, the hash of a post. Pure.

Every offset counts Unicode code points of the text as its author wrote it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import opencc
import orjson

from retrieval.types import Part, Passage, Post, Span

_TO_SIMPLIFIED = opencc.OpenCC("t2s")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")

# A sentence ends at a Chinese stop wherever it stands, at an English one when white space follows (3.5, e.g., v1.2
# have none), and at a line's end. Closing quotes and brackets belong to the sentence that they close.
_SENTENCE_END = re.compile(r"[。！？!?…~～]+[\u300d\u300f\u201d\u2019\"')）】》]*|\.+[\"')\]]*(?=\s)|[;；](?=\s)|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|no|vs|approx|etc|e\.g|i\.e|a\.m|p\.m|jr|sr)|\b[A-Z])\.$", re.IGNORECASE
)
_SOFT_BREAK = re.compile(r"[，,、：:]|\s")
LONGEST_SENTENCE = 300
_OVERLAP_SHARE = 0.2


@lru_cache(maxsize=65536)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).lower()
    return _TO_SIMPLIFIED.convert(folded) if _HAN_RUN.search(folded) else folded


def fold(text: str) -> str:
    """One form for what readers take for the same: full width, case, and traditional characters are folded away.

    >>> fold("臺北 Ｃａｆé １２元")
    '台北 café 12元'
    """
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Like `fold`, and for each folded code point the offset of the one that it came from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces = list(map(_fold_character, text))
    lengths = set(map(len, pieces))
    if lengths == {1}:  # nearly all texts
        return "".join(pieces), list(range(len(text)))
    return "".join(pieces), [offset for offset, piece in enumerate(pieces) for _ in piece]


def han_runs(folded: str) -> list[str]:
    """The stretches of Chinese characters in a text, in order."""
    return _HAN_RUN.findall(folded)


def sentences(text: str) -> list[Span]:
    """Where the sentences of a text stand, in order, without the white space around them; together, all that is not
    white space. A run of more than LONGEST_SENTENCE code points without an end is broken at a comma or space.
    """
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group().startswith(".") and _goes_on(text, start, match.start()):
            continue
        spans.extend(_trimmed_pieces(text, start, match.end()))
        start = match.end()
    spans.extend(_trimmed_pieces(text, start, len(text)))
    return spans


def _goes_on(text: str, start: int, stop: int) -> bool:
    """Whether the full stop at `stop` ends an abbreviation or a list's number ("3. Pour slowly"), and no sentence."""
    line = max(start, text.rfind("\n", start, stop) + 1)
    return text[line:stop].strip().isdigit() or bool(_ABBREVIATION.search(text, max(start, stop - 8), stop + 1))


def _trimmed_pieces(text: str, start: int, end: int) -> Iterator[Span]:
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if end - start <= LONGEST_SENTENCE:
            break
        cut = start + LONGEST_SENTENCE
        for match in _SOFT_BREAK.finditer(text, start + LONGEST_SENTENCE // 2, start + LONGEST_SENTENCE):
            cut = match.end()
        yield from _trimmed_pieces(text, start, cut)
        start = cut
    if start < end:
        yield Span(start, end)


def passage_text(post: Post, passage: Passage) -> str:
    """What is embedded and weighed for a passage: its slice, coloured by the post's title and tags."""
    tags = " ".join(f"#{tag}" for tag in post.tags if tag not in passage.text)
    return "\n".join(part for part in (post.title, passage.text, tags) if part)


def cut_passages(post: Post, count_tokens: Callable[[Sequence[str]], list[int]], window: int) -> list[Passage]:
    """Cut a post into passages that fit an embedder's window, at sentence ends, each overlapping the one before.

    Args:
        count_tokens: The embedder's own tokens of each text.
        window: Tokens that the embedder reads at once; passage_text of each passage stays within it, but for a
            single sentence that is longer, which the embedder then truncates.

    Returns:
        At least one passage; the post's text first, then each comment that is not blank.
    """
    # No tokenizer gives more tokens than there are UTF-8 bytes, and the word pieces used here hardly more than
    # characters. Most posts and comments are therefore known to fit without counting.
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
        # Start the next passage with the sentences that ended this one, as far as the overlap allows, so that
        # what belongs together across the cut is in one passage at least.
        first, overlap = last + 1, 0
        while (
            first - 1 > 0
            and spans[first - 1].start > slices[-1][0]
            and overlap + counts[first - 1] <= budget * _OVERLAP_SHARE
        ):
            first -= 1
            overlap += counts[first]
    return slices


def content_hash(post: Post) -> str:
    """Changes whenever anything in the post does: 32 hexadecimal digits of what it says, a full stop, and 8 of its
    counters (likes, collects, comment_count), so that a like more is told from an edit.
    """
    said = [
        post.id, post.title, post.text, post.author, post.tags, post.language, post.created_at, post.url, post.images,
        post.place, post.comments,
    ]  # fmt: skip
    counters = f"{post.likes},{post.collects},{post.comment_count}"
    content = hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()
    return f"{content}.{hashlib.blake2b(counters.encode(), digest_size=4).hexdigest()}"


def same_content(one: str, other: str) -> bool:
    """Whether two content hashes differ in nothing, or in the counters alone."""
    return one.partition(".")[0] == other.partition(".")[0]
