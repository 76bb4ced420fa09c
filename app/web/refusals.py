"""How a request is refused before any route sees it: as a page to browsers, as events to a stream, else as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from app.web.api.responses import ErrorOut
from app.web.page.answer_stream import refusal_events
from app.web.page.page_layout import error_page, page_words
from app.web.sse import EventStream

_LABELS = {
    "too_many_requests": "slow_down", "busy": "busy", "too_large": "too_large", "too_slow": "too_slow",
    "key_needed": "members_only", "unavailable": "failed_unsaid", "unknown_host": "unknown_host",
    "other_site": "other_site",
}  # fmt: skip


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    error: str,
    message: str,
    retry_after_s: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer a request that is refused.

    Args:
        error: What the JSON says, and, of those that pages have words for, which.
        message: In English, for programs.
        retry_after_s: When it may be sent again.
    """
    request = Request(scope)
    response: Response
    if scope["path"] == "/answer/stream":
        # A browser shows nothing of a stream with another status than 200.
        labels = page_words(request)
        response = EventStream(refusal_events(labels, getattr(labels, _LABELS.get(error, "broken"))))
    elif not scope["path"].startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        labels = page_words(request)
        response = error_page(request, status, getattr(labels, _LABELS.get(error, "broken")))
    else:
        request_id = scope.get("state", {}).get("request_id", "")
        body = ErrorOut(error=error, message=message, request_id=request_id)
        response = JSONResponse(body.model_dump(mode="json"), status)
    response.headers.update(headers or {})
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    await response(scope, receive, send)
