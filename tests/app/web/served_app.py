"""An application served on a loopback port, as `stipple serve` does it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from app.web.http_protocol import server_options


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """
    Yields:
        The port.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, **server_options(64)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="served")
    thread.start()
    give_up = time.monotonic() + 20
    try:
        while not server.started:
            assert time.monotonic() < give_up, "the server did not start"
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listening.close()
    assert not thread.is_alive(), "the server did not stop"
