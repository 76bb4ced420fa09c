"""What is kept of a conversation, and which of it is still valid when it is read again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.answering.types import Answer, Citation
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from retrieval.types import Post

_EARLIER_QUESTIONS = 6  # that a follow-up question may refer to
_POST_TEXT = 20_000  # code points of posts in which a word of the next question is looked for


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A standalone question that may be asked next, and which the posts answer.

    Attributes:
        post_id: The post that it was made from; when that is forgotten, so is the question.
    """

    question: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer as they were shown, without what was withdrawn since.

    Attributes:
        number: 1 is the first of its conversation.
        asked: The question as typed.
        answer: Without its hits, which are kept as ids: a post's words are in the index alone.
        shown: Ids of the posts that the answer was made from, mark 1 first; "" for a forgotten one, so that the other
            marks stay the same.
        withdrawn: Sentences withdrawn since, because a post that they cite is gone or no longer says it.
        asked_at: In UTC.
    """

    number: int
    answer_id: str
    asked: str
    standalone: StandaloneQuestion
    answer: Answer
    shown: tuple[str, ...]
    asked_at: datetime
    followups: tuple[FollowUp, ...] = ()
    withdrawn: int = 0

    def cited(self) -> tuple[str, ...]:
        """Ids of the posts that the answer cites, in reading order; if it cites none, of all it was made from."""
        cited = dict.fromkeys(one.post_id for sentence in self.answer.sentences for one in sentence.citations)
        return tuple(cited) or tuple(post_id for post_id in self.shown if post_id)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in their order. Anybody who knows the id may read it; it cannot be guessed."""

    id: str
    turns: tuple[Turn, ...]


def without_posts(turn: Turn, gone: Collection[str]) -> Turn:
    """The turn after posts were forgotten: nothing that cited one of them is left.

    A sentence with several citations goes when one of its posts does. So do follow-up questions made from such a post.
    """
    if not any(post_id in gone for post_id in turn.shown):
        return turn
    withdrawn = _withdrawn(turn, lambda citation: citation.post_id not in gone)
    return replace(
        withdrawn,
        shown=tuple("" if post_id in gone else post_id for post_id in turn.shown),
        followups=tuple(one for one in turn.followups if one.post_id not in gone),
    )


def valid_turn(turn: Turn, posts: Mapping[str, Post]) -> Turn:
    """The turn as it may be shown now: a sentence is valid as long as its posts still say each of its quotes.

    Args:
        posts: Of the live generation, by id; those that the turn cites, if they still exist.
    """
    turn = _withdrawn(turn, lambda citation: quote_is_valid(citation, posts))
    return replace(turn, followups=tuple(one for one in turn.followups if one.post_id in posts or not one.post_id))


def quote_is_valid(citation: Citation, posts: Mapping[str, Post]) -> bool:
    """Whether the post still says the quote, word for word, where the citation points."""
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


def recent_posts(turns: Sequence[Turn]) -> list[str]:
    """Ids of the posts from which `earlier_questions` are made."""
    return list(dict.fromkeys(one for turn in turns[-_EARLIER_QUESTIONS:] for one in turn.cited()))


def earlier_questions(turns: Sequence[Turn], posts: Mapping[str, Post]) -> list[EarlierQuestion]:
    """What a follow-up question is completed from: the last questions, and the posts that answered them."""
    recent = turns[-_EARLIER_QUESTIONS:]
    return [
        earlier_question(turn.standalone.question, [posts[one] for one in turn.cited() if one in posts])
        for turn in recent
    ]


def earlier_question(question: str, cited: Sequence[Post]) -> EarlierQuestion:
    """A question as later ones are completed from it.

    Args:
        question: As it was completed.
        cited: The posts that its answer cites.
    """
    texts = (part for post in cited for part in (post.title, post.text, *(comment.text for comment in post.comments)))
    titles = tuple(post.title for post in cited if post.title)
    return EarlierQuestion(question, titles, "\n".join(texts)[:_POST_TEXT])


def _withdrawn(turn: Turn, valid: Callable[[Citation], bool]) -> Turn:
    kept = tuple(one for one in turn.answer.sentences if all(map(valid, one.citations)))
    withdrawn = len(turn.answer.sentences) - len(kept)
    if not withdrawn:
        return turn
    return replace(turn, answer=replace(turn.answer, sentences=kept), withdrawn=turn.withdrawn + withdrawn)
