"""What all responses have in common: headers that keep browsers from guessing and embedding, and HEAD."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.page.html_response import CONTENT_SECURITY_POLICY

# FastAPI's page of the API sets its script up inline.
_INLINE_SCRIPT = "/docs"


class SafeHeaders:
    """ASGI middleware: `nosniff` and a content security policy on every response that has none of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = CONTENT_SECURITY_POLICY
        if scope["path"] == _INLINE_SCRIPT:
            policy = policy.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                has = {name.lower() for name, _ in headers}
                if b"x-content-type-options" not in has:
                    headers.append((b"x-content-type-options", b"nosniff"))
                if b"content-security-policy" not in has:
                    headers.append((b"content-security-policy", policy.encode()))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_safe)


class HeadAsGet:
    """ASGI middleware: HEAD answers as GET does, without the body. An answer's stream is not begun for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/answer/stream":
            headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        ended = False

        async def send_bare(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.body":
                if ended:
                    return
                ended = not message.get("more_body", False)
                message = {**message, "body": b""}
            await send(message)

        as_get = {**scope, "method": "GET"}
        await self._app(as_get, receive, send_bare)
        scope["route"] = as_get.get("route")  # for what is counted
