"""The one register of files that hold words of posts beside the index, and so must forget posts with it.

A running server adds what it holds in memory; `stipple forget` needs the files alone.
"""

from __future__ import annotations

from app.conversations.storage.conversation_file import ConversationFile
from app.conversations.storage.feedback import FeedbackFile
from app.query_log import PastQueries
from retrieval.ingestion import Keepers
from retrieval.settings import Settings


def erasure_targets(settings: Settings) -> Keepers:
    """By name, what forgets posts in a file, even one that the settings no longer want: it may be left from before."""
    folder = settings.data_dir
    return {
        "past queries": PastQueries(folder / "queries.sqlite").forget_posts,
        "conversations": conversation_file(settings).forget,
        "feedback": FeedbackFile(folder / "feedback.sqlite").forget,
    }


def conversation_file(settings: Settings) -> ConversationFile:
    """The file of conversations, with the limits of the settings."""
    return ConversationFile(
        settings.data_dir / "conversations.sqlite",
        turns=settings.conversation_turns,
        most=settings.conversations_kept,
        days=settings.conversation_days,
    )
