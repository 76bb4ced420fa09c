"""How often one client may ask, and how many may ask at once."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answering.writing.model_queue import comes_now
from app.asker import Asker, is_asking
from app.web.client_address import Client, Networks, client_of
from app.web.metrics import Metrics
from app.web.refusals import refuse
from app.web.visitor import visitor
from retrieval.errors import FixableError
from retrieval.settings import Settings

Kind = Literal["search", "answer", "conversation", "feedback", "sign_in", "kept"]
_RETRY_WHEN_BUSY_S = 5
_LONGEST_SEND_S = 30.0  # a reader who takes nothing for so long has left, or keeps others out
_log = structlog.get_logger()


def kind_of(method: str, path: str) -> Kind | None:
    """What a request asks for, of what is counted; None for what costs little to answer, or needs a write key."""
    if path in ("/api/answer", "/answer/stream"):
        return "answer"
    if path in ("/api/search", "/search") or path.startswith("/post/"):
        return "search"
    if path in ("/api/feedback", "/feedback"):
        return "feedback"
    if path == "/sign-in" and method == "POST":
        return "sign_in"
    if path.startswith("/api/conversations/") or (path.startswith("/conversation") and method == "POST"):
        return "conversation"
    return None


def read_limits(settings: Settings) -> Mapping[Kind, list[RateLimitItem]]:
    """The limits that the settings name.

    Raises:
        FixableError: One of them is not written as a limit.
    """
    kinds: tuple[Kind, ...] = ("search", "answer", "conversation", "feedback", "sign_in", "kept")
    found: dict[Kind, list[RateLimitItem]] = {}
    for kind in kinds:
        written = getattr(settings, f"limit_{kind}").strip()
        try:
            found[kind] = parse_many(written) if written else []
        except ValueError as error:
            raise FixableError(
                f"the setting STIPPLE_LIMIT_{kind.upper()} is {written!r}: {error}", "write it as 60/minute;2000/day"
            ) from None
    return found


def check_storage(settings: Settings) -> Storage:
    """Where requests are counted.

    Raises:
        FixableError: The setting names nothing that can count.
    """
    try:
        storage = storage_from_string(f"async+{settings.limit_storage}")
    except (ConfigurationError, ValueError) as error:
        raise FixableError(
            f"the setting STIPPLE_LIMIT_STORAGE is {settings.limit_storage!r}: {error}",
            "write memory://, or redis://host:6379 with the package redis installed",
        ) from error
    assert isinstance(storage, Storage), "async+ names an asynchronous storage"
    return storage


class RateLimits:
    """ASGI middleware: a client that asks more often than the settings allow gets 429.

    Clients are told apart as ReadGate recognises them, strangers by their addresses. Somebody at this machine is not
    limited. Where the requests cannot be counted, because a Redis is down, nobody is refused. But passwords are counted
    wherever they are typed, and not tried while they cannot be counted.

    Raises:
        FixableError: A setting is not valid.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._limits = read_limits(settings)
        self._proxies = Networks.read(settings.trusted_proxies, "STIPPLE_TRUSTED_PROXIES")
        self._limiter = SlidingWindowCounterRateLimiter(check_storage(settings))
        self._undeclared = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = kind_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if kind is not None:
            client = client_of(scope, self._proxies)
            self._notice_proxy(client)
            # A password's guesses are counted from wherever they come, also through a proxy that says nothing.
            name = client.name if kind == "sign_in" else visitor().counted_as
            if name:
                if (wait_s := await self._wait_s(kind, name)) is not None:
                    self._metrics.refused.labels("rate").inc()
                    message = f"too many requests of this kind ({kind}); the next may be sent in {wait_s} s"
                    await refuse(scope, receive, send, 429, "too_many_requests", message, wait_s)
                    return
                begins = kind == "answer" or (kind == "search" and scope["path"] == "/search")
                one = Asker(name, may_keep=not begins or await self._may_keep(name))
                is_asking(one)
                try:
                    await self._app(scope, receive, send)
                finally:
                    if one.began:
                        await self._wait_s("kept", name)
                return
        await self._app(scope, receive, send)

    async def _may_keep(self, name: str) -> bool:
        """Whether another new conversation may be kept; it is counted once it was."""
        try:
            return all([await self._limiter.test(limit, "kept", name) for limit in self._limits["kept"]])
        except (StorageError, OSError):
            return True

    async def _wait_s(self, kind: Kind, name: str) -> int | None:
        """Seconds until the client may ask again; None if it may now, which is then counted."""
        try:
            for limit in self._limits[kind]:
                if not await self._limiter.hit(limit, kind, name):
                    window = await self._limiter.get_window_stats(limit, kind, name)
                    return max(1, math.ceil(window.reset_time - time.time()))
        except (StorageError, OSError) as error:
            _log.warning("requests cannot be counted", problem=str(error))
            if kind == "sign_in":
                return _RETRY_WHEN_BUSY_S
        return None

    def _notice_proxy(self, client: Client) -> None:
        if client.forwarded and client.address is not None and client.address.is_loopback and not self._undeclared:
            self._undeclared = True
            _log.warning(
                "a proxy on this machine passes requests on, and is not declared: all its readers count as one",
                fix="set STIPPLE_TRUSTED_PROXIES=127.0.0.1,::1",
            )


class Busy(Exception):
    """So many ask and wait that a further one is refused."""


class AskingQueue:
    """So many requests are worked on at once; a bounded number waits, for a bounded time, in their order.

    Attributes:
        asking, waiting: How many do now.
    """

    def __init__(self, most_asking: int, most_waiting: int, longest_wait_s: float) -> None:
        self._turn = asyncio.Semaphore(most_asking)
        self._most_waiting, self._longest_wait_s = most_waiting, longest_wait_s
        self.asking = self.waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """
        Raises:
            Busy: The queue is full, or the turn did not come in time.
        """
        if self._turn.locked() and self.waiting >= self._most_waiting:
            raise Busy
        self.waiting += 1
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._turn.acquire()
        except TimeoutError:
            raise Busy from None
        finally:
            self.waiting -= 1
        self.asking += 1
        try:
            yield
        finally:
            self.asking -= 1
            self._turn.release()


class QueueForTurn:
    """ASGI middleware: searches and answers wait for their turn; 503 where the queue is full or takes too long."""

    def __init__(self, app: ASGIApp, queue: AskingQueue, metrics: Metrics) -> None:
        self._app, self._queue, self._metrics = app, queue, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or kind_of(scope["method"], scope["path"]) not in ("search", "answer"):
            await self._app(scope, receive, send)
            return
        comes_now()
        try:
            turn = self._queue.turn()
            await turn.__aenter__()
        except Busy:
            self._metrics.refused.labels("busy").inc()
            message = "too many people are asking at once; try again in a few seconds"
            await refuse(scope, receive, send, 503, "busy", message, _RETRY_WHEN_BUSY_S)
            return

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_LONGEST_SEND_S):
                await send(message)

        try:
            await self._app(scope, receive, send_in_time)
        finally:
            await turn.__aexit__(None, None, None)
