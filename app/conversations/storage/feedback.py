"""Feedback on answers, in data_dir/feedback.sqlite, with all that is needed to ask the question again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from app.answering.types import AnswerKind
from app.conversations.storage.private_file import open_private, storable
from app.conversations.turns import Turn
from retrieval.types import Post

Verdict = Literal["up", "down"]
# Why an answer did not help: it is wrong; its posts do not say this; it misses what the posts say; it is out of date;
# it is hard to follow; something else. "" if no reason was given.
Reason = Literal["", "wrong", "not_in_posts", "missed", "outdated", "unclear", "other"]
REASONS: tuple[Reason, ...] = tuple(one for one in get_args(Reason) if one)
MOST_WORDS = 500
MOST_KEPT = 10_000  # of more, the oldest go; with their posts, these are about 50 MB

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    answer_id TEXT PRIMARY KEY, at TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, words TEXT NOT NULL,
    asked TEXT NOT NULL, question TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL, posts TEXT NOT NULL,
    evidence TEXT NOT NULL);
"""
_COLUMNS = "answer_id, at, verdict, reason, words, asked, question, language, kind, posts, evidence"


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback on an answer, with the answer's question and posts as they were then.

    Attributes:
        words: Free text, at most MOST_WORDS characters.
        question: As it was completed.
        posts: (id, text) of the posts that the answer was made from; the text with title and comments.
        evidence: (post id, quote) of what it cited.
    """

    answer_id: str
    at: datetime
    verdict: Verdict
    reason: Reason
    words: str
    asked: str
    question: str
    language: str
    kind: AnswerKind
    posts: tuple[tuple[str, str], ...]
    evidence: tuple[tuple[str, str], ...]

    @property
    def answerable(self) -> bool:
        """Whether the posts answer the question, as far as the verdict tells: also if the answer did not help, unless
        the reason is that the posts do not say this; and if a refusal did not help.
        """
        if self.kind == "declined":
            return self.verdict == "down"
        return not (self.verdict == "down" and self.reason == "not_in_posts")


Exported: TypeAlias = dict[str, Any]


def feedback_on(
    turn: Turn, posts: Mapping[str, Post], verdict: Verdict, reason: Reason, words: str, at: datetime
) -> Feedback:
    """Feedback on a turn's answer.

    Args:
        posts: Those the answer was made from, by id, if they still exist.
    """
    return Feedback(
        answer_id=turn.answer_id,
        at=at,
        verdict=verdict,
        reason=reason,
        words=words,
        asked=turn.asked,
        question=turn.standalone.question,
        language=turn.answer.language,
        kind=turn.answer.kind,
        posts=tuple((one, _whole(posts[one])) for one in turn.shown if one in posts),
        evidence=tuple(
            dict.fromkeys(
                (one.post_id, one.quote)
                for sentence in turn.answer.sentences
                for one in sentence.citations
                if one.post_id in posts
            )
        ),
    )


class FeedbackFile:
    """The file. Every method raises sqlite3.Error or OSError if it cannot be used."""

    def __init__(self, path: Path, most: int = MOST_KEPT) -> None:
        self._path, self._most = path, most

    def give(self, feedback: Feedback) -> None:
        """Keep it, in place of earlier feedback on the same answer."""
        with closing(open_private(self._path, _SCHEMA)) as connection, connection:
            connection.execute(
                f"INSERT OR REPLACE INTO feedback ({_COLUMNS}) VALUES ({', '.join('?' * 11)})",  # noqa: S608  # our own columns
                _row(feedback),
            )
            connection.execute(
                "DELETE FROM feedback WHERE answer_id IN (SELECT answer_id FROM feedback"
                " ORDER BY at DESC, answer_id LIMIT -1 OFFSET ?)",
                (self._most,),
            )

    def verdict(self, answer_id: str) -> Verdict | None:
        """The verdict on an answer; None if there is none."""
        if not self._path.exists():
            return None
        with closing(open_private(self._path, _SCHEMA)) as connection:
            found = connection.execute("SELECT verdict FROM feedback WHERE answer_id = ?", (answer_id,)).fetchone()
        return found[0] if found else None

    def all(self, since: date | None = None) -> list[Feedback]:
        """All feedback since a day (UTC), oldest first."""
        if not self._path.exists():
            return []
        with closing(open_private(self._path, _SCHEMA)) as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM feedback WHERE at >= ? ORDER BY at, answer_id",  # noqa: S608  # our own columns
                (since.isoformat() if since else "",),
            ).fetchall()
        return [_feedback(row) for row in rows]

    def forget(self, post_ids: Sequence[str]) -> int:
        """Delete what is kept of these posts, and the free text with it, which may repeat them; returns for how many
        answers.
        """
        if not self._path.exists():
            return 0
        gone = set(post_ids)
        with closing(open_private(self._path, _SCHEMA)) as connection, connection:
            changed = [
                replace(
                    one,
                    words="",
                    posts=tuple(post for post in one.posts if post[0] not in gone),
                    evidence=tuple(quote for quote in one.evidence if quote[0] not in gone),
                )
                for one in map(_feedback, connection.execute(f"SELECT {_COLUMNS} FROM feedback"))  # noqa: S608  # our own columns
                if gone & {post_id for post_id, _ in one.posts}
            ]
            connection.executemany(
                "UPDATE feedback SET words = '', posts = ?, evidence = ? WHERE answer_id = ?",
                [(*_row(one)[-2:], one.answer_id) for one in changed],
            )
        return len(changed)


def exported(feedback: Sequence[Feedback], gone: frozenset[str] = frozenset()) -> Iterator[Exported]:
    """Feedback as questions that `stipple eval answers` reads, with verdict, reason and words added; without those that
    have no post left.

    Evidence comes only from answers that helped: nobody confirmed the quotes of others.

    Args:
        gone: Ids of posts to leave out.
    """
    for one in feedback:
        posts = [{"id": post_id, "text": text} for post_id, text in one.posts if post_id not in gone]
        if not posts:
            continue
        quotes = one.evidence if one.verdict == "up" and one.answerable else ()
        yield {
            "id": one.answer_id,
            "lang": one.language,
            "question": one.question,
            "posts": posts,
            "answerable": one.answerable,
            "gold": [],
            "evidence": [{"post_id": post_id, "quote": quote} for post_id, quote in quotes if post_id not in gone],
            "verdict": one.verdict,
            "reason": one.reason,
            "words": one.words,
            "asked": one.asked,
            "at": one.at.isoformat(),
        }


def _whole(post: Post) -> str:
    """A post as one text, which contains every quote from it."""
    return "\n".join(part for part in (post.title, post.text, *(comment.text for comment in post.comments)) if part)


def _row(one: Feedback) -> tuple[str, ...]:
    """The values of _COLUMNS."""
    posts, evidence = (storable(json.dumps(pairs, ensure_ascii=False)) for pairs in (one.posts, one.evidence))
    return (
        one.answer_id, one.at.astimezone(UTC).isoformat(timespec="seconds"), one.verdict, one.reason,
        storable(one.words), storable(one.asked), storable(one.question), one.language, one.kind, posts, evidence,
    )  # fmt: skip


def _feedback(row: Sequence[Any]) -> Feedback:
    answer_id, at, verdict, reason, words, asked, question, language, kind, posts, evidence = row
    return Feedback(
        answer_id, datetime.fromisoformat(at), verdict, reason, words, asked, question, language, kind,
        tuple((post_id, text) for post_id, text in json.loads(posts)),
        tuple((post_id, quote) for post_id, quote in json.loads(evidence)),
    )  # fmt: skip
