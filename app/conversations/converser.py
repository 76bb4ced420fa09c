"""A question in its conversation, from understanding it to what may be asked next."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog

from app.answering.types import Answer, AnswerEvent, Done, Question, SentenceReady, SentenceWithheld
from app.conversations.events import Asking, ConversingEvent, FollowUpsFound, Kept, QuestionUnderstood
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.standalone.completion import understand
from app.conversations.standalone.context import Said, Understood
from app.conversations.standalone.leaning import SAID, lent
from app.conversations.standalone.rewriter import Rewriter
from app.conversations.storage.conversation_file import Conversations, UnknownConversation, new_id
from app.conversations.storage.feedback import FeedbackFile, Reason, Verdict, feedback_on
from app.conversations.turns import Conversation, FollowUp, Turn, as_it_stands, said
from app.conversations.validity import standing, standing_whole, stands
from retrieval.errors import FixableError
from retrieval.types import Post

_log = structlog.get_logger()
_Result = TypeVar("_Result")
_LOOKING_AT_ONCE = 2  # askers for whom follow-ups are looked for at a time; others go without


class ConversationsUnusable(FixableError):
    """The file of the conversations, or of the feedback, cannot be used."""


class Answering(Protocol):
    """What a conversation needs of the process around it."""

    def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """The events of an answer; see Answerer.answer."""
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
        conversations, feedback: None where the settings keep none.
        followups: None looks for none.
        rewriter: None leaves it to the rules to understand what leans on earlier questions.
    """

    def __init__(
        self,
        answering: Answering,
        conversations: Conversations | None,
        feedback: FeedbackFile | None,
        followups: FollowUps | None,
        rewriter: Rewriter | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._answering, self._conversations, self._feedback = answering, conversations, feedback
        self._followups, self._rewriter, self._clock = followups, rewriter, clock
        self._looking = asyncio.Semaphore(_LOOKING_AT_ONCE)

    @property
    def keeps(self) -> bool:
        """Whether conversations are kept at all."""
        return self._conversations is not None

    async def ask(self, asking: Asking) -> AsyncGenerator[ConversingEvent, None]:
        """QuestionUnderstood, then the events of the answer, with Kept before Done, then FollowUpsFound.

        Closing the iterator early stops the model; the turn is then not kept.

        Raises:
            UnknownConversation, ConversationFull: It cannot be asked there; before the first event.
            FixableError: The index cannot be read.
        """
        turns, readable = await self._before(asking)
        before = await self._said(turns)
        if self._rewriter is not None and before:
            understood = await self._rewriter.understand(asking.text, before)
        else:
            understood = understand(asking.text, before)
        question = Question(understood.question, lent(understood, asking.filters, turns))
        yield QuestionUnderstood(understood, question)
        async with aclosing(self._answering.answer(question)) as events:
            async for event in events:
                if isinstance(event, SentenceReady) and not await stands(event.sentence, self._answering.posts):
                    yield SentenceWithheld("forgotten")
                    continue
                if not isinstance(event, Done):
                    yield event
                    continue
                answer = await standing(event.answer, self._answering.posts)
                kept = await self._keep(asking, understood, answer, readable)
                yield kept
                yield Done(answer)
                if asking.followups:
                    earlier = [question for turn in turns for question in (turn.asked, turn.understood.question)]
                    found = await self._next(understood.question, await self.as_it_stands(answer), earlier, kept)
                    yield FollowUpsFound(tuple(one.question for one in found))

    async def as_it_stands(self, answer: Answer) -> Answer:
        """The answer without what was forgotten since, hits and sentences; its marks count the hits that are left."""
        return await standing_whole(answer, self._answering.posts)

    async def conversation(self, conversation: str) -> tuple[Conversation, Mapping[str, Post]]:
        """A conversation as it stands now, and the posts that it was answered from, by id, as far as they are there.

        Raises:
            UnknownConversation: There is none of this id.
            FixableError: It, or the index, cannot be read.
        """
        if self._conversations is None:
            raise UnknownConversation(conversation)
        read = await self._usable(self._conversations.read, conversation)
        ids = list(dict.fromkeys(one for turn in read.turns for one in turn.shown if one))
        posts = await asyncio.to_thread(self._answering.posts, ids)
        return replace(read, turns=tuple(as_it_stands(turn, posts) for turn in read.turns)), posts

    async def delete(self, conversation: str) -> None:
        """Delete a conversation.

        Raises:
            UnknownConversation: There is none of this id.
            FixableError: The file cannot be used.
        """
        if self._conversations is None or not await self._usable(self._conversations.delete, conversation):
            raise UnknownConversation(conversation)

    async def judge(self, answer_id: str, verdict: Verdict, reason: Reason, words: str) -> None:
        """Keep what somebody said of an answer; what was said of it before is replaced.

        Raises:
            UnknownConversation: No answer of this id is kept.
            FixableError: A file, or the index, cannot be used.
        """
        if self._conversations is None or self._feedback is None:
            raise UnknownConversation(answer_id)
        turn = await self._usable(self._conversations.turn, answer_id)
        if turn is None:
            raise UnknownConversation(answer_id)
        posts = await asyncio.to_thread(self._answering.posts, [one for one in turn.shown if one])
        feedback = feedback_on(as_it_stands(turn, posts), posts, verdict, reason, words, self._clock())
        await self._usable(self._feedback.give, feedback)

    async def verdict(self, answer_id: str) -> Verdict | None:
        """What was said of an answer; None where nothing was, or it cannot be read."""
        if self._feedback is None or not answer_id:
            return None
        try:
            return await asyncio.to_thread(self._feedback.verdict, answer_id)
        except (sqlite3.Error, OSError):
            return None

    def forget(self, post_ids: Sequence[str]) -> int:
        """Withdraw what was said from these posts, in conversations and feedback; returns how many answers changed.

        For whoever deletes posts; called from a thread.

        Raises:
            ConversationsUnusable: A file cannot be used; the posts are still in it.
        """
        try:
            changed = self._conversations.forget(post_ids) if self._conversations is not None else 0
            return changed + (self._feedback.forget(post_ids) if self._feedback is not None else 0)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(error) from error

    async def _before(self, asking: Asking) -> tuple[tuple[Turn, ...], bool]:
        """The turns before a question, and whether they could be read."""
        if self._conversations is None or not asking.conversation or asking.conversation == "new":
            return (), True
        try:
            await asyncio.to_thread(self._conversations.room, asking.conversation)
            read = await asyncio.to_thread(self._conversations.read, asking.conversation)
        except (sqlite3.Error, OSError) as error:
            _warn(error)
            return (), False
        return read.turns, True

    async def _said(self, turns: Sequence[Turn]) -> list[Said]:
        recent = turns[-SAID:]
        if not recent:
            return []
        ids = list(dict.fromkeys(one for turn in recent for one in turn.cited()))
        try:
            posts = await asyncio.to_thread(self._answering.posts, ids)
        except FixableError:  # told by whoever searches
            posts = {}
        return said(recent, posts)

    async def _keep(self, asking: Asking, understood: Understood, answer: Answer, readable: bool) -> Kept:
        if self._conversations is None or not asking.conversation:
            return Kept()
        if not readable:
            return Kept(failed=True)
        shown = tuple(hit.post.id for hit in answer.hits)
        turn = Turn(0, new_id(), asking.typed, understood, answer, shown, self._clock())
        try:
            conversation, turn = await asyncio.to_thread(self._conversations.add, asking.conversation, turn)
            # Whoever forgets a post from now on finds the turn; for one that went before, nobody looks here again.
            await self._forget_missing([one for one in shown if one])
        except (sqlite3.Error, OSError) as error:
            _warn(error)
            return Kept(failed=True)
        return Kept(conversation, turn.answer_id, turn.number)

    async def _forget_missing(self, post_ids: Sequence[str]) -> None:
        try:
            there = await asyncio.to_thread(self._answering.posts, post_ids)
        except FixableError:
            return
        if gone := [one for one in post_ids if one not in there]:
            await asyncio.to_thread(self.forget, gone)

    async def _next(self, asked: str, answer: Answer, earlier: Sequence[str], kept: Kept) -> list[FollowUp]:
        if self._followups is None or self._looking.locked():
            return []
        async with self._looking:
            try:
                found = await asyncio.to_thread(self._followups.find, asked, answer, earlier)
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
        f"what was kept cannot be used: {error}",
        "see that there is room on the disk and that the folder can be written; a damaged conversations.sqlite or"
        " feedback.sqlite can be deleted while Stipple runs",
    )


def _warn(error: sqlite3.Error | OSError) -> None:
    _log.warning(
        "conversations cannot be kept", problem=f"{type(error).__name__}: {error}", fix="see docs/operating.md"
    )
