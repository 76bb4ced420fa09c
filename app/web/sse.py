"""Server-sent events: how one is written, and a response that sends them and ends cleanly.

FastAPI's EventSourceResponse would not do: it serves only endpoints that are generators, which cannot refuse a request
with a status of their own or answer it with JSON, and half of a surrogate pair would end its stream.

Source: HTML Living Standard, "Server-sent events", 9.2.5 and 9.2.6.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

# Only these end a line in the format. str.splitlines() also cuts at U+2028 and others, which must arrive unharmed.
_LINE_END = re.compile(r"\r\n|\r|\n")
_STILL_HERE = ": still here\n\n"


def event(name: str, data: str) -> str:
    """One event, ready to be sent. A browser gets `data` back with each line end as "\\n"; "" arrives as "".

    A lone surrogate, which no encoding can send, becomes "?".

    Raises:
        ValueError: `name` is empty or holds a line end, which would start a field of its own.

    >>> event("sentence", "first line\\nsecond")
    'event: sentence\\ndata: first line\\ndata: second\\n\\n'
    """
    if not name or _LINE_END.search(name):
        raise ValueError(f"{name!r} cannot be the name of an event: one line, not empty")
    data = data.encode("utf-8", "replace").decode("utf-8")
    # The space is the one that the format takes away: without it, data that starts with a space would lose its own.
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in _LINE_END.split(data)) + "\n"


class EventStream(StreamingResponse):
    """A response of events. When the reader leaves, the generator is closed at once, not when it is garbage collected.

    A comment is sent whenever no event came for `every_s` seconds: proxies cut off silent connections.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None], every_s: float = 15.0) -> None:
        self._events, self._every_s = events, every_s
        headers = {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # nginx would hold the events back until its buffer is full
            "X-Content-Type-Options": "nosniff",
        }
        super().__init__(events, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()

    async def stream_response(self, send: Send) -> None:
        """Send the events as they come; Starlette calls it, and cancels it when the reader leaves."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        waiting: asyncio.Future[str] | None = None
        try:
            while True:
                if waiting is None:
                    waiting = asyncio.ensure_future(anext(self._events))
                done, _ = await asyncio.wait({waiting}, timeout=self._every_s)
                text = _STILL_HERE
                if done:
                    arrived, waiting = waiting, None
                    try:
                        text = arrived.result()
                    except StopAsyncIteration:
                        break
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            # When the reader leaves, this is cancelled at every await that is not shielded, and the model would go on.
            with anyio.CancelScope(shield=True):
                if waiting is not None:
                    waiting.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await waiting
