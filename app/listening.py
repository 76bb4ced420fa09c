"""The socket that a server listens on."""

from __future__ import annotations

import socket

from retrieval.errors import FixableError


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        FixableError: The port is taken, or the address is not this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise FixableError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}",
            "stop what uses the port, or choose another with --port (0 takes a free one)",
        ) from error
    return listener
