"""Access: writing always needs a key, reading does if the settings say so."""

from __future__ import annotations

import asyncio
import sqlite3

from fastapi import HTTPException, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api_keys import Key, Keys, Right
from app.web.api.responses import ErrorOut
from retrieval.errors import FixableError

# Requested by load balancers and browsers; nothing that anybody wrote is in them.
_OPEN = ("/healthz", "/readyz", "/metrics", "/static/", "/docs", "/openapi.json")  # /metrics is for some addresses
_HOW = "send it as `Authorization: Bearer KEY`"


class Refused(HTTPException):
    """A request without the key that it needs: 401 without a valid key, 403 if its key does not allow this."""


async def key_of(request: Request, keys: Keys, needed: Right) -> Key:
    """The key that a request carries.

    Raises:
        Refused: It carries none, an unknown one, or one that does not allow this.
        FixableError: The keys cannot be read.
    """
    shown = _shown(request.headers.get("authorization", ""), request.headers.get("x-api-key", ""))
    try:
        key = await asyncio.to_thread(keys.find, shown) if shown else None
        none_exists = key is None and not await asyncio.to_thread(keys.all)
    except (sqlite3.Error, OSError) as error:
        raise FixableError(f"the keys cannot be read: {error}", "make keys.sqlite readable, or delete it") from error
    if none_exists:
        raise Refused(403, f"this needs a key, and none exists yet: run `stipple keys add --{needed} NAME`")
    challenge = {"WWW-Authenticate": "Bearer"}
    if not shown:
        raise Refused(401, f"this needs a {needed} key: {_HOW}", challenge)
    if key is None:
        raise Refused(401, "the key is unknown or was revoked", challenge)
    if needed == "write" and key.right != "write":
        raise Refused(403, f"the key {key.name} allows reading only; this needs a write key")
    return key


class ReadGate:
    """ASGI middleware: no reading without a key. Installed only if the settings say so."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN):
            request = Request(scope)
            try:
                await key_of(request, self._keys, "read")
            except Refused as refused:
                request_id = getattr(request.state, "request_id", "")
                body = ErrorOut(error=refusal_word(refused.status_code), message=refused.detail, request_id=request_id)
                response = JSONResponse(body.model_dump(mode="json"), refused.status_code, refused.headers)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def refusal_word(status: int) -> str:
    return {401: "key_needed", 403: "key_refused"}.get(status, "refused")


def _shown(authorization: str, header: str) -> str:
    scheme, _, shown = authorization.partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else header.strip()
