"""HTTP from a connection: nobody holds one for nothing, and nobody sends a head without end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.listen_socket import bind
from app.web.http_protocol import server_options


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def serving(most_connections: int = 8) -> AsyncIterator[int]:
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(hello, lifespan="off", **server_options(most_connections)))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def test_one_connection_too_many_is_told_to_come_back_and_the_others_are_served() -> None:
    async def ask() -> None:
        async with serving(most_connections=2) as port:
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            await asyncio.sleep(0.05)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 5" in head
            assert f"Content-Length: {len(body)}".encode() in head
            assert json.loads(body)["error"] == "busy"
            writer.close()
            reader, writer = held[0]
            for _ in range(2):  # also a second time on one connection
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            for _, one in held:
                one.close()

    asyncio.run(ask())


@pytest.mark.parametrize("after_another", [False, True])
def test_a_head_without_end_closes_the_connection(after_another: bool) -> None:
    async def ask() -> bytes:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if after_another:
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"hello")
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            try:
                for _ in range(500):
                    writer.write(b"X-More: " + b"a" * 1000 + b"\r\n")
                    await writer.drain()
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()

    assert asyncio.run(asyncio.wait_for(ask(), 10)) == b""
