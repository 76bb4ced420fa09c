"""The socket that a server listens on."""

from __future__ import annotations

import socket

from retrieval.errors import FixableError


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        FixableError: The port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, though it is the only one: asyncio turns Nagle's algorithm off only where it is, and with
    # it on, every response waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
