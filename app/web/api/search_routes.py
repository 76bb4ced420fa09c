"""The JSON API: search and answer, as docs/json-api.md promises them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from app.answering.types import Answer, Done, HitsFound, SentenceReady, SentenceWithheld
from app.conversations.converser import Converser
from app.conversations.events import Asking, ConversingEvent, FollowUpsFound, Kept, QuestionUnderstood
from app.services import Services
from app.web import sse
from app.web.api.answer_responses import AnswerOut, SentenceOut, not_kept
from app.web.api.query_route import QueryRoute
from app.web.api.requests import AnswerIn, SearchIn
from app.web.api.responses import ErrorOut, HitOut, SearchOut, understanding
from app.web.sse import EventStream
from app.web.typed_text import typed
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.search.cursor import BadCursorError
from retrieval.text.language import detect_language

router = APIRouter(prefix="/api", tags=["search"])
_log = structlog.get_logger()
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The query holds nothing to look for, or the cursor leads nowhere."},
    404: {"model": ErrorOut, "description": "There is no such conversation."},
    409: {"model": ErrorOut, "description": "The conversation is full."},
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


async def understood(services: Services, parameters: SearchIn | AnswerIn) -> tuple[str, ParsedQuery]:
    """What was typed, without what cannot be seen, and what it asks for together with the parameters beside it.

    Raises:
        BlankQueryError: Nothing is asked for. A search may ask by its parameters alone; an answer needs a question.
        UnknownPlaceError: The parameter `near` names a place that is not known.
    """
    given = parameters.to_domain()
    if isinstance(parameters, AnswerIn):
        seen = asked_for(parameters.question, "question")
    elif parameters.near or not given.is_empty():
        seen = typed(parameters.q)
    else:
        seen = asked_for(parameters.q, "q")
    return seen, await services.understand(seen, given, parameters.near or "")


async def search(request: Request, parameters: Annotated[SearchIn, Query()]) -> SearchOut:
    """Posts for a query, best first: each once, with its best passage and where the query's words stand in it."""
    services = services_of(request)
    seen, asked = await understood(services, parameters)
    if parameters.cursor and parameters.offset:
        raise BadCursorError("a cursor and an offset were given; send one of them")
    page = await services.search(parameters.to_query(asked.text, asked.filters))
    return SearchOut.from_domain(page).model_copy(update={"query": seen} | understanding(seen, asked))


router.add_api_route("/search", search, responses=_ERRORS, route_class_override=QueryRoute)


@router.post("/answer", responses={200: {"model": AnswerOut, "content": {"text/event-stream": {}}}, **_ERRORS})
async def answer(request: Request, asked: AnswerIn) -> Response:
    """An answer made only of posts, each sentence citing those that support it.

    As one JSON object, or, with `"stream": true` or `Accept: text/event-stream`, as server-sent events: `hits`, then
    `sentence` and `withheld` as they come, `answered`, `followups`, and last `done` with the whole answer; `error` ends
    a stream that failed.
    """
    services = services_of(request)
    seen, parsed = await understood(services, asked)
    asking = Asking(seen, parsed.text, parsed.filters, asked.conversation or "", asked.followups)
    saying = Saying(seen, parsed, thinking=asked.thinking)
    events = services.converser.ask(asking)
    first = await anext(events)  # an unknown conversation is a 404, and no broken stream
    saying.hear(first)
    if asked.stream or "text/event-stream" in request.headers.get("accept", ""):
        second = await anext(events)  # an index that cannot be read is a 503
        return EventStream(_stream(second, events, saying, services.converser, request.state.request_id))
    async with aclosing(events) as rest:
        async for event in rest:
            saying.hear(event)
    return JSONResponse((await saying.as_it_stands(services.converser)).model_dump(mode="json"))


class Saying:
    """An answer as it is said to one who asked over the API, event by event."""

    def __init__(self, typed: str, parsed: ParsedQuery, *, thinking: bool = False) -> None:
        self._typed, self._parsed, self._thinking = typed, parsed, thinking
        self._understood: QuestionUnderstood | None = None
        self._kept = Kept()
        self._answer: Answer | None = None
        self._followups: tuple[str, ...] = ()

    def hear(self, event: ConversingEvent) -> str:
        """The event as it is sent; "" where nothing is sent of it."""
        match event:
            case QuestionUnderstood():
                self._understood = event
            case HitsFound():
                hits = [HitOut.from_domain(hit).model_dump(mode="json") for hit in event.hits]
                said = self._said()
                more = {
                    "notes": [note.model_dump(mode="json") for note in said["notes"]],
                    "understood": said["understood"].model_dump(mode="json"),
                    "understood_by": said["understood_by"],
                }
                return _json_event("hits", {"language": event.language, "hits": hits} | more)
            case SentenceReady():
                return _json_event("sentence", SentenceOut.from_domain(event.sentence).model_dump(mode="json"))
            case SentenceWithheld():
                return _json_event("withheld", {"reason": event.reason})
            case Kept():
                self._kept = event
            case Done():
                self._answer = event.answer
                whole = self._whole(event.answer).model_dump(mode="json")
                return _json_event("answered", {name: whole[name] for name in _ANSWERED})
            case FollowUpsFound():
                self._followups = event.questions
                return _json_event("followups", {"followups": list(event.questions)})
        return ""

    async def as_it_stands(self, converser: Converser) -> AnswerOut:
        """The answer with all that was heard of it, but for what was forgotten since."""
        assert self._answer is not None, "the answer ended without Done"
        return self._whole(await converser.as_it_stands(self._answer))

    def _whole(self, answer: Answer) -> AnswerOut:
        return AnswerOut.from_domain(answer, thinking=self._thinking).model_copy(update=self._said())

    def _said(self) -> dict[str, Any]:
        parsed, by = self._parsed, "asked"
        if self._understood is not None:
            question = self._understood.question
            parsed = replace(parsed, text=question.text, filters=question.filters)
            by = self._understood.understood.by
        said = understanding(self._typed, parsed)
        if self._kept.failed:
            said["notes"] = [*said["notes"], *not_kept(detect_language(self._typed))]
        return said | {
            "question": self._typed,
            "understood_by": by,
            "conversation": self._kept.conversation or None,
            "answer_id": self._kept.answer_id or None,
            "followups": list(self._followups),
        }


# What is known when the last sentence is said, before follow-up questions are looked for.
_ANSWERED = ("kind", "outcome", "missing", "note", "withheld", "conversation", "answer_id", "notes")


async def _stream(
    first: ConversingEvent,
    events: AsyncGenerator[ConversingEvent, None],
    saying: Saying,
    converser: Converser,
    request_id: str,
) -> AsyncGenerator[str]:
    async with aclosing(events) as rest:
        yield saying.hear(first)
        try:
            async for event in rest:
                said = saying.hear(event)
                if said:
                    yield said
            yield _json_event("done", (await saying.as_it_stands(converser)).model_dump(mode="json"))
        except FixableError as error:
            yield _error_event(error.problem, request_id)
        except Exception:
            _log.exception("an answer broke off")
            yield _error_event("the answer broke off; ask again", request_id)


def _error_event(message: str, request_id: str) -> str:
    return _json_event(
        "error", ErrorOut(error="failed", message=message, request_id=request_id).model_dump(mode="json")
    )


def _json_event(name: str, data: object) -> str:
    return sse.event(name, json.dumps(data, ensure_ascii=False))
