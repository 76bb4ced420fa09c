"""HTTP from a connection, with bounds that uvicorn's reader has not: on connections, on the head, and on its time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 15.0
MOST_HEAD_BYTES = 64 * 1024
IDLE_S = 15
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"X-Content-Type-Options: nosniff\r\nContent-Length: 69\r\n\r\n"
    b'{"error": "busy", "message": "too many connections; try again soon"}\n'
)


def bounded_protocol(most_connections: int) -> type[asyncio.Protocol]:
    """A protocol for uvicorn.Config(http=...), which serves so many connections at once.

    A request's line and headers must be there in HEAD_S and MOST_HEAD_BYTES, counted from its first byte, or from when
    the connection was made; otherwise the connection is closed.
    """

    class BoundedProtocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
            super().connection_made(transport)
            self._head_bytes = 0
            self._head_timer: asyncio.TimerHandle | None = self.loop.call_later(HEAD_S, transport.close)
            if len(self.connections) > most_connections:
                transport.write(_FULL)
                transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_there()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            in_head = self._head_timer is not None
            super().data_received(data)
            if self._head_timer is None:
                self._head_bytes = 0
            elif in_head:
                self._head_bytes += len(data)
                if self._head_bytes > MOST_HEAD_BYTES:
                    self.transport.close()

        def on_message_begin(self) -> None:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_S, self.transport.close)
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._head_is_there()
            super().on_headers_complete()

        def _head_is_there(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    return BoundedProtocol


def server_options(most_connections: int) -> dict[str, Any]:
    """How uvicorn serves strangers; arguments of uvicorn.Config."""
    return {
        "http": bounded_protocol(most_connections),
        "timeout_keep_alive": IDLE_S,
        "timeout_graceful_shutdown": 5,
        "server_header": False,
        # Whose X-Forwarded-For counts is decided by our own setting.
        "proxy_headers": False,
        "log_config": None,
        "access_log": False,
    }
