"""What of an answer still stands when it is given: while it was written, a post may have been forgotten or changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from app.answering.messages import note
from app.answering.types import Answer, AnswerSentence, WithheldReason
from app.conversations.turns import quote_stands
from retrieval.errors import FixableError
from retrieval.types import Post

# Posts of the live generation, without those that are gone; called from a thread.
Posts = Callable[[Sequence[str]], Mapping[str, Post]]


async def stands(sentence: AnswerSentence, posts: Posts) -> bool:
    """Whether the posts of a sentence say what it quotes of them, word for word, now."""
    there = await _there((one.post_id for one in sentence.citations), posts)
    return there is None or _says(sentence, there)


async def standing(answer: Answer, posts: Posts) -> Answer:
    """The answer without the sentences that do not stand any more; declined where none is left.

    Its hits are all there, so that the marks stay what they were on a page that shows them already.
    """
    cited = (one.post_id for sentence in answer.sentences for one in sentence.citations)
    there = await _there(cited, posts)
    return answer if there is None else _said(answer, there)


async def standing_whole(answer: Answer, posts: Posts) -> Answer:
    """As `standing`, without the hits whose posts are gone either; marks count the hits that are left."""
    cited = [one.post_id for sentence in answer.sentences for one in sentence.citations]
    there = await _there([*cited, *(hit.post.id for hit in answer.hits)], posts)
    return answer if there is None else with_hits_of(_said(answer, there), there)


def with_hits_of(answer: Answer, there: Mapping[str, Post]) -> Answer:
    """The answer with the hits whose posts are there, and its citations' marks counting those. Pure.

    Args:
        there: Among them the posts of all that the answer's sentences cite.
    """
    left = [mark for mark, hit in enumerate(answer.hits, start=1) if hit.post.id in there]
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


def _said(answer: Answer, there: Mapping[str, Post]) -> Answer:
    kept = tuple(one for one in answer.sentences if _says(one, there))
    lost = len(answer.sentences) - len(kept)
    if not lost:
        return answer
    by: Counter[WithheldReason] = Counter({"forgotten": lost})
    by.update(answer.withheld_by)
    changed = replace(answer, sentences=kept, withheld=answer.withheld + lost, withheld_by=dict(by))
    if kept:
        return changed
    return replace(changed, kind="declined", outcome="declined", note=note(answer.language, "declined"))


def _says(sentence: AnswerSentence, there: Mapping[str, Post]) -> bool:
    return all(quote_stands(citation, there) for citation in sentence.citations)


async def _there(post_ids: Iterable[str], posts: Posts) -> Mapping[str, Post] | None:
    """Those of the posts that are there; None where the index cannot be read, which whoever searches tells."""
    try:
        return await asyncio.to_thread(posts, list(dict.fromkeys(post_ids)))
    except FixableError:
        return None
