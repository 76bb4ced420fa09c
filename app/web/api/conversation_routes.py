"""The JSON API's conversations, and feedback on answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.web.api.answer_responses import ConversationOut
from app.web.api.requests import FeedbackIn
from app.web.api.responses import ErrorOut
from app.web.api.typed_query import services_of
from app.web.audit import audit_detail, faint

router = APIRouter(prefix="/api", tags=["conversations"])
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "Nothing has this id: it was deleted, has expired, or never existed."},
    503: {"model": ErrorOut, "description": "The file of conversations or feedback cannot be used."},
}


@router.get("/conversations/{conversation}", responses=_UNKNOWN)
async def conversation(request: Request, response: Response, conversation: str) -> ConversationOut:
    """The turns of a conversation as they are valid now: a sentence is withdrawn when a post that it cites is gone, or
    no longer says what is quoted from it.
    """
    response.headers["Cache-Control"] = "no-store"
    read, posts = await services_of(request).converser.conversation(conversation)
    return ConversationOut.from_domain(read, posts)


@router.delete("/conversations/{conversation}", status_code=204, responses=_UNKNOWN)
async def delete(request: Request, conversation: str) -> None:
    """Delete a conversation and all that was kept of it, except feedback."""
    audit_detail(conversation=faint(conversation))
    await services_of(request).converser.delete(conversation)


@router.post("/feedback", status_code=204, responses=_UNKNOWN)
async def feedback(request: Request, given: FeedbackIn) -> None:
    """Say whether an answer helped, and why not. Later feedback replaces earlier."""
    audit_detail(answer=faint(given.answer_id), verdict=given.verdict)
    await services_of(request).converser.judge(given.answer_id, given.verdict, given.reason, given.words.strip())
