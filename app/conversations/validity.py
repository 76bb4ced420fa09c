"""Which sentences of an answer are still valid: while it was written, a post may have been forgotten or changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from app.answering.messages import note
from app.answering.types import Answer, AnswerSentence, WithheldReason
from app.conversations.turns import quote_is_valid
from retrieval.errors import FixableError
from retrieval.types import Post

# Posts of the live generation, without those that are gone; called from a thread.
Posts = Callable[[Sequence[str]], Mapping[str, Post]]


async def is_valid(sentence: AnswerSentence, posts: Posts) -> bool:
    """Whether the posts of a sentence still say what it quotes from them, word for word."""
    existing = await _existing((one.post_id for one in sentence.citations), posts)
    return existing is None or _says(sentence, existing)


async def with_valid_sentences(answer: Answer, posts: Posts) -> Answer:
    """The answer without the sentences that are no longer valid; declined if none is left.

    It keeps all hits, so that the marks still fit a page that already shows them.
    """
    cited = (one.post_id for sentence in answer.sentences for one in sentence.citations)
    existing = await _existing(cited, posts)
    return answer if existing is None else _with_valid_sentences(answer, existing)


async def valid_answer(answer: Answer, posts: Posts) -> Answer:
    """The same, also without the hits whose posts are gone; marks count the hits that are left."""
    cited = [one.post_id for sentence in answer.sentences for one in sentence.citations]
    existing = await _existing([*cited, *(hit.post.id for hit in answer.hits)], posts)
    return answer if existing is None else with_hits_of(_with_valid_sentences(answer, existing), existing)


def with_hits_of(answer: Answer, existing: Mapping[str, Post]) -> Answer:
    """The answer with the hits whose posts exist, its marks renumbered. Pure.

    Args:
        existing: Among them the posts of all that the answer's sentences cite.
    """
    left = [mark for mark, hit in enumerate(answer.hits, start=1) if hit.post.id in existing]
    if len(left) == len(answer.hits):
        return answer
    marks = {old: new for new, old in enumerate(left, start=1)}
    return replace(
        answer,
        hits=tuple(answer.hits[mark - 1] for mark in left),
        sentences=tuple(
            replace(one, citations=tuple(replace(cited, mark=marks[cited.mark]) for cited in one.citations))
            for one in answer.sentences
        ),
    )


def _with_valid_sentences(answer: Answer, existing: Mapping[str, Post]) -> Answer:
    kept = tuple(one for one in answer.sentences if _says(one, existing))
    lost = len(answer.sentences) - len(kept)
    if not lost:
        return answer
    by: Counter[WithheldReason] = Counter({"forgotten": lost})
    by.update(answer.withheld_by)
    changed = replace(answer, sentences=kept, withheld=answer.withheld + lost, withheld_by=dict(by))
    if kept:
        return changed
    return replace(changed, kind="declined", outcome="declined", note=note(answer.language, "declined"))


def _says(sentence: AnswerSentence, existing: Mapping[str, Post]) -> bool:
    return all(quote_is_valid(citation, existing) for citation in sentence.citations)


async def _existing(post_ids: Iterable[str], posts: Posts) -> Mapping[str, Post] | None:
    """The posts that still exist; None if the index cannot be read, which the next search reports."""
    try:
        return await asyncio.to_thread(posts, list(dict.fromkeys(post_ids)))
    except FixableError:
        return None
