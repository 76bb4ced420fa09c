"""A conversation from question to question, whatever happens to the file that it is kept in."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.answering.types import Answer, AnswerEvent, Done, Evidence, HitsFound, Question, SentenceReady
from app.conversations.converser import ConversationsUnusable, Converser
from app.conversations.events import AskRequest, ConversationEvent, ConversationQuestion, FollowUpsFound, Kept
from app.conversations.followups.followup_finder import FollowUps
from app.conversations.storage.conversation_file import NEW, ConversationFile, ConversationFull, UnknownConversation
from app.conversations.storage.feedback import FeedbackFile
from app.conversations.turns import Turn
from retrieval.errors import FixableError
from retrieval.types import Filters, Post, SearchPage
from tests.app.conversations.kept import BLUE, POSTS, an_answer

_T = TypeVar("_T")


@dataclass
class Answers:
    """Answers each question from the two posts; counts the answers that were ended."""

    posts_now: dict[str, Post] = field(default_factory=lambda: dict(POSTS))
    asked: list[Question] = field(default_factory=list)
    closed: int = 0
    counted: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def answer(
        self, question: Question, page: SearchPage | None = None, *, refuse_when_busy: bool = False
    ) -> AsyncIterator[AsyncIterator[AnswerEvent]]:
        async with aclosing(self.events(question)) as events:
            yield events

    def answered(self, answer: Answer) -> None:
        self.counted.append(answer.question.text)

    async def events(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        answer = replace(an_answer(), question=question)
        try:
            yield HitsFound(answer.hits, "en")
            for sentence in answer.sentences:
                await asyncio.sleep(0)
                yield SentenceReady(sentence)
            yield Done(answer)
        finally:
            self.closed += 1

    def posts(self, ids: Sequence[str]) -> Mapping[str, Post]:
        return {one: self.posts_now[one] for one in ids if one in self.posts_now}

    def evidence_for(self, question: Question) -> Sequence[Evidence]:
        return [Evidence(1, "blue", "text", None, 25, 51, "They open at 9 every day.", 0.9)]


class Full(ConversationFile):
    """A file on a full disk."""

    def add(self, conversation: str, turn: Turn) -> tuple[str, Turn]:
        raise OSError(errno.ENOSPC, "No space left on device")


def conversations(folder: Path, turns: int = 5) -> ConversationFile:
    return ConversationFile(folder / "conversations.sqlite", turns=turns, most=99, days=9)


def a_converser(
    folder: Path, answers: Answers, kept: ConversationFile | None = None, *, keep: bool = True
) -> Converser:
    kept = (kept or conversations(folder)) if keep else None
    return Converser(answers, kept, FeedbackFile(folder / "feedback.sqlite"), FollowUps(answers, 3))


def asked(converser: Converser, question: str, conversation: str = NEW, filters: Filters | None = None) -> list[Any]:
    async def ask() -> list[ConversationQuestion | ConversationEvent]:
        completed = await converser.complete(AskRequest(question, question, filters or Filters(), conversation))
        return [completed, *[event async for event in converser.answer(completed)]]

    return asyncio.run(ask())


def one(events: Sequence[object], kind: type[_T]) -> _T:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def run(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)


def test_a_follow_up_is_understood_from_the_turn_before_and_kept_behind_it(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers)
    filters = Filters(tags=("coffee",))
    first = one(asked(converser, "How much is a flat white at Blue Door?", filters=filters), Kept)
    events = asked(converser, "when does it open?", first.conversation)
    assert [type(event) for event in events[:2]] == [ConversationQuestion, HitsFound]
    assert [type(event) for event in events[-3:]] == [Kept, Done, FollowUpsFound]
    assert answers.asked[-1] == Question("when does Blue Door open?", filters), "what it leans on lends its filters too"
    conversation, posts = run(converser.conversation(first.conversation))
    assert [turn.asked for turn in conversation.turns] == [
        "How much is a flat white at Blue Door?", "when does it open?",
    ]  # fmt: skip
    assert set(posts) == {"blue", "red"}


def test_a_question_with_filters_of_its_own_or_without_need_of_context_inherits_none(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers)
    kept = one(asked(converser, "flat white at Blue Door", filters=Filters(tags=("coffee",))), Kept)
    asked(converser, "when does it open?", kept.conversation, Filters(languages=("zh",)))
    asked(converser, "How do I register a dog in Berlin?", kept.conversation)
    assert [question.filters for question in answers.asked[1:]] == [Filters(languages=("zh",)), Filters()]


def test_follow_ups_come_after_the_answer_and_are_kept_with_it(tmp_path: Path) -> None:
    converser = a_converser(tmp_path, Answers())
    events = asked(converser, "quiet cafe")
    found = one(events, FollowUpsFound).questions
    assert found
    conversation, _ = run(converser.conversation(one(events, Kept).conversation))
    assert tuple(followup.question for followup in conversation.turns[0].followups) == found


def test_without_a_conversation_nothing_is_kept(tmp_path: Path) -> None:
    events = asked(a_converser(tmp_path, Answers()), "flat white", "")
    assert one(events, Kept) == Kept()
    assert list(tmp_path.iterdir()) == []


def test_where_none_are_kept_each_question_is_alone_and_there_is_nothing_to_read(tmp_path: Path) -> None:
    converser = a_converser(tmp_path, Answers(), keep=False)
    assert not converser.keeps
    assert one(asked(converser, "when does it open?"), Kept) == Kept()
    with pytest.raises(UnknownConversation):
        run(converser.conversation("a" * 22))


def test_an_unknown_or_full_conversation_is_told_before_anything_is_looked_for(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers, conversations(tmp_path, turns=1))
    with pytest.raises(UnknownConversation):
        asked(converser, "and now?", "a" * 22)
    kept = one(asked(converser, "flat white"), Kept)
    with pytest.raises(ConversationFull):
        asked(converser, "and now?", kept.conversation)
    assert len(answers.asked) == 1


def test_on_a_full_disk_the_answer_comes_all_the_same_and_says_that_it_is_not_kept(tmp_path: Path) -> None:
    full = Full(tmp_path / "conversations.sqlite", turns=5, most=9, days=9)
    events = asked(a_converser(tmp_path, Answers(), full), "flat white")
    assert one(events, Kept) == Kept(failed=True)
    assert one(events, Done).answer.sentences
    assert one(events, FollowUpsFound).questions


def test_with_a_damaged_file_questions_are_answered_alone_and_reading_says_what_to_mend(tmp_path: Path) -> None:
    (tmp_path / "conversations.sqlite").write_bytes(b"no database" * 200)
    converser = a_converser(tmp_path, Answers())
    events = asked(converser, "when does it open?", "a" * 22)
    assert one(events, ConversationQuestion).standalone.question == "when does it open?"
    assert one(events, Kept).failed
    for work in (converser.conversation("a" * 22), converser.judge("a" * 22, "up", "", "")):
        with pytest.raises(ConversationsUnusable) as refused:
            run(work)
        assert "deleted" in refused.value.fix
    with pytest.raises(ConversationsUnusable):
        converser.forget(["red"])


def test_an_asker_who_leaves_stops_the_answer_and_leaves_no_turn(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers)

    async def leave() -> None:
        events = converser.answer(await converser.complete(AskRequest("flat white", "flat white", conversation=NEW)))
        async for event in events:
            if isinstance(event, SentenceReady):
                break
        await events.aclose()

    run(leave())
    assert answers.closed == 1
    assert not (tmp_path / "conversations.sqlite").exists()


def test_fifty_askers_at_once_are_all_answered_and_kept(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers)

    async def ask(number: int) -> str:
        asked = await converser.complete(AskRequest(f"flat white {number}", f"flat white {number}", conversation=NEW))
        return one([event async for event in converser.answer(asked)], Kept).conversation

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(ask(number) for number in range(50)))

    assert len(set(run(all_of_them()))) == 50
    assert answers.closed == 50


def test_a_post_that_is_gone_or_changed_takes_its_sentences_along(tmp_path: Path) -> None:
    answers = Answers()
    converser = a_converser(tmp_path, answers)
    kept = one(asked(converser, "flat white"), Kept)
    del answers.posts_now["red"]
    answers.posts_now["blue"] = replace(BLUE, text=BLUE.text.replace("28", "32"))
    conversation, _ = run(converser.conversation(kept.conversation))
    (turn,) = conversation.turns
    assert [sentence.text for sentence in turn.answer.sentences] == ["Closed on Mondays now."]
    assert turn.withdrawn == 2


def test_feedback_is_kept_for_answers_that_are_and_refused_for_others(tmp_path: Path) -> None:
    converser = a_converser(tmp_path, Answers())
    kept = one(asked(converser, "flat white"), Kept)
    run(converser.judge(kept.answer_id, "down", "outdated", "32 now"))
    assert run(converser.verdict(kept.answer_id)) == "down"
    assert run(converser.verdict("a" * 22)) is None
    for unknown in ("a" * 22, "", "x"):
        with pytest.raises(UnknownConversation):
            run(converser.judge(unknown, "up", "", ""))


def test_forgetting_reaches_conversations_and_feedback(tmp_path: Path) -> None:
    converser = a_converser(tmp_path, Answers())
    kept = one(asked(converser, "flat white"), Kept)
    run(converser.judge(kept.answer_id, "up", "", ""))
    assert converser.forget(["red"]) == 2
    assert not any(b"Red Door asks" in path.read_bytes() for path in tmp_path.iterdir())


def test_deleting_a_conversation_twice_says_that_it_is_gone(tmp_path: Path) -> None:
    converser = a_converser(tmp_path, Answers())
    kept = one(asked(converser, "flat white"), Kept)
    run(converser.delete(kept.conversation))
    with pytest.raises(UnknownConversation):
        run(converser.delete(kept.conversation))


def test_an_index_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    class Broken(Answers):
        async def events(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
            raise FixableError("no index", "run stipple reindex")
            yield  # an async generator, as the real one

    with pytest.raises(FixableError, match="no index"):
        asked(a_converser(tmp_path, Broken()), "flat white")


@dataclass
class Forgetful(Answers):
    """Somebody forgets a post while an answer from it is written: before its last sentence, or at its end."""

    at_the_end: bool = False

    async def events(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        answer = replace(an_answer(), question=question)
        yield HitsFound(answer.hits, "en")
        yield SentenceReady(answer.sentences[0])
        if not self.at_the_end:
            del self.posts_now["red"]
        yield SentenceReady(answer.sentences[1])
        if self.at_the_end:
            del self.posts_now["red"]
        yield Done(answer)


@pytest.mark.parametrize("at_the_end", [False, True])
def test_a_post_forgotten_while_an_answer_is_written_is_neither_told_nor_kept(tmp_path: Path, at_the_end: bool) -> None:
    converser = a_converser(tmp_path, Forgetful(at_the_end=at_the_end))
    events = asked(converser, "how much?")
    told = [event.sentence.text for event in events if isinstance(event, SentenceReady)]
    assert ("Others ask 30 yuan." in told) == at_the_end
    done = one(events, Done).answer
    assert [len(done.sentences), done.withheld_by["forgotten"]] == [2, 1]
    assert b"30 yuan" not in (tmp_path / "conversations.sqlite").read_bytes()


class ForgottenWhileKept(ConversationFile):
    """Somebody forgets a post after it was last looked for, and before the turn is kept."""

    answers: Answers

    def add(self, conversation: str, turn: Turn) -> tuple[str, Turn]:
        self.answers.posts_now.pop("red", None)
        return super().add(conversation, turn)


def test_a_post_forgotten_just_before_its_answer_is_kept_is_taken_out_of_it(tmp_path: Path) -> None:
    kept = ForgottenWhileKept(tmp_path / "conversations.sqlite", turns=5, most=99, days=9)
    kept.answers = Answers()
    converser = a_converser(tmp_path, kept.answers, kept)
    events = asked(converser, "how much?")
    turn = kept.turn(one(events, Kept).answer_id)
    assert turn is not None
    assert [len(turn.answer.sentences), turn.withdrawn, turn.shown] == [2, 1, ("blue", "")]
