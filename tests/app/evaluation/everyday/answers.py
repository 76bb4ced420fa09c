"""Answers made by hand, as an Answerer would give them."""

from __future__ import annotations

from app.answering.types import Answer, AnswerSentence, Citation, Question
from retrieval.types import Hit, Passage, Post


def an_answer(*said: tuple[str, str], missing: str = "") -> Answer:
    """An answer of sentences, each with the id of the post that it cites; no sentence makes a declined one."""
    ids = list(dict.fromkeys(post_id for _, post_id in said))
    sentences = tuple(
        AnswerSentence(
            text, (Citation(ids.index(post_id) + 1, post_id, "text", None, 0, len(text), text, 1.0),), quoted=True
        )
        for text, post_id in said
    )
    return Answer(
        question=Question("How much is it?"),
        kind="quoted" if said else "declined",
        language="en",
        sentences=sentences,
        hits=tuple(
            Hit(
                number, 1.0, 1.0, 1.0, Post(one, f"title of {one}", "text"), Passage(one, 0, "text", None, 0, 4, "text")
            )
            for number, one in enumerate(ids, start=1)
        ),
        withheld=0,
        note="" if said else "These posts don't say.",
        model="",
        prompt="",
        generation="0001",
        timings_ms={"total": 1.0},
        outcome="partly" if missing else "answer" if said else "declined",
        missing=missing,
    )


def _hit(rank: int, post_id: str) -> Hit:
    post = Post(post_id, f"title of {post_id}", "text")
    return Hit(rank, 1.0, 1.0, 1.0, post, Passage(post_id, 0, "text", None, 0, 4, "text"))
