"""A server in a process of its own: where it listens, and when it is ready."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import Any

import httpx


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def wait_ready(client: httpx.Client, process: subprocess.Popen[Any]) -> None:
    """Wait until the process answers that it is ready, for two minutes at most."""
    deadline = time.monotonic() + 120
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, "the server did not start"
        assert time.monotonic() < deadline, "the server does not get ready"
        time.sleep(0.1)
