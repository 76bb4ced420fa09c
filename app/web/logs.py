"""Structured logs: one line per request, and the request's id in each line."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieval.settings import Settings

REQUEST_ID_HEADER = b"x-request-id"
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_log = structlog.get_logger()


def configure_logs(settings: Settings) -> None:
    """Send every log line of this process to standard error, in the format of the settings."""
    level = getattr(logging, settings.log_level.upper())
    shared, render = _processors(settings)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries log through the standard library; their lines get the same format.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render,
    ]))  # fmt: skip
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def log_line(settings: Settings, event: str, **values: object) -> None:
    """Write one line to standard error as it is now, for a command: nothing stays configured."""
    shared, render = _processors(settings)
    structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=[*shared, *render]).info(event, **values)


def _processors(settings: Settings) -> tuple[list[Any], list[Any]]:
    """What every line goes through, and what writes it in the format of the settings."""
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    return shared, render


class RequestLog:
    """ASGI middleware: gives each request an id (the caller's own if it sent one), and logs its outcome."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(REQUEST_ID_HEADER, b"")
        request_id = sent.decode() if _SANE_ID.fullmatch(sent) else uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (REQUEST_ID_HEADER, request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                # The query string is not logged: what people look for is private.
                _log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status or "aborted",
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
