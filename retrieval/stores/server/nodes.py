"""The nodes of a cluster, each with an address of its own: those that are down are passed over, and come back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

import httpx

# A node that did not answer is not asked for so long, and then has to say first that it is ready.
AWAY_S = 5.0
_READY_S = 1.0
_ELSEWHERE = {502, 503, 504}
_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Requests of this block, together, take no longer than this."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def limit_time(request: httpx.Request) -> None:
    """An httpx hook that keeps a request within the time of `within`."""
    until = _until.get()
    if until is not None:
        left_s = max(until - time.monotonic(), 0.001)
        limits = request.extensions.get("timeout") or {}
        names = ("connect", "read", "write", "pool")
        request.extensions["timeout"] = {
            name: left_s if limits.get(name) is None else min(limits[name], left_s) for name in names
        }


class Nodes(httpx.BaseTransport):
    """Sends each request to one node: always to the same while it answers, so that what it said stays true.

    Writes are repeated at the next node too: all of ours may be.

    Args:
        urls: Of the nodes. Each process begins with another of them.
        inner: Sends to the address of a request.
        clock: Time, in seconds.
    """

    def __init__(
        self,
        urls: Sequence[str],
        inner: httpx.BaseTransport,
        *,
        clock: Callable[[], float] = time.monotonic,
        shuffled: bool = True,
    ) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        if shuffled:
            random.shuffle(self._urls)
        self._inner, self._clock, self._lock = inner, clock, Lock()
        self._away: dict[httpx.URL, float] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        order = self._order(request)
        for last, url in ((at + 1 == len(order), url) for at, url in enumerate(order)):
            limit_time(request)
            try:
                response = self._inner.handle_request(_addressed(request, url, len(order)))
            except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
                self._leave(url)  # nothing is left of the time for this one; the next request goes elsewhere
                raise
            except httpx.TransportError:
                self._leave(url)
                if last:
                    raise
                continue
            if response.status_code in _ELSEWHERE:
                self._leave(url)
                if not last:
                    response.close()
                    continue
            return response
        raise AssertionError("there is at least one node")

    def close(self) -> None:
        self._inner.close()

    def _order(self, request: httpx.Request) -> list[httpx.URL]:
        """The nodes to be tried, best first; those that are away last."""
        now = self._clock()
        with self._lock:
            away = {url for url, until in self._away.items() if until > now}
            back = [url for url in self._urls if url in self._away and url not in away]
            for url in back:
                self._away[url] = now + AWAY_S  # only one request asks whether it is back
        for url in back:
            if self._is_ready(request, url):
                with self._lock:
                    self._away.pop(url, None)
            else:
                away.add(url)
        return sorted(self._urls, key=lambda url: url in away)

    def _is_ready(self, request: httpx.Request, url: httpx.URL) -> bool:
        asked = httpx.Request(
            "GET", url.copy_with(path="/readyz"), headers=_of_the_caller(request),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), _READY_S)},
        )  # fmt: skip
        try:
            response = self._inner.handle_request(asked)
        except httpx.TransportError:
            return False
        response.close()
        return response.status_code == httpx.codes.OK

    def _leave(self, url: httpx.URL) -> None:
        with self._lock:
            self._away[url] = self._clock() + AWAY_S


def _addressed(request: httpx.Request, url: httpx.URL, nodes: int) -> httpx.Request:
    """The request, to this node; one of several has a part of the time to accept the connection."""
    limits = dict(request.extensions.get("timeout") or {})
    if limits.get("connect") is not None:
        limits["connect"] /= nodes
    to = request.url.copy_with(scheme=url.scheme, host=url.host, port=url.port)
    extensions = {**request.extensions, "timeout": limits}
    return httpx.Request(
        request.method, to, headers=_headers(request, url), stream=request.stream, extensions=extensions
    )


def _of_the_caller(request: httpx.Request) -> dict[str, str]:
    """The headers that tell who asks, without those of a body."""
    return {name: value for name, value in request.headers.items() if name in ("api-key", "authorization")}


def _headers(request: httpx.Request, url: httpx.URL) -> httpx.Headers:
    headers = request.headers.copy()
    headers["Host"] = url.netloc.decode()
    return headers
