"""What a monitoring system reads of this process: /metrics, in the format of Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# A search takes some 20 ms, an answer by a model some 10 s.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The counters of one application.

    Attributes:
        refused: Requests refused before they were worked on, by reason: "rate" or "busy".
        answers: Answers by how they came about: "written", "quoted" or "declined".
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "stipple_request_seconds", "Time from a request to the end of its response.",
            ["method", "route", "status"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.refused = Counter(
            "stipple_refused_requests", "Requests refused before they were worked on.", ["reason"],
            registry=self.registry,
        )  # fmt: skip
        self.answers = Counter("stipple_answers", "Answers, by how they came about.", ["kind"], registry=self.registry)

    def watch(self, name: str, says: str, value: Callable[[], dict[str, float]], label: str = "") -> None:
        """Show values that are read when somebody asks for them: a name's own ("" as key), or one for each label."""
        self.registry.register(_Watched(name, says, value, label))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(self, name: str, says: str, value: Callable[[], dict[str, float]], label: str) -> None:
        self._name, self._says, self._value, self._label = name, says, value, label

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(self._name, self._says, labels=[self._label] if self._label else [])
        for label, value in self._value().items():
            gauge.add_metric([label] if self._label else [], value)
        yield gauge

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self._name, self._says)]


class CountRequests:
    """ASGI middleware: counts requests and how long they take, by the route's pattern and never by what was asked."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            took = time.perf_counter() - started
            self._metrics.requests.labels(method, self._route(scope), str(status or "aborted")).observe(took)

    @staticmethod
    def _route(scope: Scope) -> str:
        if scope["path"].startswith("/static/"):
            return "/static"
        return str(getattr(scope.get("route"), "path", "")) or "other"


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})
