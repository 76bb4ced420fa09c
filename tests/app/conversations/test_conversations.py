"""What is kept of conversations, for how long, and how a post is forgotten from them."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.conversations.standalone.context import StandaloneQuestion
from app.conversations.storage.conversation_file import (
    NEW,
    ConversationFile,
    ConversationFull,
    UnknownConversation,
    is_id,
    new_id,
)
from app.conversations.turns import earlier_questions, quote_is_valid, valid_turn, without_posts
from retrieval.types import Post
from tests.app.conversations.kept import BLUE, POSTS, RED, a_turn, an_answer, cites


@pytest.fixture
def kept(tmp_path: Path) -> ConversationFile:
    return ConversationFile(tmp_path / "data" / "conversations.sqlite", turns=3, most=2, days=30)


def traces(folder: Path, words: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def test_a_turn_is_read_as_it_was_kept_but_for_the_words_of_its_posts(kept: ConversationFile) -> None:
    turn = a_turn("那多少钱？")
    conversation, added = kept.add(NEW, turn)
    read = kept.read(conversation).turns[0]
    assert replace(read, answer=added.answer) == added
    assert (read.asked, read.number, read.shown) == ("那多少钱？", 1, ("blue", "red"))
    assert read.answer.hits == ()
    assert read.answer.sentences == an_answer().sentences
    assert read.answer.question.text == read.standalone.question


def test_only_this_user_may_read_the_file_and_a_posts_other_words_are_not_in_it(
    kept: ConversationFile, tmp_path: Path
) -> None:
    kept.add(NEW, a_turn())
    files = list((tmp_path / "data").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert traces(tmp_path, "A flat white is 28 yuan.")
    assert not traces(tmp_path, "They open at 9")


def test_ids_are_long_and_never_the_same() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(map(is_id, ids))
    assert not any(map(is_id, ("", "new", "a" * 21, "a" * 23, "../../etc/passwd00000", "é" * 22)))


@pytest.mark.parametrize("conversation", ["", "x", "a" * 22, "' OR 1=1 --", "\x00", "对话"])
def test_an_unknown_id_is_told_whatever_its_shape(kept: ConversationFile, conversation: str) -> None:
    for _ in range(2):  # without a file, and with one
        with pytest.raises(UnknownConversation):
            kept.read(conversation)
        assert not kept.delete(conversation)
        assert kept.turn(conversation) is None
        kept.add(NEW, a_turn())
    with pytest.raises(UnknownConversation):
        kept.add("a" * 22, a_turn())


def test_a_full_conversation_takes_no_more_and_stays_what_it_was(kept: ConversationFile) -> None:
    conversation, _ = kept.add(NEW, a_turn())
    kept.add(conversation, a_turn())
    kept.check_room(conversation)
    kept.add(conversation, a_turn())
    for ask in (lambda: kept.check_room(conversation), lambda: kept.add(conversation, a_turn())):
        with pytest.raises(ConversationFull, match="3 questions"):
            ask()
    assert [turn.number for turn in kept.read(conversation).turns] == [1, 2, 3]


def test_of_more_conversations_than_are_kept_those_that_rested_longest_go(tmp_path: Path) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    clock = iter(now + timedelta(minutes=minute) for minute in range(100))
    kept = ConversationFile(tmp_path / "c.sqlite", turns=9, most=2, days=30, clock=lambda: next(clock))
    first, _ = kept.add(NEW, a_turn())
    second, _ = kept.add(NEW, a_turn())
    kept.add(first, a_turn())
    third, _ = kept.add(NEW, a_turn())
    assert kept.read(first).turns
    assert kept.read(third).turns
    with pytest.raises(UnknownConversation):
        kept.read(second)


def test_a_conversation_that_is_too_old_is_gone_and_its_words_with_it(tmp_path: Path) -> None:
    moment = [datetime(2026, 5, 1, tzinfo=UTC)]
    kept = ConversationFile(tmp_path / "c.sqlite", turns=9, most=9, days=1, clock=lambda: moment[0])
    old, _ = kept.add(NEW, a_turn("an old question"))
    moment[0] += timedelta(days=2)
    with pytest.raises(UnknownConversation):
        kept.read(old)
    kept.add(NEW, a_turn())
    assert not traces(tmp_path, "an old question")


def test_deleting_a_conversation_leaves_nothing_of_it_on_the_disk(kept: ConversationFile, tmp_path: Path) -> None:
    conversation, turn = kept.add(NEW, a_turn("a very private question"))
    other, _ = kept.add(NEW, a_turn("another"))
    assert kept.delete(conversation)
    assert not kept.delete(conversation)
    assert kept.turn(turn.answer_id) is None
    assert not traces(tmp_path, "a very private question")
    assert kept.read(other).turns


def test_forgetting_a_post_withdraws_what_cited_it_and_leaves_the_rest_with_its_marks(
    kept: ConversationFile, tmp_path: Path
) -> None:
    conversation, _ = kept.add(NEW, a_turn())
    of_blue = an_answer(sentences=an_answer().sentences[:1])
    later = a_turn(
        "and there?", StandaloneQuestion("What about Red Door?", "rules"), shown=("blue",), answer=of_blue, followups=()
    )
    kept.add(conversation, later)
    assert kept.forget(["red", "unheard of"]) == 1
    first, second = kept.read(conversation).turns
    assert [sentence.text for sentence in first.answer.sentences] == [
        "A flat white is 28 yuan at Blue Door.", "Closed on Mondays now.",
    ]  # fmt: skip
    assert (first.withdrawn, first.shown) == (1, ("blue", ""))
    assert [citation.mark for sentence in first.answer.sentences for citation in sentence.citations] == [1, 1]
    assert [one.question for one in first.followups] == ["When does Blue Door open?"]
    assert second.standalone == StandaloneQuestion("and there?"), "it was completed with what the forgotten post names"
    assert not traces(tmp_path, "Red Door asks 30 yuan")
    assert kept.forget(["red"]) == 0


def test_what_an_older_release_wrote_is_passed_over_and_forgotten_whole(kept: ConversationFile, tmp_path: Path) -> None:
    conversation, _ = kept.add(NEW, a_turn())
    with sqlite3.connect(tmp_path / "data" / "conversations.sqlite") as connection:
        connection.execute('UPDATE turns SET answer = \'{"was": "Red Door asks"}\'')
    connection.close()
    assert kept.read(conversation).turns == ()
    assert kept.forget(["red"]) == 1
    assert not traces(tmp_path, "Red Door asks")


def test_a_damaged_file_is_said_and_not_overwritten(kept: ConversationFile, tmp_path: Path) -> None:
    path = tmp_path / "data" / "conversations.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is not a database at all" * 100)
    for use in (lambda: kept.add(NEW, a_turn()), lambda: kept.read(new_id()), lambda: kept.forget(["red"])):
        with pytest.raises(sqlite3.DatabaseError):
            use()
    assert path.read_bytes().startswith(b"this is not a database")


def test_fifty_askers_at_once_each_get_a_turn_of_their_own(tmp_path: Path) -> None:
    kept = ConversationFile(tmp_path / "c.sqlite", turns=100, most=100, days=1)
    shared, _ = kept.add(NEW, a_turn())
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda _: kept.add(shared, a_turn())[1].number, range(50)))
        others = set(pool.map(lambda _: kept.add(NEW, a_turn())[0], range(50)))
    assert sorted(numbers) == list(range(2, 52))
    assert len(others) == 50


def test_a_lone_surrogate_costs_a_character_and_not_the_turn(kept: ConversationFile) -> None:
    conversation, _ = kept.add(NEW, a_turn("what \ud800 is it"))
    assert kept.read(conversation).turns[0].asked == "what ? is it"


@pytest.fixture
def posts() -> dict[str, Post]:
    return dict(POSTS)


def test_a_quote_is_valid_while_its_post_says_it_in_the_same_place() -> None:
    citation = cites(BLUE, "A flat white is 28 yuan.", 1)
    assert quote_is_valid(citation, POSTS)
    moved = Post("blue", BLUE.title, "Update: " + BLUE.text)
    assert not quote_is_valid(citation, {"blue": moved})
    assert not quote_is_valid(citation, {"red": RED})
    assert not quote_is_valid(cites(BLUE, "Closed on Mondays now.", 1), {"blue": Post("blue", BLUE.title, BLUE.text)})


def test_a_turn_read_again_shows_only_what_its_posts_still_say(posts: dict[str, Post]) -> None:
    whole = a_turn()
    assert valid_turn(whole, posts) == whole
    del posts["red"]
    turn = valid_turn(a_turn(), posts)
    assert turn.withdrawn == 1
    assert [one.question for one in turn.followups] == ["When does Blue Door open?"]


def test_a_turn_without_the_forgotten_post_is_the_very_same() -> None:
    turn = a_turn()
    assert without_posts(turn, {"green"}) is turn


def test_what_was_said_before_carries_the_titles_of_the_cited_posts(posts: dict[str, Post]) -> None:
    assert earlier_questions([a_turn()], posts)[0].titles == ("Blue Door, the corner cafe", "Red Door")
    assert earlier_questions([a_turn()], {})[0].titles == ()
