"""Who keeps words of posts in files beside the index, for those that forget posts while no server runs."""

from __future__ import annotations

from app.conversing.conversations import Conversations
from app.conversing.feedback import FeedbackFile
from app.past_queries import PastQueries
from retrieval.intake import Keepers
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
