"""A stand-in for a cluster of two nodes behind a balancer, of which one is behind the other.

Every write reaches the node that is ahead at once, and the other one after a delay: collections, metadata, aliases and
payload indexes in the order in which they were made, as a consensus log is applied, and points in theirs. A node that
does not know a collection yet answers as Qdrant does, 404. Time is simulated: sleeping advances it, and a little each
request. By hand, in real time, with delays by chance: `python -m tests.retrieval.stores.server.lagging_qdrant PORT`.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from qdrant_client import QdrantClient

from retrieval.stores.server.calls import RetryPolicy
from retrieval.stores.server.store import ServerStore
from tests.retrieval.stores.server.http_qdrant import HttpQdrant, LocalQdrant

_REQUEST_S = 0.002
MOST_BEHIND_S = 2.0


class Clock:
    """A clock that sleeping advances."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._lock = Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


class RealClock(Clock):
    """For trying it by hand: nothing is simulated."""

    def __call__(self) -> float:
        self.now = time.monotonic()
        return self.now

    def sleep(self, seconds: float) -> None:
        self()


class LaggingQdrant(HttpQdrant):
    """Both nodes at one address.

    Args:
        lag: The delay, in seconds, of the write that is made now.
        asks_behind: Whether the balancer sends this request to the node that is behind.
    """

    def __init__(
        self, lag: Callable[[], float], asks_behind: Callable[[], bool], clock: Clock | None = None, port: int = 0
    ) -> None:
        self.clock = clock or Clock()
        self._lag, self._asks_behind = lag, asks_behind
        self._behind = LocalQdrant()
        self._consensus: deque[tuple[float, str, str, Any]] = deque()
        self._points_log: deque[tuple[float, str, str, Any]] = deque()
        self._order = Lock()
        super().__init__(port)

    def cluster(self) -> dict[str, Any]:
        raft = {"term": 1, "commit": 1, "pending_operations": 0, "leader": 1, "role": "Leader", "is_voter": True}
        working = {"consensus_thread_status": "working", "last_update": "2026-01-01T00:00:00Z"}
        return {
            "status": "enabled", "peer_id": 1, "peers": {"1": {"uri": "http://a:6335"}, "2": {"uri": "http://b:6335"}},
            "raft_info": raft, "consensus_thread_status": working, "message_send_failures": {},
        }  # fmt: skip

    def answer(self, method: str, path: str, body: Any) -> Any:
        with self._order:
            self.clock.sleep(_REQUEST_S)
            self._catch_up()
            parts = path.strip("/").split("/")
            asked = self._behind if parts != ["cluster"] and self._asks_behind() else self
            writes = method in ("PUT", "PATCH", "DELETE") or parts[-1] in {"aliases", "delete", "payload"} or (
                parts[-1] == "batch" and "query" not in parts
            )  # fmt: skip
            if not writes or method == "GET":
                return super().answer(method, path, body) if asked is self else asked.answer(method, path, body)
            creates_or_deletes = len(parts) == 2 and method in ("PUT", "DELETE")
            for name in _names(parts, body):
                if not creates_or_deletes and name not in asked.collections():
                    raise KeyError(name)
            answer = super().answer(method, path, body)
            log = self._points_log if "points" in parts else self._consensus
            after = log[-1][0] if log else 0.0
            log.append((max(after, self.clock() + self._lag()), method, path, body))
            return answer

    def _catch_up(self) -> None:
        for log in (self._consensus, self._points_log):
            while log and log[0][0] <= self.clock():
                _, method, path, body = log[0]
                name = path.strip("/").split("/")[1]
                if log is self._points_log and name not in self._behind.collections():
                    if name in self.collections():  # it is not created there yet
                        break
                    log.popleft()
                    continue
                self._behind.answer(method, path, body)
                log.popleft()


@contextmanager
def lagging_qdrant(lag: Callable[[], float], asks_behind: Callable[[], bool]) -> Iterator[LaggingQdrant]:
    server = LaggingQdrant(lag, asks_behind)
    try:
        yield server
    finally:
        server.stop()
        server.client.close()


def store_on(server: LaggingQdrant, folder: Path, **more: Any) -> ServerStore:
    """A store of another process or machine, whose time is the server's."""
    client = QdrantClient(url=server.url, timeout=5, check_compatibility=False)
    return ServerStore(
        client, "stipple", folder, url=server.url, retry=RetryPolicy(run_s=20), clock=server.clock,
        sleep=server.clock.sleep, **more,
    )  # fmt: skip


def _names(parts: list[str], body: Any) -> list[str]:
    """The collections that have to be there."""
    if parts == ["collections", "aliases"]:
        made = [one["create_alias"] for one in body["actions"] if "create_alias" in one]
        return [one["collection_name"] for one in made]
    return [parts[1]]


if __name__ == "__main__":
    standing = LaggingQdrant(
        lambda: random.uniform(0, MOST_BEHIND_S), lambda: random.random() < 0.5, RealClock(), int(sys.argv[1])
    )
    print(f"listening at {standing.url}; ends with its standard input", flush=True)
    sys.stdin.read()
