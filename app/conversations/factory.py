"""A Converser as the settings want it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from app.answering.writing.writer import Writer
from app.conversations.converser import Answering, Converser
from app.conversations.followups.followup_finder import Evidencing, FollowUps
from app.conversations.standalone.rewriter import Rewriter
from app.conversations.storage.conversation_file import Conversations
from app.conversations.storage.feedback import FeedbackFile
from app.query_log import PastQueries
from retrieval.settings import Settings

# A model of this size completes questions worse than the rules do.
_TOO_SMALL = "smollm2"


def make_converser(
    settings: Settings, answering: Answering, evidencing: Evidencing, past: PastQueries | None, writer: Writer | None
) -> Converser:
    """A Converser around what answers questions in this process."""

    def asked_by_others(post_ids: Sequence[str]) -> Iterable[tuple[str, str]]:
        try:
            return past.answered_by(post_ids) if past is not None else ()
        except (sqlite3.Error, OSError):  # told by whoever writes them
            return ()

    return Converser(
        answering,
        conversations(settings),
        FeedbackFile(settings.data_dir / "feedback.sqlite") if settings.keep_conversations else None,
        FollowUps(evidencing, settings.followups, past=asked_by_others) if settings.followups else None,
        Rewriter(writer) if writer is not None and settings.llm != _TOO_SMALL else None,
    )


def conversations(settings: Settings) -> Conversations | None:
    """The conversations that are kept; None where the settings keep none."""
    if not settings.keep_conversations:
        return None
    return Conversations(
        settings.data_dir / "conversations.sqlite",
        turns=settings.conversation_turns,
        most=settings.conversations_kept,
        days=settings.conversation_days,
    )
