"""What is kept of a conversation, and what of it still stands when it is read again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.answering.types import Answer, Citation
from app.conversations.standalone.context import Said, Understood
from retrieval.types import Post

_TOLD = 20_000  # code points of posts, in which a word of the next question is looked for


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that may be asked next, complete in itself, and which the posts answer.

    Attributes:
        post_id: The post that it was made from; where that is forgotten, so is the question.
    """

    question: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, as they were shown, but for what was withdrawn since.

    Attributes:
        number: 1 is the first of its conversation.
        asked: The question as typed.
        answer: Without its hits, which are kept as ids: a post's words stand in the index alone.
        shown: Ids of the posts that the answer was given from, mark 1 first; "" where a post is forgotten, so that
            the other marks stay what they were.
        withdrawn: Sentences that were taken back since, because a post that they cite is gone or says it no more.
        asked_at: In UTC.
    """

    number: int
    answer_id: str
    asked: str
    understood: Understood
    answer: Answer
    shown: tuple[str, ...]
    asked_at: datetime
    followups: tuple[FollowUp, ...] = ()
    withdrawn: int = 0

    def cited(self) -> tuple[str, ...]:
        """Ids of the posts that the answer cites, in reading order; where it cites none, of all it was given from."""
        cited = dict.fromkeys(one.post_id for sentence in self.answer.sentences for one in sentence.citations)
        return tuple(cited) or tuple(post_id for post_id in self.shown if post_id)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in their order. Whoever knows the id may read it; it cannot be guessed."""

    id: str
    turns: tuple[Turn, ...]


def without_posts(turn: Turn, gone: Collection[str]) -> Turn:
    """The turn after posts were forgotten: what cited one of them is withdrawn, and nothing of it is left.

    A sentence with several citations goes when one of its posts does. Follow-up questions made from such a post go
    too, and what the model thought about it.
    """
    if not any(post_id in gone for post_id in turn.shown):
        return turn
    withdrawn = _withdrawn(turn, lambda citation: citation.post_id not in gone)
    return replace(
        withdrawn,
        shown=tuple("" if post_id in gone else post_id for post_id in turn.shown),
        followups=tuple(one for one in turn.followups if one.post_id not in gone),
    )


def as_it_stands(turn: Turn, posts: Mapping[str, Post]) -> Turn:
    """The turn as it may be shown now: a sentence stands as long as each of its quotes does, word for word.

    Args:
        posts: Of the live generation, by id; those that the turn cites, where they are still there.
    """
    turn = _withdrawn(turn, lambda citation: quote_stands(citation, posts))
    return replace(turn, followups=tuple(one for one in turn.followups if one.post_id in posts or not one.post_id))


def quote_stands(citation: Citation, posts: Mapping[str, Post]) -> bool:
    """Whether the quote is found in its post, word for word, where the citation says."""
    post = posts.get(citation.post_id)
    if post is None:
        return False
    text = post.title if citation.part == "title" else post.text
    if citation.part == "comment":
        at = citation.comment
        if at is None or not 0 <= at < len(post.comments):
            return False
        text = post.comments[at].text
    return text[citation.start : citation.end] == citation.quote


def said(turns: Collection[Turn], posts: Mapping[str, Post]) -> list[Said]:
    """What a follow-up question is understood from: the questions, and the posts that answered them."""
    return [_said(turn, [posts[one] for one in turn.cited() if one in posts]) for turn in turns]


def _said(turn: Turn, cited: Sequence[Post]) -> Said:
    told = (part for post in cited for part in (post.title, post.text, *(comment.text for comment in post.comments)))
    return Said(turn.understood.question, tuple(post.title for post in cited if post.title), "\n".join(told)[:_TOLD])


def _withdrawn(turn: Turn, stands: Callable[[Citation], bool]) -> Turn:
    kept = tuple(one for one in turn.answer.sentences if all(map(stands, one.citations)))
    taken_back = len(turn.answer.sentences) - len(kept)
    if not taken_back:
        return turn
    return replace(turn, answer=replace(turn.answer, sentences=kept), withdrawn=turn.withdrawn + taken_back)
