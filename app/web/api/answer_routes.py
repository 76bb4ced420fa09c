"""The JSON API's answers, as docs/json-api.md promises them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.answering.types import Answer, Done, HitsFound, Queued, SentenceReady, SentenceWithheld
from app.answering.writing.model_queue import QueueFull
from app.conversations.converser import Converser
from app.conversations.events import AskRequest, ConversationEvent, ConversationQuestion, FollowUpsFound, Kept
from app.services import Services
from app.web import sse
from app.web.api.answer_responses import AnswerOut, SentenceOut, not_kept
from app.web.api.requests import AnswerIn
from app.web.api.responses import ErrorOut, HitOut, failure, query_fields
from app.web.api.typed_query import read_query, services_of
from app.web.sse import EventStream
from retrieval.errors import FixableError
from retrieval.query.pieces import ParsedQuery
from retrieval.text.language import detect_language

router = APIRouter(prefix="/api", tags=["search"])
_log = structlog.get_logger()
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The question is blank."},
    404: {"model": ErrorOut, "description": "The conversation does not exist."},
    409: {"model": ErrorOut, "description": "The conversation is full."},
    422: {"model": ErrorOut, "description": "A parameter is not valid; `field` names it."},
    503: {"model": ErrorOut, "description": "The index cannot be read yet, or too many wait for the model."},
}


@router.post("/answer", responses={200: {"model": AnswerOut, "content": {"text/event-stream": {}}}, **_ERRORS})
async def answer(request: Request, asked: AnswerIn) -> Response:
    """An answer made only of posts, each sentence citing those that support it.

    As one JSON object, or, with `"stream": true` or `Accept: text/event-stream`, as server-sent events: `hits`, then
    `queued` while others are before it, `sentence` and `withheld` as they come, `answered`, `followups`, and last
    `done` with the whole answer; `error` ends a stream that failed.
    """
    services = services_of(request)
    if not asked.stream and "text/event-stream" not in request.headers.get("accept", ""):
        return JSONResponse((await answer_question(services, asked)).model_dump(mode="json"))
    question, response = await _begin(services, asked)
    events = services.converser.answer(question)
    first = await anext(events)  # so that an index that cannot be read is a 503 and not a broken stream
    return EventStream(_events(first, events, response, services.converser, request.state.request_id))


async def answer_question(services: Services, asked: AnswerIn) -> AnswerOut:
    """The whole answer to a question.

    Raises:
        BlankQueryError, UnknownPlaceError: See read_query.
        UnknownConversation, ConversationFull: It cannot be asked there.
        FixableError: The index cannot be read.
    """
    question, response = await _begin(services, asked)
    async with aclosing(services.converser.answer(question)) as events:
        async for event in events:
            response.take(event)
    return await response.valid_answer(services.converser)


async def _begin(services: Services, asked: AnswerIn) -> tuple[ConversationQuestion, AnswerResponse]:
    typed, query = await read_query(services, asked)
    request = AskRequest(
        typed, query.text, query.filters, asked.conversation or "", asked.followups, asked.when_busy == "refuse"
    )
    question = await services.converser.complete(request)
    return question, AnswerResponse(question, query, thinking=asked.thinking)


class AnswerResponse:
    """The response to a question, built event by event."""

    def __init__(self, asked: ConversationQuestion, query: ParsedQuery, *, thinking: bool) -> None:
        self._asked, self._thinking = asked, thinking
        self._query = replace(query, text=asked.question.text, filters=asked.question.filters)
        self._kept = Kept()
        self._answer: Answer | None = None
        self._followups: tuple[str, ...] = ()

    def take(self, event: ConversationEvent) -> str:
        """The event as it is sent; "" if nothing is sent for it."""
        match event:
            case HitsFound():
                fields = self._fields()
                sent = {
                    "language": event.language,
                    "hits": [HitOut.from_domain(hit).model_dump(mode="json") for hit in event.hits],
                    "notes": [note.model_dump(mode="json") for note in fields["notes"]],
                    "understood": fields["understood"].model_dump(mode="json"),
                    "understood_by": fields["understood_by"],
                }
                return _json_event("hits", sent)
            case Queued():
                return _json_event("queued", {"place": event.place, "seconds": event.seconds})
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

    async def valid_answer(self, converser: Converser) -> AnswerOut:
        """The whole answer, without what was forgotten since."""
        assert self._answer is not None, "the answer ended without Done"
        return self._whole(await converser.valid_answer(self._answer))

    def _whole(self, answer: Answer) -> AnswerOut:
        return AnswerOut.from_domain(answer, thinking=self._thinking).model_copy(update=self._fields())

    def _fields(self) -> dict[str, Any]:
        typed = self._asked.request.typed
        fields = query_fields(typed, self._query)
        if self._kept.failed:
            fields["notes"] = [*fields["notes"], *not_kept(detect_language(typed))]
        return fields | {
            "question": typed,
            "understood_by": self._asked.standalone.by,
            "conversation": self._kept.conversation or None,
            "answer_id": self._kept.answer_id or None,
            "followups": list(self._followups),
        }


# What is known after the last sentence, before follow-up questions are looked for.
_ANSWERED = ("kind", "outcome", "missing", "note", "withheld", "conversation", "answer_id", "notes")


async def _events(
    first: ConversationEvent,
    events: AsyncGenerator[ConversationEvent, None],
    response: AnswerResponse,
    converser: Converser,
    request_id: str,
) -> AsyncGenerator[str]:
    async with aclosing(events) as rest:
        yield response.take(first)
        try:
            async for event in rest:
                if sent := response.take(event):
                    yield sent
            yield _json_event("done", (await response.valid_answer(converser)).model_dump(mode="json"))
        except QueueFull as error:
            yield _error_event(str(error), request_id, "busy")
        except FixableError as error:
            _log.warning("an answer broke off", problem=error.problem, fix=error.fix)
            yield _error_event(failure(error), request_id)
        except Exception:
            _log.exception("an answer broke off")
            yield _error_event("the answer broke off; ask again", request_id)


def _error_event(message: str, request_id: str, word: str = "failed") -> str:
    error = ErrorOut(error=word, message=message, request_id=request_id)
    return _json_event("error", error.model_dump(mode="json"))


def _json_event(name: str, data: object) -> str:
    return sse.event(name, json.dumps(data, ensure_ascii=False))
