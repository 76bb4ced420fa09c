"""The JSON API's conversations, and what people say of answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.web.api.answer_responses import ConversationOut
from app.web.api.requests import FeedbackIn
from app.web.api.responses import ErrorOut
from app.web.api.typed_query import services_of

router = APIRouter(prefix="/api", tags=["conversations"])
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "There is none of this id: never was, or it was deleted, or is too old."},
    503: {"model": ErrorOut, "description": "What was kept cannot be read."},
}


@router.get("/conversations/{conversation}", responses=_UNKNOWN)
async def conversation(request: Request, response: Response, conversation: str) -> ConversationOut:
    """The turns of a conversation as they stand now: a sentence is withdrawn when a post that it cites is gone, or
    does not say any more what is quoted of it.
    """
    response.headers["Cache-Control"] = "no-store"
    read, posts = await services_of(request).converser.conversation(conversation)
    return ConversationOut.from_domain(read, posts)


@router.delete("/conversations/{conversation}", status_code=204, responses=_UNKNOWN)
async def delete(request: Request, conversation: str) -> None:
    """Delete a conversation, with all that was kept of it but feedback."""
    await services_of(request).converser.delete(conversation)


@router.post("/feedback", status_code=204, responses=_UNKNOWN)
async def feedback(request: Request, said: FeedbackIn) -> None:
    """Say of an answer whether it was a help, and why not. Of what is said twice, the later counts."""
    await services_of(request).converser.judge(said.answer_id, said.verdict, said.reason, said.words.strip())
