"""Fill the catalog of an embedded generation, and change a finished one while others read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from retrieval.sqlite_file import compact, empty_log, open_sqlite, open_without_journal
from retrieval.stores.contract import StoredPost
from retrieval.stores.edge.post_catalog import TABLES, of_ids, reached_numbers
from retrieval.stores.payload import post_to_json
from retrieval.text.near_copies import sketches


class CatalogWriter:
    """Fills a new or copied catalog. Its bytes may still be in the system's cache: sync it after `finish`."""

    def __init__(self, path: Path) -> None:
        # An unfinished catalog is thrown away, so until then nothing has to reach the disk.
        self._connection = open_without_journal(path, TABLES)

    def put(self, posts: Sequence[tuple[StoredPost, int]]) -> dict[str, int]:
        """Write posts with their numbers of passages; returns how many of each the shard may contain now, by ID."""
        with _transaction(self._connection):
            return _most(self._connection, [stored.post.id for stored, _ in posts], _put(self._connection, posts))

    def recount(self, posts: Sequence[StoredPost]) -> dict[str, int]:
        """Replace posts whose passages stay; returns the numbers of passages of those that exist, by ID."""
        with _transaction(self._connection):
            return _recount(self._connection, posts)

    def delete(self, ids: Sequence[str]) -> dict[str, int]:
        """Delete posts; returns how many passages of each the shard may contain, by ID."""
        with _transaction(self._connection):
            return _most(self._connection, ids, _delete(self._connection, ids))

    def reached(self) -> dict[str, int]:
        return reached_numbers(self._connection)

    def finish(self, reached: Mapping[str, int] | None = None) -> tuple[int, int]:
        """Complete and close it; returns the numbers of posts and passages."""
        with _transaction(self._connection):
            self._connection.execute("DELETE FROM unsettled")
            posts, passages = self._connection.execute(
                "SELECT count(*), coalesce(sum(passages), 0) FROM posts"
            ).fetchone()
            rows = [("posts", posts), ("passages", passages)]
            self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
            if reached is not None:
                _mark(self._connection, reached)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self.close()
        return posts, passages

    def close(self) -> None:
        self._connection.close()


class CatalogChanger:
    """Changes a finished catalog while others read it. Hold the generation's `changing` lock.

    A change of a generation has three steps: `put`, `recount` or `delete` here; the same in the shard; and `settle`,
    once the shard has written it to its files. If the process is killed between them, the same changes are made again,
    and the catalog knows what the shard may still contain of older versions.
    """

    def __init__(self, path: Path) -> None:
        path.stat()
        # The changes are durable in the journal, so a power cut may undo the last ones here.
        self._connection = open_sqlite(path, synchronous="NORMAL", autocommit=True)
        # What was changed here and is not settled yet, and whether it existed afterwards.
        self._left: dict[str, bool] = {}

    def put(self, posts: Sequence[tuple[StoredPost, int]]) -> dict[str, int]:
        """As CatalogWriter.put; each id once."""
        with _transaction(self._connection):
            before = _put(self._connection, posts)
            self._note(len(posts) - len(before), sum(count for _, count in posts) - sum(before.values()))
            return self._unsettle([stored.post.id for stored, _ in posts], before, there=True)

    def recount(self, posts: Sequence[StoredPost]) -> dict[str, int]:
        with _transaction(self._connection):
            there = _recount(self._connection, posts)
            self._unsettle(list(there), there, there=True)
            return there

    def delete(self, ids: Sequence[str]) -> dict[str, int]:
        """As CatalogWriter.delete."""
        with _transaction(self._connection):
            gone = _delete(self._connection, ids)
            self._note(-len(gone), -sum(gone.values()))
            return self._unsettle(ids, gone, there=False)

    def settle(self, reached: Mapping[str, int]) -> None:
        """Record that the shard has written all changes so far, up to these numbers of journals, to its files.

        What another process deleted meanwhile stays recorded: the shard contains it until it is deleted here too.
        """
        with _transaction(self._connection):
            self._connection.executemany(
                "DELETE FROM unsettled WHERE id = ?1 AND (NOT ?2 OR EXISTS (SELECT 1 FROM posts WHERE id = ?1))",
                list(self._left.items()),
            )
            _mark(self._connection, reached)
        self._left.clear()

    def reached(self) -> dict[str, int]:
        """By journal, the number of its last settled change."""
        return reached_numbers(self._connection)

    def empty_log(self) -> None:
        """Move the log into the file and truncate it, so that no deleted text stays in it."""
        empty_log(self._connection)

    def compact(self) -> None:
        """Rewrite the file without the space that deleted posts left."""
        compact(self._connection)

    def close(self) -> None:
        self._connection.close()

    def _note(self, posts: int, passages: int) -> None:
        rows = [(posts, "posts"), (passages, "passages")]
        self._connection.executemany("UPDATE facts SET value = value + ? WHERE name = ?", rows)

    def _unsettle(self, ids: Sequence[str], before: Mapping[str, int], *, there: bool) -> dict[str, int]:
        """Record how many passages of these posts the shard may contain, and return it."""
        most = _most(self._connection, ids, before)
        rows = [(key, most.get(key, 0)) for key in ids]
        self._connection.executemany("INSERT OR REPLACE INTO unsettled VALUES (?, ?)", rows)
        self._left |= dict.fromkeys(ids, there)
        return most


class _transaction:  # noqa: N801  # a statement, as `with` reads it
    """Everything in the block, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _put(connection: sqlite3.Connection, posts: Sequence[tuple[StoredPost, int]]) -> dict[str, int]:
    replaced: dict[str, int] = dict(of_ids(connection, "passages", [stored.post.id for stored, _ in posts]))
    sketched = sketches([stored.post for stored, _ in posts])
    rows = [
        (stored.post.id, stored.content_hash, count, post_to_json(stored.post), sketch.tobytes())
        for (stored, count), sketch in zip(posts, sketched, strict=True)
    ]
    connection.executemany("INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?, ?)", rows)
    return replaced


def _recount(connection: sqlite3.Connection, posts: Sequence[StoredPost]) -> dict[str, int]:
    there: dict[str, int] = dict(of_ids(connection, "passages", [stored.post.id for stored in posts]))
    rows = [(stored.content_hash, post_to_json(stored.post), stored.post.id) for stored in posts]
    connection.executemany("UPDATE posts SET content_hash = ?, post = ? WHERE id = ?", rows)
    return there


def _delete(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, int]:
    gone: dict[str, int] = dict(of_ids(connection, "passages", ids))
    connection.executemany("DELETE FROM posts WHERE id = ?", [(post_id,) for post_id in gone])
    return gone


def _most(connection: sqlite3.Connection, ids: Sequence[str], before: Mapping[str, int]) -> dict[str, int]:
    """How many passages of posts the shard may contain: as many as the catalog had, or as unsettled changes left."""
    unsettled = dict(of_ids(connection, "passages", ids, "unsettled"))
    return {key: max(before.get(key, 0), unsettled.get(key, 0)) for key in {*before, *unsettled}}


def _mark(connection: sqlite3.Connection, reached: Mapping[str, int]) -> None:
    rows = [(f"journal:{journal}", number) for journal, number in reached.items()]
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
