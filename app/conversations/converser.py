"""A question in its conversation: completed, answered, kept, and followed by questions that may be asked next."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog

from app.answering.types import Answer, AnswerEvent, Done, Question, SentenceReady, SentenceWithheld
from app.asker import asker
from app.conversations.events import AskRequest, ConversationEvent, ConversationQuestion, FollowUpsFound, Kept
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.standalone.completion import complete, inherited
from app.conversations.standalone.context import EarlierQuestion, StandaloneQuestion
from app.conversations.standalone.rewriter import Rewriter
from app.conversations.storage.conversation_file import NEW, ConversationFile, UnknownConversation, new_id
from app.conversations.storage.feedback import FeedbackFile, Reason, Verdict, feedback_on
from app.conversations.turns import Conversation, FollowUp, Turn, earlier_questions, recent_posts, valid_turn
from app.conversations.validity import is_valid, valid_answer, with_valid_sentences
from retrieval.errors import FixableError
from retrieval.types import Post, SearchPage

_log = structlog.get_logger()
_Result = TypeVar("_Result")
_FOLLOW_UP_SEARCHES = 2  # at a time; further answers get no follow-up questions


class ConversationsUnusable(FixableError):
    """The file of the conversations, or of the feedback, cannot be used."""


class Answering(Protocol):
    """What a conversation needs of the process around it."""

    def answer(
        self, question: Question, page: SearchPage | None = None, *, refuse_when_busy: bool = False
    ) -> AbstractAsyncContextManager[AsyncIterator[AnswerEvent]]:
        """The events of an answer; see Answerer.answer. Leaving the context early stops the model."""
        ...

    def answered(self, answer: Answer) -> None:
        """An answer is about to be shown."""
        ...

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        """Posts of the live generation, without those that are gone. Called from threads.

        Raises:
            FixableError: The index cannot be read.
        """
        ...


class Converser:
    """Answers questions within conversations.

    Args:
        conversations, feedback: None if the settings keep none.
        followups: None looks for none.
        rewriter: None completes follow-up questions by rules alone.
    """

    def __init__(
        self,
        answering: Answering,
        conversations: ConversationFile | None,
        feedback: FeedbackFile | None,
        followups: FollowUps | None,
        rewriter: Rewriter | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._answering, self._conversations, self._feedback = answering, conversations, feedback
        self._followups, self._rewriter, self._clock = followups, rewriter, clock
        self._follow_up_searches = asyncio.Semaphore(_FOLLOW_UP_SEARCHES)

    @property
    def keeps(self) -> bool:
        """Whether conversations are kept at all."""
        return self._conversations is not None

    async def complete(self, request: AskRequest) -> ConversationQuestion:
        """The question as it will be answered, completed from its conversation.

        Raises:
            UnknownConversation, ConversationFull: It cannot be asked there.
        """
        turns, readable = await self._turns(request.conversation)
        earlier = earlier_questions(turns, await self._posts(recent_posts(turns)))
        standalone = await self.standalone(request.text, earlier)
        question = Question(standalone.question, inherited(request.filters, standalone, turns))
        asked = tuple(question for turn in turns for question in (turn.asked, turn.standalone.question))
        return ConversationQuestion(request, standalone, question, asked, readable)

    async def standalone(self, asked: str, earlier: Sequence[EarlierQuestion]) -> StandaloneQuestion:
        """A question completed from earlier ones, by the model where there is one that can."""
        if self._rewriter is not None and earlier:
            return await self._rewriter.complete(asked, earlier)
        return complete(asked, earlier)

    async def answer(
        self, asked: ConversationQuestion, page: SearchPage | None = None
    ) -> AsyncGenerator[ConversationEvent, None]:
        """The events of the answer, with Kept before Done, then FollowUpsFound.

        Closing the iterator early stops the model; the turn is then not kept.

        Args:
            page: The hits to answer from, as Answerer.answer takes them; None searches for them.

        Raises:
            QueueFull: Too many wait for the model, and the request asks to be refused then.
            FixableError: The index cannot be read.
        """
        refuse = asked.request.refuse_when_busy
        async with self._answering.answer(asked.question, page, refuse_when_busy=refuse) as events:
            async for event in events:
                if isinstance(event, SentenceReady) and not await is_valid(event.sentence, self._answering.posts):
                    yield SentenceWithheld("forgotten")
                    continue
                if not isinstance(event, Done):
                    yield event
                    continue
                self._answering.answered(event.answer)
                answer = await with_valid_sentences(event.answer, self._answering.posts)
                kept = await self._keep(asked, answer)
                yield kept
                yield Done(answer)
                if asked.request.followups:
                    next_ones = await self._follow_ups(asked, await self.valid_answer(answer), kept)
                    yield FollowUpsFound(tuple(one.question for one in next_ones))

    async def valid_answer(self, answer: Answer) -> Answer:
        """The answer without what was forgotten since, hits and sentences; its marks count the hits that are left."""
        return await valid_answer(answer, self._answering.posts)

    async def conversation(self, conversation: str) -> tuple[Conversation, Mapping[str, Post]]:
        """A conversation as it is valid now, and the posts that it was answered from, by id, if they still exist.

        Raises:
            UnknownConversation: No conversation has this id.
            FixableError: It, or the index, cannot be read.
        """
        if self._conversations is None:
            raise UnknownConversation(conversation)
        read = await self._usable(self._conversations.read, conversation)
        ids = list(dict.fromkeys(one for turn in read.turns for one in turn.shown if one))
        posts = await asyncio.to_thread(self._answering.posts, ids)
        return replace(read, turns=tuple(valid_turn(turn, posts) for turn in read.turns)), posts

    async def delete(self, conversation: str) -> None:
        """Delete a conversation.

        Raises:
            UnknownConversation: No conversation has this id.
            FixableError: The file cannot be used.
        """
        if self._conversations is None or not await self._usable(self._conversations.delete, conversation):
            raise UnknownConversation(conversation)

    async def judge(self, answer_id: str, verdict: Verdict, reason: Reason, words: str) -> None:
        """Keep feedback on an answer, in place of any earlier feedback on it.

        Raises:
            UnknownConversation: No answer with this id is kept.
            FixableError: A file, or the index, cannot be used.
        """
        if self._conversations is None or self._feedback is None:
            raise UnknownConversation(answer_id)
        turn = await self._usable(self._conversations.turn, answer_id)
        if turn is None:
            raise UnknownConversation(answer_id)
        posts = await asyncio.to_thread(self._answering.posts, [one for one in turn.shown if one])
        feedback = feedback_on(valid_turn(turn, posts), posts, verdict, reason, words, self._clock())
        await self._usable(self._feedback.give, feedback)

    async def verdict(self, answer_id: str) -> Verdict | None:
        """The verdict on an answer; None if there is none, or it cannot be read."""
        if self._feedback is None or not answer_id:
            return None
        try:
            return await asyncio.to_thread(self._feedback.verdict, answer_id)
        except (sqlite3.Error, OSError):
            return None

    def forget(self, post_ids: Sequence[str]) -> int:
        """Withdraw what these posts said, in conversations and feedback; returns how many answers changed.

        Called from a thread.

        Raises:
            ConversationsUnusable: A file cannot be used; it still holds the posts' words.
        """
        try:
            changed = self._conversations.forget(post_ids) if self._conversations is not None else 0
            return changed + (self._feedback.forget(post_ids) if self._feedback is not None else 0)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(error) from error

    async def _turns(self, conversation: str) -> tuple[tuple[Turn, ...], bool]:
        """The turns so far, and whether they could be read."""
        if self._conversations is None or not conversation or conversation == NEW:
            return (), True
        try:
            await asyncio.to_thread(self._conversations.check_room, conversation)
            read = await asyncio.to_thread(self._conversations.read, conversation)
        except (sqlite3.Error, OSError) as error:
            _warn(error)
            return (), False
        return read.turns, True

    async def _posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        try:
            return await asyncio.to_thread(self._answering.posts, ids) if ids else {}
        except FixableError:  # the search will report it
            return {}

    async def _keep(self, asked: ConversationQuestion, answer: Answer) -> Kept:
        conversation = asked.request.conversation
        if self._conversations is None or not conversation:
            return Kept()
        if conversation == NEW and answer.kind == "declined":
            return Kept()  # holds nothing to come back to, and would take the place of one that does
        if not asked.readable or (conversation == NEW and not asker().may_keep):
            return Kept(failed=True)
        shown = tuple(hit.post.id for hit in answer.hits)
        turn = Turn(0, new_id(), asked.request.typed, asked.standalone, answer, shown, self._clock())
        try:
            conversation, turn = await asyncio.to_thread(self._conversations.add, conversation, turn)
            # A post forgotten from now on is removed from this turn too; one forgotten before must be removed here.
            await self._forget_missing([one for one in shown if one])
        except (sqlite3.Error, OSError) as error:
            _warn(error)
            return Kept(failed=True)
        if asked.request.conversation == NEW:
            asker().began = True
        return Kept(conversation, turn.answer_id, turn.number)

    async def _forget_missing(self, post_ids: Sequence[str]) -> None:
        try:
            there = await asyncio.to_thread(self._answering.posts, post_ids)
        except FixableError:
            return
        if gone := [one for one in post_ids if one not in there]:
            await asyncio.to_thread(self.forget, gone)

    async def _follow_ups(self, asked: ConversationQuestion, answer: Answer, kept: Kept) -> list[FollowUp]:
        if self._followups is None or self._follow_up_searches.locked():
            return []
        async with self._follow_up_searches:
            try:
                found = await asyncio.to_thread(self._followups.find, asked.standalone.question, answer, asked.earlier)
                if found and kept.answer_id and self._conversations is not None:
                    await asyncio.to_thread(self._conversations.suggest, kept.answer_id, found)
            except FixableError as error:
                _log.warning("no follow-ups", problem=error.problem)
                return []
            except (sqlite3.Error, OSError) as error:
                _warn(error)
        return found

    async def _usable(self, work: Callable[..., _Result], *args: object) -> _Result:
        try:
            return await asyncio.to_thread(work, *args)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(error) from error


def _unusable(error: sqlite3.Error | OSError) -> ConversationsUnusable:
    _warn(error)
    return ConversationsUnusable(
        f"conversations or feedback cannot be read or written: {error}",
        "make sure that the disk has space and the folder is writable; a damaged conversations.sqlite or"
        " feedback.sqlite can be deleted while Stipple runs",
    )


def _warn(error: sqlite3.Error | OSError) -> None:
    _log.warning(
        "conversations cannot be kept", problem=f"{type(error).__name__}: {error}", fix="see docs/operating.md"
    )
