"""Posts whose comments may be anywhere in the input, kept on disk until all of it has been read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.readers.record_kinds import CommentRecord, NameRecord, PostRecord, PostShape
from retrieval.sqlite_file import open_without_journal

MOST_COMMENTS = 500  # per post, the limit of post files; those with the most likes are kept


@dataclass(frozen=True, slots=True)
class Thread:
    """A post with its comments, and where it was."""

    post: PostShape
    source: str
    line: int
    raw: bytes


class Threads:
    """Joins posts and comments of one platform across all its files, in any order.

    They are kept in an unnamed SQLite file, deleted on close; a small one stays in memory.
    """

    def __init__(self) -> None:
        self._database = open_without_journal(
            "",
            """
            PRAGMA cache_size = -32000;
            CREATE TABLE posts (
                place INTEGER PRIMARY KEY, key TEXT, post TEXT NOT NULL, author TEXT, source TEXT, line INTEGER
            );
            CREATE TABLE comments (
                place INTEGER PRIMARY KEY, key TEXT, parent TEXT, root TEXT, likes INTEGER, comment TEXT NOT NULL,
                alone TEXT, author TEXT, source TEXT, line INTEGER
            );
            CREATE TABLE names (key TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
            BEGIN;
            """,
        )
        self.alone, self.dropped = 0, 0

    def add(self, record: PostRecord | CommentRecord | NameRecord, source: str, line: int) -> None:
        source = _bytes_as_text(source)
        if isinstance(record, PostRecord):
            row = (record.key, json.dumps(record.post), record.author_key, source, line)
            self._database.execute("INSERT INTO posts (key, post, author, source, line) VALUES (?, ?, ?, ?, ?)", row)
        elif isinstance(record, CommentRecord):
            likes = record.comment.get("likes")
            self._database.execute(
                "INSERT INTO comments (key, parent, likes, comment, alone, author, source, line)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.key, record.parent, likes if isinstance(likes, int) else 0, json.dumps(record.comment),
                    None if record.alone is None else json.dumps(record.alone), record.author_key, source, line,
                ),
            )  # fmt: skip
        else:
            self._database.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (record.key, record.name))

    def joined(self) -> Iterator[Thread]:
        """Every post with its comments, in the order of the input; then the comments whose post is missing.

        A comment belongs to the post at the end of its chain of parents. A chain that ends nowhere, or is a cycle, has
        no post.
        """
        self._database.executescript(
            """
            CREATE INDEX posts_by_key ON posts (key);
            CREATE INDEX comments_by_key ON comments (key);
            UPDATE comments SET root = parent WHERE parent IN (SELECT key FROM posts);
            """
        )
        self._follow_chains()
        self._database.execute("CREATE INDEX comments_by_root ON comments (root)")
        rows = self._database.execute("SELECT key, post, author, source, line FROM posts ORDER BY place")
        for key, post, author, source, line in rows:
            shape = self._named(json.loads(post), author)
            comments = self._comments(key)
            if comments:
                given = shape.get("comments")
                shape["comments"] = [*(given if isinstance(given, list) else []), *comments][:MOST_COMMENTS]
            yield Thread(shape, _text_as_bytes(source), line, post.encode()[:65536])
        orphans = self._database.execute(
            "SELECT comment, alone, author, source, line FROM comments WHERE root IS NULL ORDER BY place"
        )
        for comment, alone, author, source, line in orphans:
            if alone is None:
                self.dropped += 1
                continue
            self.alone += 1
            yield Thread(self._named(json.loads(alone), author), _text_as_bytes(source), line, comment.encode()[:65536])

    def _follow_chains(self) -> None:
        """Pass each root on from comments to their replies, one level at a time."""
        self._database.executescript(
            """
            CREATE INDEX comments_by_parent ON comments (parent);
            CREATE TEMP TABLE found AS SELECT key, root FROM comments WHERE root IS NOT NULL AND key <> '';
            """
        )
        while True:
            self._database.executescript(
                """
                CREATE TEMP TABLE next AS
                    SELECT comments.place, comments.key, found.root FROM found
                    JOIN comments ON comments.parent = found.key AND comments.root IS NULL;
                UPDATE comments SET root = (SELECT root FROM next WHERE next.place = comments.place)
                    WHERE place IN (SELECT place FROM next);
                DROP TABLE found;
                CREATE TEMP TABLE found AS SELECT key, root FROM next;
                DROP TABLE next;
                CREATE INDEX temp.found_by_key ON found (key);
                """
            )
            if not self._database.execute("SELECT 1 FROM found LIMIT 1").fetchone():
                return

    def _comments(self, key: str) -> list[PostShape]:
        if not key:
            return []
        rows = self._database.execute(
            "SELECT place, comment, author FROM comments WHERE root = ? ORDER BY likes DESC, place LIMIT ?",
            (key, MOST_COMMENTS),
        ).fetchall()
        return in_time([self._named(json.loads(comment), author) for _, comment, author in sorted(rows)])

    def _named(self, shape: PostShape, author: str) -> PostShape:
        if author and (row := self._database.execute("SELECT name FROM names WHERE key = ?", (author,)).fetchone()):
            shape["author"] = row[0]
        return shape

    def close(self) -> None:
        self._database.close()


def in_time(comments: list[PostShape]) -> list[PostShape]:
    """The comments by time, if all have one in the same notation; otherwise unchanged."""
    moments = [comment.get("created_at") for comment in comments]
    written = [moment for moment in moments if isinstance(moment, str) and len(moment) == len(str(moments[0]))]
    counted = [moment for moment in moments if isinstance(moment, int | float)]
    if len(written) != len(comments) != len(counted):
        return comments
    return sorted(comments, key=lambda one: one["created_at"])  # type: ignore[arg-type, return-value]  # all of a kind


def _bytes_as_text(name: str) -> str:
    """A file name, which may have bytes that are not text, as SQLite accepts it."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def _text_as_bytes(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "surrogateescape")
