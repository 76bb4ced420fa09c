"""Past queries, to suggest them again: data_dir/queries.sqlite, and what is never kept there.

Kept of a query are its text, how often it was asked and on which day last, and the post that was its best hit: nothing
about who asked, and no time of day.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from retrieval.sqlite_file import open_sqlite
from retrieval.suggest.past_queries import PastQuery, carries
from retrieval.suggest.phrases import folded_phrase, plain, starts
from retrieval.suggest.suggester import LONGEST_TYPED
from retrieval.types import Post

MOST_QUERIES = 10_000
_BATCH = 500
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS queries (
        folded TEXT PRIMARY KEY, text TEXT NOT NULL, count INTEGER NOT NULL, day TEXT NOT NULL, post_id TEXT NOT NULL
    );
    """

# Anything that looks like a person's address or number: e-mail, links and hosts, and seven digits or more, however
# they are grouped (telephone, messenger, card and identity numbers; a date of eight digits is lost with them).
_PRIVATE = re.compile(
    r"\S@\S|[a-z]://|\bwww\.|\b[a-z0-9-]{1,63}\.(?:com|cn|net|org|io|me|cc|co|app|dev|info|top|xyz|example)\b"
    r"|(?:\d[\s().+/_-]{0,12}){7}"
)


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """A query that was just answered, with its best hit's post."""

    text: str
    best: Post


def keepable(text: str) -> bool:
    """Whether a query may be kept: short, with a word in it, and without a person's address or number."""
    folded = folded_phrase(text)
    return 0 < len(folded) <= LONGEST_TYPED and bool(starts(folded)) and not _PRIVATE.search(folded)


class PastQueries:
    """The file. Opened for each use, so that it can be deleted, and other processes can use it, at any time.

    Every method raises sqlite3.Error or OSError if the file cannot be used.
    """

    def __init__(self, path: Path, most: int = MOST_QUERIES) -> None:
        self._path, self._most = path, most

    def add(self, asked: Iterable[AnsweredQuery], today: date | None = None) -> int:
        """Count the queries that may be kept and whose words their best hit contains; returns how many they were.

        Beyond the most that are kept, those asked least often and longest ago are deleted.
        """
        day = (today or datetime.now(UTC).date()).isoformat()
        rows = [
            (folded_phrase(one.text), plain(one.text), day, one.best.id)
            for one in asked
            if keepable(one.text) and carries(one.text, one.best)
        ]
        if rows:
            with closing(self._open()) as connection, connection:
                connection.executemany(
                    "INSERT INTO queries VALUES (?, ?, 1, ?, ?) ON CONFLICT (folded) DO UPDATE SET"
                    " text = excluded.text, count = count + 1, day = excluded.day, post_id = excluded.post_id",
                    rows,
                )
                connection.execute(
                    "DELETE FROM queries WHERE folded IN (SELECT folded FROM queries"
                    " ORDER BY count DESC, day DESC, folded LIMIT -1 OFFSET ?)",
                    (self._most,),
                )
        return len(rows)

    def all(self) -> list[PastQuery]:
        """Every query that is kept, most frequent first."""
        if not self._path.exists():
            return []
        with closing(self._open()) as connection:
            rows = connection.execute(
                "SELECT text, count, day, post_id FROM queries ORDER BY count DESC, folded"
            ).fetchall()
        return [PastQuery(text, count, date.fromisoformat(day), post_id) for text, count, day, post_id in rows]

    def answered_by(self, post_ids: Sequence[str]) -> list[tuple[str, str]]:
        """(query, id of its best hit) of the queries that were asked more than once and whose best hit is one of these
        posts, most frequent first.
        """
        if not self._path.exists() or not post_ids:
            return []
        ids = list(post_ids[:_BATCH])
        with closing(self._open()) as connection:
            rows = connection.execute(
                f"SELECT text, post_id FROM queries WHERE count > 1 AND post_id IN ({', '.join('?' * len(ids))})"  # noqa: S608  # question marks
                " ORDER BY count DESC, folded LIMIT 20",
                ids,
            ).fetchall()
        return [(text, post_id) for text, post_id in rows]

    def forget_unsupported(self, posts: Callable[[Sequence[str]], Mapping[str, Post]]) -> int:
        """Delete the queries whose best hit is gone, or no longer contains their words; returns how many.

        Args:
            posts: Posts by id, without those that are gone.
        """
        if not self._path.exists():
            return 0
        with closing(self._open()) as connection, connection:
            rows = connection.execute("SELECT folded, text, post_id FROM queries").fetchall()
            gone: list[tuple[str]] = []
            for at in range(0, len(rows), _BATCH):
                batch = rows[at : at + _BATCH]
                there = posts(list({post_id for _, _, post_id in batch}))
                gone += [
                    (folded,) for folded, text, post_id in batch
                    if post_id not in there or not carries(text, there[post_id])
                ]  # fmt: skip
            connection.executemany("DELETE FROM queries WHERE folded = ?", gone)
        return len(gone)

    def forget_posts(self, post_ids: Collection[str]) -> int:
        """Delete the queries whose best hit was one of these posts; returns how many."""
        if not self._path.exists():
            return 0
        with closing(self._open()) as connection, connection:
            rows = [(post_id,) for post_id in post_ids]
            return connection.executemany("DELETE FROM queries WHERE post_id = ?", rows).rowcount

    def _open(self) -> sqlite3.Connection:
        return open_sqlite(self._path, _SCHEMA, private=True, wait_s=5)
