"""The one register of files that hold words of posts beside the index, and so must forget posts with it.

A running server adds what it holds in memory; `stipple forget` needs the files alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from app.conversations.storage.conversation_file import ConversationFile
from app.conversations.storage.feedback import FeedbackFile
from app.query_log import PastQueries
from retrieval.errors import FixableError
from retrieval.ingestion import ErasureTargets
from retrieval.settings import Settings


def erasure_targets(settings: Settings) -> ErasureTargets:
    """By name, what forgets posts in a file, even one that the settings no longer want: it may be left from before."""
    queries, feedback = settings.data_dir / "queries.sqlite", settings.data_dir / "feedback.sqlite"
    return {
        "past queries": _naming(queries, PastQueries(queries).forget_posts),
        "conversations": _naming(settings.data_dir / "conversations.sqlite", conversation_file(settings).forget),
        "feedback": _naming(feedback, FeedbackFile(feedback).forget),
    }


def _naming(path: Path, forget: Callable[[Sequence[str]], object]) -> Callable[[Sequence[str]], object]:
    """The same, with errors of the file as a FixableError that names it."""

    def work(post_ids: Sequence[str]) -> object:
        try:
            return forget(post_ids)
        except (sqlite3.Error, OSError) as error:
            raise FixableError(
                f"{path} cannot forget posts: {error}", "make it writable, or delete it if it is damaged"
            ) from error

    return work


def conversation_file(settings: Settings) -> ConversationFile:
    """The file of conversations, with the limits of the settings."""
    return ConversationFile(
        settings.data_dir / "conversations.sqlite",
        turns=settings.conversation_turns,
        most=settings.conversations_kept,
        days=settings.conversation_days,
    )
