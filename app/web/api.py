"""The JSON API: search and answer, as docs/json-api.md promises them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from app.answering.types import Answer, AnswerEvent, Done, HitsFound, Question, SentenceReady, SentenceWithheld
from app.services import Services
from app.web import sse
from app.web.schemas import AnswerIn, AnswerOut, ErrorOut, HitOut, SearchIn, SearchOut, SentenceOut
from app.web.sse import EventStream
from app.web.typed import typed
from retrieval.errors import FixableError
from retrieval.types import SearchQuery

router = APIRouter(prefix="/api", tags=["search"])
_log = structlog.get_logger()
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The query holds nothing to look for."},
    422: {"model": ErrorOut, "description": "A parameter is not what it must be; `field` names it."},
    503: {"model": ErrorOut, "description": "The index cannot be read yet."},
}


class BlankQueryError(Exception):
    """A query of white space alone."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is blank: say what to look for")
        self.field = field


def services_of(request: Request) -> Services:
    """The one Services of this process."""
    services = request.app.state.services
    assert isinstance(services, Services), "the app was not started"
    return services


def asked_for(text: str, field: str) -> str:
    """What a query asks for.

    Raises:
        BlankQueryError: Nothing that can be seen.
    """
    seen = typed(text)
    if not seen:
        raise BlankQueryError(field)
    return seen


@router.get("/search", responses=_ERRORS)
async def search(request: Request, parameters: Annotated[SearchIn, Query()]) -> SearchOut:
    """Posts for a query, best first: each once, with its best passage and where the query's words stand in it."""
    query = SearchQuery(asked_for(parameters.q, "q"), parameters.to_domain(), parameters.limit, parameters.offset)
    return SearchOut.from_domain(await services_of(request).search(query))


@router.post("/answer", responses={200: {"model": AnswerOut, "content": {"text/event-stream": {}}}, **_ERRORS})
async def answer(request: Request, asked: AnswerIn) -> Response:
    """An answer made only of posts, each sentence citing those that support it.

    As one JSON object, or, with `"stream": true` or `Accept: text/event-stream`, as server-sent events: `hits`, then
    `sentence` and `withheld` as they come, then `done` with the whole answer; `error` ends a stream that failed.
    """
    question = Question(asked_for(asked.question, "question"), asked.to_domain())
    events = services_of(request).answer(question)
    if asked.stream or "text/event-stream" in request.headers.get("accept", ""):
        first = await anext(events)  # an index that cannot be read is a 503, not a broken stream
        return EventStream(_stream(first, events, request.state.request_id))
    return JSONResponse(AnswerOut.from_domain(await _last(events)).model_dump(mode="json"))


async def _last(events: AsyncGenerator[AnswerEvent, None]) -> Answer:
    async for event in events:
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("the answer ended without Done")


async def _stream(
    first: AnswerEvent, events: AsyncGenerator[AnswerEvent, None], request_id: str
) -> AsyncGenerator[str]:
    async with aclosing(events) as rest:
        yield _event(first)
        try:
            async for event in rest:
                yield _event(event)
        except FixableError as error:
            yield _error_event(error.problem, request_id)
        except Exception:
            _log.exception("an answer broke off")
            yield _error_event("the answer broke off; ask again", request_id)


def _event(event: AnswerEvent) -> str:
    match event:
        case HitsFound():
            hits = [HitOut.from_domain(hit).model_dump(mode="json") for hit in event.hits]
            return _json_event("hits", {"language": event.language, "hits": hits})
        case SentenceReady():
            return _json_event("sentence", SentenceOut.from_domain(event.sentence).model_dump(mode="json"))
        case SentenceWithheld():
            return _json_event("withheld", {"reason": event.reason})
        case Done():
            return _json_event("done", AnswerOut.from_domain(event.answer).model_dump(mode="json"))


def _error_event(message: str, request_id: str) -> str:
    return _json_event(
        "error", ErrorOut(error="failed", message=message, request_id=request_id).model_dump(mode="json")
    )


def _json_event(name: str, data: object) -> str:
    return sse.event(name, json.dumps(data, ensure_ascii=False))
