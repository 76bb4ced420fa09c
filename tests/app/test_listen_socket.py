"""The socket that a server listens on."""

from __future__ import annotations

import asyncio
import socket

from app.listen_socket import bind


def test_a_response_is_sent_at_once_and_not_held_back_for_an_acknowledgement() -> None:
    async def connected() -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            seen.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with bind("127.0.0.1", 0) as listener:
            server = await asyncio.start_server(accept, sock=listener)
            async with server:
                _, writer = await asyncio.open_connection(*listener.getsockname())
                delayed_not = await asyncio.wait_for(seen, 5)
                writer.close()
                await writer.wait_closed()
                return delayed_not

    assert asyncio.run(connected()) == 1
