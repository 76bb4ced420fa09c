"""Forms under an answer: to say whether it helped, and to delete the conversation. With htmx or without."""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from app.conversations.storage.conversation_file import UnknownConversation
from app.conversations.storage.feedback import MOST_WORDS, Reason, Verdict
from app.web.audit import audit_detail, faint
from app.web.page import contexts
from app.web.page.html_response import HEADERS, render
from app.web.page.page_answer import PageServices
from app.web.page.page_layout import error_page, failure, words_of
from app.web.page.page_request import PageRequest
from retrieval.errors import FixableError

router = APIRouter(include_in_schema=False)
_LARGEST_BODY = 20_000


@router.post("/feedback")
async def feedback(request: Request) -> Response:
    """Keep feedback; later feedback replaces earlier. Back to the answer, or, for htmx, a line in place of the form."""
    given = await read_form(request)
    _, labels = words_of(request, PageRequest.read([("ui", given.get("ui", ""))]))
    verdict = next((one for one in get_args(Verdict) if one == given.get("verdict")), None)
    if verdict is None:
        return error_page(request, 400, labels.not_found)
    reason = next((one for one in get_args(Reason) if one == given.get("reason", "")), "other")
    words = given.get("words", "").strip()[:MOST_WORDS]
    audit_detail(answer=faint(given.get("answer_id", "")), verdict=verdict)
    try:
        await _services(request).converser.judge(
            given.get("answer_id", ""), cast("Verdict", verdict), cast("Reason", reason), words
        )
    except UnknownConversation:
        return _message(request, given, labels.feedback_gone, 404)
    except FixableError as error:
        return _message(request, given, failure(labels, error), 503)
    words = labels.said_up if verdict == "up" else labels.said_down
    if "HX-Request" in request.headers:
        return Response(render(contexts.FeedbackFragment(labels, words)), headers=dict(HEADERS), media_type="text/html")
    return RedirectResponse(f"{_back(given)}#answer-end", 303)


@router.post("/conversations/delete")
async def delete(request: Request) -> Response:
    """Delete a conversation; one that is gone already is fine. On to the empty page."""
    given = await read_form(request)
    asked = PageRequest.read([(name, given.get(name, "")) for name in ("ui", "js")])
    _, labels = words_of(request, asked)
    audit_detail(conversation=faint(given.get("c", "")))
    try:
        await _services(request).converser.delete(given.get("c", ""))
    except UnknownConversation:
        pass
    except FixableError as error:
        return error_page(request, 503, failure(labels, error))
    return RedirectResponse(asked.address("/", deleted="1"), 303)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, as browsers send them; none if the body is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=50))


def _message(request: Request, given: dict[str, str], words: str, status: int) -> Response:
    """Say why nothing was kept; for htmx in place of the form, with status 200: htmx swaps in only successes."""
    if "HX-Request" in request.headers:
        labels = words_of(request, PageRequest.read([("ui", given.get("ui", ""))]))[1]
        body = render(contexts.FeedbackFragment(labels, words))
        return Response(body, headers=dict(HEADERS), media_type="text/html")
    return error_page(request, status, words)


def _back(given: dict[str, str]) -> str:
    """The page that the form was on, if it is one of ours: a forged form must not lead elsewhere."""
    back = given.get("back", "")
    return back if back.startswith("/search?") and back.isascii() and back.isprintable() else "/"


def _services(request: Request) -> PageServices:
    return cast("PageServices", request.app.state.services)
