"""The conversations that are kept: data_dir/conversations.sqlite. Nothing about who asked is kept."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.conversations.standalone.context import StandaloneQuestion
from app.conversations.storage.answer_json import Unreadable, from_text, to_text
from app.conversations.storage.private_file import open_private, storable
from app.conversations.turns import Conversation, FollowUp, Turn, without_posts

NEW = "new"
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_BATCH = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (id TEXT PRIMARY KEY, last_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turns (
    answer_id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, asked TEXT NOT NULL, understood TEXT NOT NULL, understood_by TEXT NOT NULL,
    answer TEXT NOT NULL, shown TEXT NOT NULL, followups TEXT NOT NULL, withdrawn INTEGER NOT NULL,
    asked_at TEXT NOT NULL, UNIQUE (conversation, number));
CREATE TABLE IF NOT EXISTS given_from (
    post_id TEXT NOT NULL, answer_id TEXT NOT NULL REFERENCES turns (answer_id) ON DELETE CASCADE,
    PRIMARY KEY (post_id, answer_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS given_from_answer ON given_from (answer_id);
CREATE INDEX IF NOT EXISTS last ON conversations (last_at);
"""
_TURN = "number, answer_id, asked, understood, understood_by, answer, shown, asked_at, followups, withdrawn"


class UnknownConversation(LookupError):
    """No conversation has this id: it was deleted, has expired, or never existed."""


class ConversationFull(Exception):
    """The conversation has the most turns that one may have."""

    def __init__(self, most: int) -> None:
        super().__init__(f"this conversation has its {most} questions; start a new one")
        self.most = most


def new_id() -> str:
    """128 random bits, in 22 characters that are safe in an address."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Whether it has the shape of an id of a conversation or an answer."""
    return bool(_ID.fullmatch(text))


class ConversationFile:
    """The file.

    Every method raises sqlite3.Error or OSError if the file cannot be used.

    Args:
        turns: Most turns of one conversation.
        most: Conversations that are kept; beyond them, those unused for longest are deleted.
        days: How long one is kept after its last question.
    """

    def __init__(
        self, path: Path, turns: int, most: int, days: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path, self._turns, self._most, self._days, self._clock = path, turns, most, days, clock

    def add(self, conversation: str, turn: Turn) -> tuple[str, Turn]:
        """Keep a turn as the next of its conversation; returns the conversation's id, and the turn with its number.

        Args:
            conversation: Its id, or NEW.

        Raises:
            UnknownConversation, ConversationFull: Nothing is kept then.
        """
        with self._writing() as connection:
            now = _written(self._clock())
            if conversation == NEW:
                conversation = new_id()
                connection.execute("INSERT INTO conversations VALUES (?, ?)", (conversation, now))
                self._bound(connection, conversation)
            elif not connection.execute(
                "UPDATE conversations SET last_at = ? WHERE id = ?", (now, conversation)
            ).rowcount:
                raise UnknownConversation(conversation)
            (last,) = connection.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?", (conversation,)
            ).fetchone()
            if last >= self._turns:
                raise ConversationFull(self._turns)
            turn = replace(turn, number=last + 1)
            connection.execute(
                f"INSERT INTO turns (conversation, {_TURN}) VALUES ({', '.join('?' * 11)})",  # noqa: S608  # our own columns
                (conversation, *_row(turn)),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO given_from VALUES (?, ?)", [(one, turn.answer_id) for one in turn.shown if one]
            )
        return conversation, turn

    def read(self, conversation: str) -> Conversation:
        """All turns of a conversation that can be read.

        Raises:
            UnknownConversation: It does not exist, or has expired.
        """
        if not is_id(conversation) or not self._path.exists():
            raise UnknownConversation(conversation)
        with closing(self._open()) as connection:
            found = connection.execute(
                "SELECT 1 FROM conversations WHERE id = ? AND last_at >= ?", (conversation, self._oldest())
            ).fetchone()
            rows = connection.execute(
                f"SELECT {_TURN} FROM turns WHERE conversation = ? ORDER BY number",  # noqa: S608  # our own columns
                (conversation,),
            ).fetchall()
        if not found:
            raise UnknownConversation(conversation)
        return Conversation(conversation, tuple(_turns(rows)))

    def check_room(self, conversation: str) -> None:
        """Check that another question may be asked in it.

        Raises:
            UnknownConversation, ConversationFull: It may not.
        """
        if len(self.read(conversation).turns) >= self._turns:
            raise ConversationFull(self._turns)

    def turn(self, answer_id: str) -> Turn | None:
        """The turn with this answer; None if it does not exist."""
        if not is_id(answer_id) or not self._path.exists():
            return None
        with closing(self._open()) as connection:
            rows = connection.execute(f"SELECT {_TURN} FROM turns WHERE answer_id = ?", (answer_id,)).fetchall()  # noqa: S608  # our own columns
        return next(iter(_turns(rows)), None)

    def suggest(self, answer_id: str, followups: Sequence[FollowUp]) -> None:
        """Keep the follow-up questions of an answer."""
        with self._writing() as connection:
            connection.execute("UPDATE turns SET followups = ? WHERE answer_id = ?", (_followups(followups), answer_id))

    def delete(self, conversation: str) -> bool:
        """Delete a conversation with all its turns; whether there was one."""
        if not is_id(conversation) or not self._path.exists():
            return False
        with self._writing() as connection:
            return connection.execute("DELETE FROM conversations WHERE id = ?", (conversation,)).rowcount > 0

    def forget(self, post_ids: Sequence[str]) -> int:
        """Withdraw every sentence that cites one of these posts, and all else that was kept of them; returns how many
        turns changed. Other sentences and all marks stay the same.
        """
        if not self._path.exists():
            return 0
        changed: set[str] = set()
        with self._writing() as connection:
            for at in range(0, len(post_ids), _BATCH):
                gone = set(post_ids[at : at + _BATCH])
                holes = ", ".join("?" * len(gone))
                rows = connection.execute(
                    f"SELECT {_TURN} FROM turns WHERE answer_id IN"  # noqa: S608  # our own columns, question marks
                    f" (SELECT answer_id FROM given_from WHERE post_id IN ({holes}))",
                    tuple(gone),
                ).fetchall()
                for row in rows:
                    changed.add(row[1])
                    self._forget(connection, row, gone)
                connection.execute(f"DELETE FROM given_from WHERE post_id IN ({holes})", tuple(gone))  # noqa: S608  # question marks
        return len(changed)

    def _forget(self, connection: sqlite3.Connection, row: Sequence[Any], gone: set[str]) -> None:
        answer_id = row[1]
        turn = next(iter(_turns([row])), None)
        if turn is None:  # not readable, and made from this post
            connection.execute("DELETE FROM turns WHERE answer_id = ?", (answer_id,))
            return
        number, *_, answer, shown, _, followups, withdrawn = _row(without_posts(turn, gone))
        connection.execute(
            "UPDATE turns SET answer = ?, shown = ?, followups = ?, withdrawn = ? WHERE answer_id = ?",
            (answer, shown, followups, withdrawn, answer_id),
        )
        # A later question may have been completed with a name from this post's title.
        connection.execute(
            "UPDATE turns SET understood = asked, understood_by = 'asked' WHERE understood_by != 'asked' AND number > ?"
            " AND conversation = (SELECT conversation FROM turns WHERE answer_id = ?)",
            (number, answer_id),
        )

    def _bound(self, connection: sqlite3.Connection, new: str) -> None:
        connection.execute("DELETE FROM conversations WHERE last_at < ?", (self._oldest(),))
        connection.execute(
            "DELETE FROM conversations WHERE id IN"
            " (SELECT id FROM conversations WHERE id != ? ORDER BY last_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
            (new, self._most - 1),
        )

    def _oldest(self) -> str:
        return _written(self._clock() - timedelta(days=self._days))

    def _open(self) -> sqlite3.Connection:
        return open_private(self._path, _SCHEMA)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that locks at its start, so that two turns cannot get the same number."""
        with closing(self._open()) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def _row(turn: Turn) -> tuple[Any, ...]:
    """The values of _TURN."""
    return (
        turn.number, turn.answer_id, storable(turn.asked), storable(turn.standalone.question), turn.standalone.by,
        to_text(turn.answer), json.dumps(turn.shown), _written(turn.asked_at), _followups(turn.followups),
        turn.withdrawn,
    )  # fmt: skip


def _turns(rows: Sequence[Sequence[Any]]) -> Iterator[Turn]:
    """The turns of rows of _TURN, without those that an older release wrote and this one cannot read."""
    for number, answer_id, asked, understood, by, answer, shown, asked_at, followups, withdrawn in rows:
        try:
            yield Turn(
                number, answer_id, asked, StandaloneQuestion(understood, by), from_text(answer, understood),
                tuple(json.loads(shown)), datetime.fromisoformat(asked_at),
                tuple(FollowUp(*one) for one in json.loads(followups)), withdrawn,
            )  # fmt: skip
        except (Unreadable, ValueError, TypeError):
            continue


def _followups(followups: Sequence[FollowUp]) -> str:
    return storable(json.dumps([(one.question, one.post_id) for one in followups], ensure_ascii=False))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
