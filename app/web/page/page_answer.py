"""How the page asks: what it needs of the services, and a question in its conversation, come what may of that."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from app.answering.types import Answer, Done
from app.conversations.converser import Converser
from app.conversations.events import Asking, ConversingEvent, FollowUpsFound, Kept, QuestionUnderstood
from app.conversations.standalone.context import Understood
from app.conversations.standalone.leaning import lean
from app.conversations.storage.conversation_file import NEW, ConversationFull, UnknownConversation
from app.conversations.turns import Turn
from app.web.page.page_request import Asked
from app.web.page.words.labels import Labels
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.types import Filters, Post, SearchPage, SearchQuery


class Finder(Protocol):
    """What the page needs of `app.state.services`."""

    @property
    def converser(self) -> Converser: ...

    async def understand(self, typed: str, given: Filters | None = None) -> ParsedQuery: ...

    async def search(self, query: SearchQuery) -> SearchPage: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A question in its conversation.

    Attributes:
        asked: Without the conversation, where that is gone.
        turns: All that are kept of it, as they stand now.
        posts: That they were answered from, by id.
        note: Why it is asked by itself; "" where nothing is wrong.
    """

    asked: Asked
    turns: tuple[Turn, ...] = ()
    posts: Mapping[str, Post] | None = None
    note: str = ""


async def placed(finder: Finder, asked: Asked, labels: Labels) -> Placed:
    """What the conversation of an address is; a conversation that cannot be read costs its context, and no answer."""
    if not asked.conversation:
        return Placed(asked)
    try:
        conversation, posts = await finder.converser.conversation(asked.conversation)
    except UnknownConversation:
        return Placed(asked.within("", 0), note=labels.conversation_gone)
    except FixableError:
        return Placed(asked.within("", 0), note=labels.not_kept)
    following = conversation.turns[-1].number + 1 if conversation.turns else 1
    return Placed(replace(asked, turn=asked.turn or following), conversation.turns, posts)


def completed(parsed: ParsedQuery, turns: Sequence[Turn], posts: Mapping[str, Post]) -> tuple[ParsedQuery, Understood]:
    """What was typed, completed from the turns before it."""
    if not parsed.text:
        return parsed, Understood(parsed.text)
    understood, filters = lean(parsed.text, parsed.filters, turns, posts)
    return replace(parsed, text=understood.question, filters=filters), understood


async def ask(
    finder: Finder, asked: Asked, parsed: ParsedQuery, labels: Labels
) -> tuple[ConversingEvent, AsyncGenerator[ConversingEvent, None], str]:
    """The first event of the answer, the others, and a note; "" where there is nothing to note.

    In a conversation that is full or gone, the question begins a new one.

    Raises:
        FixableError: The index cannot be read.
    """
    asking = Asking(asked.text, parsed.text, parsed.filters, asked.conversation or NEW)
    events = finder.converser.ask(asking)
    try:
        return await anext(events), events, ""
    except UnknownConversation:
        note = labels.conversation_gone
    except ConversationFull:
        note = labels.conversation_full
        there = await placed(finder, asked, labels)
        parsed, _ = completed(parsed, there.turns, there.posts or {})
    events = finder.converser.ask(replace(asking, text=parsed.text, filters=parsed.filters, conversation=NEW))
    return await anext(events), events, note


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer when all of it is there."""

    answer: Answer
    understood: Understood
    kept: Kept
    followups: tuple[str, ...]
    note: str


async def whole_answer(finder: Finder, asked: Asked, parsed: ParsedQuery, labels: Labels) -> Whole:
    """The answer to what was asked, with all that comes after it.

    Raises:
        FixableError: The index cannot be read.
    """
    first, events, note = await ask(finder, asked, parsed, labels)
    assert isinstance(first, QuestionUnderstood), f"{first}: what was understood comes first"
    kept, followups, answer = Kept(), tuple[str, ...](), None
    async with aclosing(events) as rest:
        async for event in rest:
            match event:
                case Kept():
                    kept = event
                case Done():
                    answer = event.answer
                case FollowUpsFound():
                    followups = event.questions
    assert answer is not None, "an answer ends with Done"
    return Whole(answer, first.understood, kept, followups, note or (labels.not_kept if kept.failed else ""))
