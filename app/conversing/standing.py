"""What of an answer still stands when it is given: while it was written, a post may have been forgotten or changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.answering.notes import note
from app.answering.types import Answer, AnswerSentence, WithheldReason
from app.conversing.turns import quote_stands
from retrieval.errors import FixableError
from retrieval.types import Post

# Posts of the live generation, without those that are gone; called from a thread.
Posts = Callable[[Sequence[str]], Mapping[str, Post]]


async def stands(sentence: AnswerSentence, posts: Posts) -> bool:
    """Whether the posts of a sentence say what it quotes of them, word for word, now."""
    return bool(await _standing([sentence], posts))


async def standing(answer: Answer, posts: Posts) -> Answer:
    """The answer without the sentences that do not stand any more; declined where none is left."""
    kept = await _standing(answer.sentences, posts)
    lost = len(answer.sentences) - len(kept)
    if not lost:
        return answer
    by: Counter[WithheldReason] = Counter({"forgotten": lost})
    by.update(answer.withheld_by)
    changed = replace(answer, sentences=kept, withheld=answer.withheld + lost, withheld_by=dict(by))
    if kept:
        return changed
    return replace(changed, kind="declined", outcome="declined", note=note(answer.language, "declined"))


async def _standing(sentences: Sequence[AnswerSentence], posts: Posts) -> tuple[AnswerSentence, ...]:
    """Those of the sentences that stand; all of them where the index cannot be read."""
    cited = {citation.post_id: None for sentence in sentences for citation in sentence.citations}
    try:
        there = await asyncio.to_thread(posts, list(cited))
    except FixableError:  # told by whoever searches
        return tuple(sentences)
    return tuple(one for one in sentences if all(quote_stands(citation, there) for citation in one.citations))
