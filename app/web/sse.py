"""Server-sent events: how one is written, and a response that sends them and ends cleanly.

Source: HTML Living Standard, "Server-sent events", 9.2.5 and 9.2.6.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator

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


async def keep_alive(events: AsyncIterator[str], every_s: float = 15.0) -> AsyncGenerator[str, None]:
    """The same events, with a comment whenever none came for `every_s` seconds: proxies cut off what is silent.

    However it ends, `events` is closed before this returns.
    """
    waiting: asyncio.Future[str] | None = None
    try:
        while True:
            if waiting is None:
                waiting = asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({waiting}, timeout=every_s)
            if not done:
                yield _STILL_HERE
                continue
            arrived, waiting = waiting, None
            try:
                sent = arrived.result()
            except StopAsyncIteration:
                return
            yield sent
    finally:
        # The asker left: the server cancels this at every await, unless shielded, and the model would go on writing.
        with anyio.CancelScope(shield=True):
            if waiting is not None:
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await waiting
            await close(events)


async def close(events: AsyncIterator[object]) -> None:
    """Close an iterator early, where it is of the kind that can be closed."""
    if isinstance(events, AsyncGenerator):
        await events.aclose()


class EventStream(StreamingResponse):
    """A response of events; when the asker leaves, the iterator is closed at once and not when it is collected."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[str]) -> None:
        self._events = keep_alive(events)
        headers = {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # nginx would hold the events back until its buffer is full
            "X-Content-Type-Options": "nosniff",
        }
        super().__init__(self._events, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()
