"""Who keeps words of posts in files beside the index, for those that forget posts while no server runs."""

from __future__ import annotations

from app.conversations.storage.conversation_file import Conversations
from app.conversations.storage.feedback import FeedbackFile
from app.query_log import PastQueries
from retrieval.ingestion import Keepers
from retrieval.settings import Settings


def keepers_on_disk(settings: Settings) -> Keepers:
    """By name, what forgets posts in a file; whether the settings still want the file or not."""
    folder = settings.data_dir
    conversations = Conversations(
        folder / "conversations.sqlite",
        turns=settings.conversation_turns,
        most=settings.conversations_kept,
        days=settings.conversation_days,
    )
    return {
        "past queries": PastQueries(folder / "queries.sqlite").forget_posts,
        "conversations": conversations.forget,
        "feedback": FeedbackFile(folder / "feedback.sqlite").forget,
    }
