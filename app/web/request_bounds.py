"""How large and how slow a request may be."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.refusals import refuse

MOST_HEADERS, MOST_HEADER_BYTES = 100, 16 * 1024
# A question of 2,000 emoji takes 24 kB in an address.
LONGEST_ADDRESS = 32 * 1024
MOST_BODY_BYTES = 64 * 1024
# Time for a whole body: so many seconds, and more for each megabyte.
BODY_S, BODY_S_PER_MB = 20.0, 10.0


class RequestBounds:
    """ASGI middleware: refuses requests that are larger or slower than their route needs, while they are being read.

    Args:
        larger: Most bytes of a body, by method and path, where a route needs more than MOST_BODY_BYTES.
    """

    def __init__(self, app: ASGIApp, larger: dict[tuple[str, str], int]) -> None:
        self._app, self._larger = app, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        if (
            len(headers) > MOST_HEADERS
            or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES
            or len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS
        ):
            message = (
                f"a request has at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES:,} bytes together, "
                f"and an address of {LONGEST_ADDRESS:,}"
            )
            await refuse(scope, receive, send, 431, "too_large", message)
            return
        most = self._larger.get((scope["method"], scope["path"]), MOST_BODY_BYTES)
        declared = dict(headers).get(b"content-length", b"")
        too_large = f"the body of this request has at most {most:,} bytes"
        if declared.isdigit() and int(declared[:15]) > most:
            await refuse(scope, receive, send, 413, "too_large", too_large)
            return
        await self._app(scope, _Bounded(receive, most, too_large), send)


class _Bounded:
    """Receives a request's body up to a size, within the time that such a body may take.

    What is beyond is an HTTPException in the route that reads: the application answers it like any other.
    """

    def __init__(self, receive: Receive, most: int, too_large: str) -> None:
        self._receive, self._left, self._too_large, self._whole = receive, most, too_large, False
        self._deadline = asyncio.get_running_loop().time() + BODY_S + BODY_S_PER_MB * most / 2**20

    async def __call__(self) -> Message:
        if self._whole:  # waits for the client to leave, which is no slowness
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body of this request did not arrive in time") from None
        if message["type"] != "http.request":
            return message
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, self._too_large)
        self._whole = not message.get("more_body", False)
        return message
