"""From the turns of a conversation to what the page shows of them, and what can be done with an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.answering.types import Citation
from app.conversations.storage.feedback import REASONS, Verdict
from app.conversations.turns import Turn
from app.web.page.page_request import PageRequest
from app.web.page.views.answer import AnswerShown, answer_shown, citations
from app.web.page.views.cards import LinkShown
from app.web.page.words.labels import Labels, html_lang
from retrieval.suggest.phrases import title_phrase
from retrieval.text.web_address import is_web_address
from retrieval.types import Filters, Hit, Passage, Post

# Earlier turns that are visible; those before them unfold.
_IN_SIGHT = 3
_PASSAGE = 300


@dataclass(frozen=True, slots=True)
class TurnSource:
    """A post that an earlier answer cites; `url` is "" if a browser should not follow it."""

    number: int
    title: str
    author: str
    url: str
    lang: str


@dataclass(frozen=True, slots=True)
class TurnShown:
    """An earlier question and its answer; `understood` is "" if the question was not completed."""

    number: int
    asked: str
    understood: str
    answer: AnswerShown
    sources: tuple[TurnSource, ...]
    address: str


@dataclass(frozen=True, slots=True)
class ConversationView:
    """The turns before a question, oldest first; the `folded` ones before those `in_sight`."""

    folded: tuple[TurnShown, ...]
    in_sight: tuple[TurnShown, ...]


@dataclass(frozen=True, slots=True)
class AnswerActions:
    """What can be done with an answer that is kept.

    Attributes:
        address: Of this very answer.
        verdict: The feedback on it; "" if there is none.
        reasons: To choose from: value and label.
        hidden: Parameters that the form for the next question sends along.
        manner: Parameters for how pages are shown.
    """

    answer_id: str
    conversation: str
    address: str
    verdict: Verdict | str
    reasons: tuple[tuple[str, str], ...]
    hidden: tuple[tuple[str, str], ...]
    manner: tuple[tuple[str, str], ...]


def conversation_view(
    turns: Sequence[Turn], posts: Mapping[str, Post], asked: PageRequest, labels: Labels
) -> ConversationView | None:
    """The turns before a question; None if there are none."""
    if not turns:
        return None
    shown = tuple(_turn(turn, posts, asked, labels) for turn in turns)
    return ConversationView(shown[:-_IN_SIGHT], shown[-_IN_SIGHT:])


def answer_actions(answer_id: str, asked: PageRequest, verdict: Verdict | None, labels: Labels) -> AnswerActions | None:
    """What can be done with the answer; None if it is not kept."""
    if not answer_id or not asked.conversation:
        return None
    return AnswerActions(
        answer_id,
        asked.conversation,
        asked.address(),
        verdict or "",
        tuple((reason, getattr(labels, f"reason_{reason}")) for reason in REASONS),
        tuple(asked.next().parameters()),
        tuple(asked.manner()),
    )


def next_questions(questions: Sequence[str], asked: PageRequest) -> tuple[LinkShown, ...]:
    """Follow-up questions, each with the address that asks it in the conversation."""
    return tuple(LinkShown(question, asked.next(question).address()) for question in questions)


def kept_turn(turns: Sequence[Turn], asked: PageRequest, filters: Filters) -> Turn | None:
    """The kept turn that the address of a page asks for: an answer is not written a second time.

    Turns with other filters, typed or chosen, are other questions.
    """
    if not asked.turn:
        return None
    return next(
        (
            turn
            for turn in turns
            if turn.number >= asked.turn
            and turn.asked == asked.text
            and (filters.is_empty() or turn.answer.question.filters == filters)
        ),
        None,
    )


def kept_hits(turn: Turn, posts: Mapping[str, Post], found: Sequence[Hit] = ()) -> list[Hit | None]:
    """The hits of a kept answer, mark 1 first; None where a post is gone. Those in `found` keep their marked words."""
    by_id = {hit.post.id: hit for hit in found}
    quotes = citations(turn.answer.sentences)
    return [
        by_id.get(one) or _hit(mark, posts[one], quotes) if one in posts else None
        for mark, one in enumerate(turn.shown, start=1)
    ]


def _hit(mark: int, post: Post, quotes: Sequence[Citation]) -> Hit:
    """A hit for a post that no search found; its passage is the first quote, or its beginning."""
    quote = next((one for one in quotes if one.post_id == post.id and one.part == "text"), None)
    start, end = (quote.start, quote.end) if quote else (0, min(_PASSAGE, len(post.text)))
    return Hit(mark, 0.0, 0.0, 0.0, post, Passage(post.id, 0, "text", None, start, end, post.text[start:end]))


def _turn(turn: Turn, posts: Mapping[str, Post], asked: PageRequest, labels: Labels) -> TurnShown:
    hits = kept_hits(turn, posts)
    cited = sorted({one.mark for one in citations(turn.answer.sentences)})
    at = replace(asked, text=turn.asked, sort="relevance", fold=True).within(asked.conversation, turn.number)
    return TurnShown(
        turn.number,
        turn.asked,
        turn.standalone.question if turn.standalone.was_completed else "",
        answer_shown(turn.answer, labels, hits, turn.withdrawn, asked=at),
        tuple(_source(mark, hit.post, labels) for mark in cited if (hit := hits[mark - 1]) is not None),
        at.address(),
    )


def _source(mark: int, post: Post, labels: Labels) -> TurnSource:
    title = title_phrase(post.title) or title_phrase(post.text.strip().split("\n", 1)[0]) or labels.untitled
    lang = html_lang(post.language)
    return TurnSource(mark, title, post.author, post.url if is_web_address(post.url) else "", lang)
