"""A page's question: where it stands in its conversation, its one search, and the answer made from those hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from app.answering.types import Answer, Done
from app.conversations.converser import Converser
from app.conversations.events import AskRequest, ConversationQuestion, FollowUpsFound, Kept
from app.conversations.standalone.completion import complete_after
from app.conversations.standalone.context import StandaloneQuestion
from app.conversations.storage.conversation_file import NEW, ConversationFull, UnknownConversation
from app.conversations.turns import Turn
from app.recent_searches import RecentSearches
from app.web.page.page_request import PageRequest
from app.web.page.words.labels import Labels
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.types import Filters, Post, SearchPage, SearchQuery


class PageServices(Protocol):
    """What the page needs of `app.state.services`."""

    @property
    def answer_hits(self) -> int: ...

    @property
    def converser(self) -> Converser: ...

    @property
    def recent_searches(self) -> RecentSearches: ...

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]: ...

    async def like(self, post: Post, limit: int) -> Sequence[Post]: ...

    async def read_query(self, typed: str, given: Filters | None = None) -> ParsedQuery: ...

    async def search(self, query: SearchQuery) -> SearchPage: ...


@dataclass(frozen=True, slots=True)
class ConversationPlace:
    """Where a question stands in its conversation.

    Attributes:
        asked: Without the conversation, if that is gone.
        turns: All that are kept of it, as they are valid now.
        posts: That they were answered from, by id.
        note: Why the question stands alone; "" if nothing is wrong.
    """

    asked: PageRequest
    turns: tuple[Turn, ...] = ()
    posts: Mapping[str, Post] | None = None
    note: str = ""


async def conversation_place(services: PageServices, asked: PageRequest, labels: Labels) -> ConversationPlace:
    """Read the conversation that an address names; one that cannot be read costs its context, not the answer."""
    if not asked.conversation:
        return ConversationPlace(asked)
    try:
        conversation, posts = await services.converser.conversation(asked.conversation)
    except UnknownConversation:
        return ConversationPlace(asked.within("", 0), note=labels.conversation_gone)
    except FixableError:
        return ConversationPlace(asked.within("", 0), note=labels.not_kept)
    following = conversation.turns[-1].number + 1 if conversation.turns else 1
    return ConversationPlace(replace(asked, turn=asked.turn or following), conversation.turns, posts)


def completed(
    query: ParsedQuery, turns: Sequence[Turn], posts: Mapping[str, Post]
) -> tuple[ParsedQuery, StandaloneQuestion]:
    """The query, completed by rules from the turns before it: a page cannot wait for a model to do so."""
    if not query.text:
        return query, StandaloneQuestion(query.text)
    standalone, filters = complete_after(turns, posts, query.text, query.filters)
    return replace(query, text=standalone.question, filters=filters), standalone


async def conversation_question(
    services: PageServices, asked: PageRequest, query: ParsedQuery, labels: Labels
) -> tuple[ConversationQuestion, str]:
    """The question ready to be answered, and a note; "" if there is nothing to note.

    If its conversation is full or gone, the question starts a new one.
    """
    request = AskRequest(asked.text, query.text, query.filters, asked.conversation or NEW)
    try:
        return await services.converser.complete(request), ""
    except UnknownConversation:
        note = labels.conversation_gone
    except ConversationFull:
        note = labels.conversation_full
        place = await conversation_place(services, asked, labels)
        query, _ = completed(query, place.turns, place.posts or {})
    request = replace(request, text=query.text, filters=query.filters, conversation=NEW)
    return await services.converser.complete(request), note


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """An answer with all that comes after it."""

    answer: Answer
    kept: Kept
    followups: tuple[str, ...]


async def whole_answer(services: PageServices, question: ConversationQuestion, found: SearchPage) -> WholeAnswer:
    """The answer made from the hits found.

    Raises:
        FixableError: The index cannot be read.
    """
    kept, followups, answer = Kept(), tuple[str, ...](), None
    async with aclosing(services.converser.answer(question, found)) as events:
        async for event in events:
            match event:
                case Kept():
                    kept = event
                case Done():
                    answer = event.answer
                case FollowUpsFound():
                    followups = event.questions
    assert answer is not None, "an answer ends with Done"
    return WholeAnswer(answer, kept, followups)
