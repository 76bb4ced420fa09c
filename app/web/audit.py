"""A log line for all that changes state: who, what, when. Questions are no such thing: nobody notes who asks what."""

from __future__ import annotations

import getpass
import hashlib
from contextvars import ContextVar
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.logs import log_line
from app.web.visitor import visitor
from retrieval.settings import Settings

_READING = {"GET", "HEAD", "OPTIONS"}
_ASKING = {"/api/answer"}  # by POST, since questions are long
_log = structlog.get_logger()
_details: ContextVar[dict[str, Any] | None] = ContextVar("audit_details", default=None)


def audit_detail(**details: object) -> None:
    """Say more in this request's audit line: ids and counts, never anybody's words or secrets."""
    noted = _details.get()
    if noted is not None:
        noted.update(details)


def faint(secret_id: str) -> str:
    """Of an id that lets whoever has it read something, what tells it from others in the log."""
    return hashlib.sha256(secret_id.encode("utf-8", "replace")).hexdigest()[:12]


def audit_command(settings: Settings, did: str, **details: object) -> None:
    """The line of a command, on standard error."""
    log_line(settings, "audit", did=did, who=f"command of {_user()}", **details)


class Audit:
    """ASGI middleware: a line for each request that may change something, but for questions; refused ones as well.

    It goes by the method and not by a list of routes, so that no new route can be forgotten.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READING or scope["path"] in _ASKING:
            await self._app(scope, receive, send)
            return
        details: dict[str, Any] = {}
        _details.set(details)
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            # The route's pattern, not the path: the id of a conversation lets whoever has it read the conversation.
            route = getattr(scope.get("route"), "path", "")
            did = f"{scope['method'][:10]} {route or 'no route'}"
            _log.info("audit", did=did, status=status or "aborted", **({"who": visitor().name} | details))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "nobody by name"
