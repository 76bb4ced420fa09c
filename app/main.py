"""The web application: what it starts, its routes, and its error responses. Importing it does nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from app.answering.generation.protocol import EngineFigures
from app.answering.writing.model_queue import QueueFull, WritingFigures
from app.conversations.storage.conversation_file import ConversationFull, UnknownConversation
from app.query_reader import UnknownPlaceError
from app.running_server import HEADER as SERVER_HEADER
from app.services import Services
from app.web.api import answer_routes, conversation_routes, post_routes, search_routes, suggestion_routes
from app.web.api.responses import ErrorOut, failure
from app.web.api.typed_query import BlankQueryError, services_of
from app.web.audit import Audit
from app.web.auth import Access, ReadGate, refusal_word
from app.web.client_address import Networks, client_of
from app.web.logs import RequestLog
from app.web.metrics import CONTENT_TYPE, CountRequests, Metrics
from app.web.origin import AllowedHosts, SameOrigin
from app.web.page import routes, sign_in
from app.web.page.words.labels import Labels
from app.web.rate_limits import AskingQueue, QueueForTurn, RateLimits, check_storage, read_limits
from app.web.request_bounds import RequestBounds
from app.web.response_headers import HeadAsGet, SafeHeaders
from app.web.visitor import visitor
from retrieval.errors import FixableError, IndexMismatch, IndexMissing
from retrieval.search.cursor import BadCursorError
from retrieval.settings import Settings

VERSION = "0.1.0"
_ASKING_FOR_EACH = 4  # processor: enough to keep it busy while others wait for a model or a disk
_WORTH_COMPRESSING = 1000  # bytes: less fits into one packet either way
# What any request to the API may get before its route sees it; a route's own words for a status come first.
_AT_THE_DOOR: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The request is not valid, or names a host that is not served here."},
    401: {"model": ErrorOut, "description": "This needs a key, or signing in."},
    403: {"model": ErrorOut, "description": "The key does not allow this, or another site's page sent it."},
    429: {"model": ErrorOut, "description": "Too many requests; `Retry-After` says when to come back."},
}
_log = structlog.get_logger()


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """The application; it builds its Services at start-up unless they are given."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services if services is not None else Services.build(settings)
        app.state.services.count_answer = lambda kind: app.state.metrics.answers.labels(kind).inc()
        app.state.access.prepare()
        await app.state.services.start()
        try:
            yield
        finally:
            await app.state.services.close()

    app = FastAPI(
        title="Stipple",
        version=VERSION,
        summary="AI search over social posts: answers made only of posts, each sentence checked against what it cites.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own page loads its script from a CDN
        redoc_url=None,
        redirect_slashes=False,  # it would send readers to whatever host they name
    )
    most_asking = settings.most_asking or _ASKING_FOR_EACH * (os.cpu_count() or 1)
    metrics, queue = Metrics(), AskingQueue(most_asking, settings.most_waiting, settings.longest_wait_s)
    app.state.metrics = metrics
    _add_door(app, settings, metrics, queue)
    for resource in (search_routes, answer_routes, suggestion_routes, post_routes, conversation_routes):
        app.include_router(resource.router, responses=_AT_THE_DOOR)
    routes.install(app)
    app.include_router(sign_in.router)
    _add_operations(app, settings)
    _add_measures(app, queue)
    _add_errors(app)
    return app


def _said(error: FixableError) -> dict[str, str]:
    return {"problem": error.problem, "fix": error.fix}


def _add_door(app: FastAPI, settings: Settings, metrics: Metrics, queue: AskingQueue) -> None:
    """What every request passes, innermost first. Who may read is decided at ReadGate."""
    access = Access.read(settings)
    app.state.access, app.state.sign_in_attempts = access, sign_in.attempts()
    app.add_middleware(QueueForTurn, queue=queue, metrics=metrics)
    app.add_middleware(RateLimits, settings=settings, metrics=metrics)
    # Events are never compressed: they would wait for a block to be full. No page holds a secret beside what a stranger
    # wrote, which compressed lengths could give away.
    app.add_middleware(GZipMiddleware, minimum_size=_WORTH_COMPRESSING, compresslevel=6)
    app.add_middleware(Audit)
    app.add_middleware(ReadGate, access=access)
    app.add_middleware(SameOrigin)
    app.add_middleware(AllowedHosts, settings=settings)
    app.add_middleware(RequestBounds, larger={("PUT", "/api/posts"): post_routes.MOST_BYTES})
    app.add_middleware(HeadAsGet)
    app.add_middleware(SafeHeaders)
    app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(RequestLog)
    # Read now, so that a setting that is not valid stops the start and not the first request.
    read_limits(settings)
    Networks.read(settings.trusted_proxies, "STIPPLE_TRUSTED_PROXIES")
    check_storage(settings)
    AllowedHosts(app, settings)


def _numbers(figures: WritingFigures | EngineFigures) -> dict[str, float]:
    """What is counted or measured, by its name; a process's id is neither."""
    found = {one.name: getattr(figures, one.name) for one in dataclasses.fields(figures) if one.name != "pid"}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def _add_measures(app: FastAPI, queue: AskingQueue) -> None:
    """Values of the process, read whenever /metrics is."""

    def index() -> dict[str, float]:
        problem = app.state.services.index_problem
        return {"": float(problem is None)}

    def generation() -> dict[str, float]:
        name = app.state.services.generation_name
        return {name: 1.0} if name else {}

    def writing() -> dict[str, float]:
        figures = app.state.services.writing()
        return _numbers(figures) if figures is not None else {}

    def engine() -> dict[str, float]:
        figures = app.state.services.writing()
        process = figures.engine if figures is not None else None
        return {"ready": float(process.state == "ready")} | _numbers(process) if process is not None else {}

    metrics: Metrics = app.state.metrics
    metrics.watch("stipple_index_readable", "1 while the index can be read.", index)
    metrics.watch("stipple_index_generation", "The generation that is read.", generation, "generation")
    metrics.watch(
        "stipple_asking", "Searches and answers that are worked on, or wait for their turn.",
        lambda: {"asking": float(queue.asking), "waiting": float(queue.waiting)}, "state",
    )  # fmt: skip
    metrics.watch("stipple_writing", "Of the model that writes: its line, turns and sentences.", writing, "what")
    metrics.watch("stipple_engine", "Of the process that writes, since it was last started.", engine, "what")


def _add_operations(app: FastAPI, settings: Settings) -> None:
    may_measure = Networks.read(settings.metrics_from, "STIPPLE_METRICS_FROM")
    proxies = Networks.read(settings.trusted_proxies, "STIPPLE_TRUSTED_PROXIES")

    @app.get("/healthz", tags=["operating"], responses={503: {"description": "The index cannot be read."}})
    async def healthz(request: Request) -> JSONResponse:
        """The process is alive, and can read its index, or has none yet. Takes no time, however busy the process is."""
        problem = services_of(request).index_problem
        broken = problem is not None and not isinstance(problem, IndexMissing)
        token = getattr(request.app.state, "server_token", "")
        return JSONResponse(
            {"status": "index unreadable" if broken else "ok"},
            503 if broken else 200,
            {SERVER_HEADER: token} if token else None,
        )

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        """Counters in the format of Prometheus; only for the addresses of the setting `metrics_from`."""
        client = client_of(request.scope, proxies)
        if not client.at_this_machine and not may_measure.hold(client.address):
            raise HTTPException(404)
        text = await asyncio.to_thread(request.app.state.metrics.text)
        return Response(text, media_type=CONTENT_TYPE)

    @app.get("/readyz", tags=["operating"])
    async def readyz(request: Request) -> JSONResponse:
        """Whether questions can be answered now; if not, 503. Admins also see the problems, notes on what is answered
        less well, and in `writing` how the model does.
        """
        services = services_of(request)
        health = await services.health()
        writer, writing = services.writer_problem, services.writing()
        if not visitor().is_admin:
            return JSONResponse({"ready": health.ready}, 200 if health.ready else 503)
        body = {
            "ready": health.ready,
            "problems": {part: _said(error) for part, error in health.problems.items()},
            "notes": {"writer": _said(writer)} if writer is not None else {},
            "writing": dataclasses.asdict(writing) if writing is not None else None,
        }
        return JSONResponse(body, 200 if health.ready else 503)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "",
            title="Stipple API",
            swagger_js_url="/static/vendor/swagger-ui-bundle.js",
            swagger_css_url="/static/vendor/swagger-ui.css",
            swagger_favicon_url="/static/favicon.svg",
        )


def _in_words(words: Labels) -> dict[int, str]:
    """What a page says of an error, by its status."""
    return {404: words.not_found, 408: words.too_slow, 413: words.too_large, 500: words.broken}


def _add_errors(app: FastAPI) -> None:
    def refusal(request: Request, status: int, error: str, message: str, field: str | None = None) -> Response:
        if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
            words = routes.page_words(request)
            return routes.error_page(request, status, _in_words(words).get(status, message))
        request_id = getattr(request.state, "request_id", "")
        body = ErrorOut(error=error, message=message, field=field, request_id=request_id)
        return JSONResponse(body.model_dump(mode="json"), status)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # The invalid value is not sent back: it may be huge, or not representable in JSON.
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or None
        message = first["msg"].removeprefix("Value error, ")  # what pydantic puts before our own words
        return refusal(request, 422, "invalid_parameter", f"{field or 'the request'}: {message}", field)

    @app.exception_handler(BlankQueryError)
    async def blank(request: Request, error: BlankQueryError) -> Response:
        return refusal(request, 400, "blank_query", str(error), error.field)

    @app.exception_handler(UnknownPlaceError)
    async def unknown_place(request: Request, error: UnknownPlaceError) -> Response:
        return refusal(request, 422, "invalid_parameter", str(error), "near")

    @app.exception_handler(BadCursorError)
    async def bad_cursor(request: Request, error: BadCursorError) -> Response:
        return refusal(request, 400, "bad_cursor", str(error), "cursor")

    @app.exception_handler(UnknownConversation)
    async def unknown(request: Request, _: UnknownConversation) -> Response:
        # Neither the id is sent back nor whether its shape was right: guessing must teach nothing.
        message = "this conversation or answer does not exist: it was deleted, has expired, or never existed"
        return refusal(request, 404, "unknown_conversation", message)

    @app.exception_handler(ConversationFull)
    async def full(request: Request, error: ConversationFull) -> Response:
        return refusal(request, 409, "conversation_full", str(error), "conversation")

    @app.exception_handler(QueueFull)
    async def busy(request: Request, error: QueueFull) -> Response:
        response = refusal(request, 503, "busy", str(error))
        response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
        return response

    @app.exception_handler(FixableError)
    async def fixable(request: Request, error: FixableError) -> Response:
        # The fix is for the operator: it goes only to the log. The problem may name paths, and is for admins.
        _log.warning("cannot answer", problem=error.problem, fix=error.fix)
        word = {IndexMissing: "index_missing", IndexMismatch: "index_mismatch"}.get(type(error), "unavailable")
        return refusal(request, 503, word, failure(error))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        words = {
            404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large", 422: "invalid_parameter",
        }  # fmt: skip
        word = words.get(error.status_code) or refusal_word(error.status_code)
        response = refusal(request, error.status_code, word, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def bug(request: Request, _: Exception) -> Response:
        return refusal(request, 500, "internal_error", "something went wrong here; see the log under this request id")
