"""Calls to a Qdrant server, retried where that is safe and useful, with helpful errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from retrieval.errors import StoreUnreachable
from retrieval.stores.server.failures import FAILURES, Failure, failure
from retrieval.stores.server.nodes import within
from retrieval.stores.server.recent_writes import RecentWrites

_T = TypeVar("_T")
_READ_AT_ONCE = 256
_REPEATED_AFTER_S = 15.0
# A search asks again after these pauses, each twice the one before: a balancer has passed over a node by then.
_ASKED_AGAIN_S, _LAST_ASKED_S = 0.1, 0.2
_FORBIDDEN = 403  # a key that may not look at the cluster


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait for a server that does not answer, in seconds.

    Attributes:
        run_s: In total, for one call while a generation is written.
        write_s: In total, for any other write: somebody waits, or will try again.
        first_s: Before the first retry. Each further pause is twice as long, and randomly a little shorter, so that
            many writers do not return at the same moment.
        longest_s: The longest pause, unless the server asks for more.
        ask_s: In total, for one request of a search: what fails at once is tried again meanwhile.
        seen_s: Until a node of a cluster shows what was written.
    """

    run_s: float = 300.0
    write_s: float = 4.0
    first_s: float = 0.5
    longest_s: float = 10.0
    ask_s: float = 5.0
    seen_s: float = 15.0


class ServerCalls:
    """A client whose failures are FixableError. Safe to use from several threads, as the client is.

    Args:
        url: For messages.
        asking: The client for searches, with a shorter time limit.
        clock, sleep: Time, in seconds.
        recent: What this process wrote lately.
    """

    def __init__(
        self,
        client: QdrantClient,
        url: str,
        retry: RetryPolicy,
        *,
        asking: QdrantClient | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        recent: RecentWrites | None = None,
    ) -> None:
        self._client, self._asking, self._url = client, asking or client, url
        self._retry, self._clock, self._sleep = retry, clock, sleep
        self._tell: Callable[[str], None] | None = None
        self.recent = RecentWrites(clock=clock) if recent is None else recent
        self._peers: int | None = None

    @contextmanager
    def filling(self, tell: Callable[[str], None]) -> Iterator[None]:
        """During this block every call but `ask` waits long for the server; `tell` is told what for."""
        before, self._tell = self._tell, tell
        try:
            yield
        finally:
            self._tell = before

    def ask(self, call: Callable[[QdrantClient], _T]) -> _T:
        """A try with a short time limit, for somebody who waits. What fails at once, since a node went away, is tried
        again within that time.
        """
        since, pause_s = self._clock(), _ASKED_AGAIN_S
        with within(self._retry.ask_s):
            while True:
                try:
                    return call(self._asking)
                except FAILURES as error:
                    failed = failure(error, self._url)
                    again = failed.elsewhere and pause_s <= _LAST_ASKED_S
                    if not again or self._clock() - since + pause_s >= self._retry.ask_s / 2:
                        raise failed.error from error
                    self._sleep(pause_s)
                    pause_s *= 2

    def ask_or_read(self, call: Callable[[QdrantClient], _T]) -> _T:
        """As `ask`, or as `read` while a generation is written: for what both searches and runs need."""
        return self.ask(call) if self._tell is None else self.read(call)

    def read(self, call: Callable[[QdrantClient], _T]) -> _T:
        """One try; while a generation is written, until the server answers."""
        return self._tried(call, self._client, 0.0 if self._tell is None else self._retry.run_s)

    def write(self, call: Callable[[QdrantClient], _T]) -> _T:
        """Several tries: all our writes may be repeated."""
        return self._tried(call, self._client, self._retry.write_s if self._tell is None else self._retry.run_s)

    def payloads(self, collection: str, ids: Sequence[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        """These fields of the points with these IDs; an ID that is not there is left out."""
        for some in _some(ids):
            points = self.read(lambda client, some=some: client.retrieve(collection, some, with_payload=fields))  # type: ignore[misc]  # mypy infers no lambda with defaults
            yield from (point.payload or {} for point in points)

    def asked_payloads(
        self, collection: str, ids: Sequence[str], fields: list[str], at_once: int = _READ_AT_ONCE
    ) -> Iterator[dict[str, Any]]:
        """As `payloads`, for a search."""
        for some in _some(ids, at_once):
            points = self.ask(lambda client, some=some: client.retrieve(collection, some, with_payload=fields))  # type: ignore[misc]  # mypy infers no lambda with defaults
            yield from (point.payload or {} for point in points)

    def _tried(self, call: Callable[[QdrantClient], _T], client: QdrantClient, total_s: float) -> _T:
        since, pause_s, told_at = self._clock(), self._retry.first_s, -_REPEATED_AFTER_S
        while True:
            try:
                answer = call(client)
            except FAILURES as error:
                failed = failure(error, self._url)
                waited_s = self._clock() - since
                # Every node will know what this process created; no node, what somebody deleted meanwhile.
                unknown = bool(failed.missing) and self.recent.made(failed.missing)
                patience_s = self._retry.seen_s if unknown else total_s
                next_s = max(pause_s * random.uniform(0.75, 1.0), failed.retry_after_s)  # noqa: S311  # no secret
                if not (failed.may_pass or unknown) or waited_s + next_s > patience_s:
                    raise _not_seen(failed, waited_s) if unknown else failed.error from error
                if waited_s - told_at >= _REPEATED_AFTER_S and not unknown:
                    self.say(self._waiting(failed, waited_s, total_s))
                    told_at = waited_s
                self._sleep(next_s)
                pause_s = min(2 * pause_s, self._retry.longest_s)
                continue
            if told_at >= 0:
                self.say(f"the Qdrant server at {self._url} answers again, after {self._clock() - since:.0f} s")
            return answer

    def _waiting(self, failed: Failure, waited_s: float, total_s: float) -> str:
        since = f" since {waited_s:.0f} s" if waited_s >= 1 else ""
        return (
            f"the Qdrant server at {self._url} is not available{since} ({failed.reason}); nothing is lost, waiting "
            f"up to {total_s:.0f} s"
        )

    @property
    def is_cluster(self) -> bool:
        """Whether there are several nodes, of which some may be behind. A server that does not say may have."""
        return self.peers > 1

    @property
    def peers(self) -> int:
        """How many nodes there are; 2 where the server does not say. It is asked once."""
        if self._peers is None:
            self._peers = self.read(_peers)
        return self._peers

    def wait(self, seconds: float, why: str) -> None:
        """Wait until nodes that are behind show what was written before, in a cluster."""
        if seconds > 0 and self.is_cluster:
            self.say(f"waiting {seconds:.0f} s {why}")
            self._sleep(seconds)

    def until_seen(self, seen: Callable[[], bool], what: str) -> bool:
        """Ask until each node is likely to have said so; on a single one, once. Says it when that takes too long.

        Args:
            seen: Asks a node.
            what: What is waited for, for the message.
        """
        wanted = 2 * self.peers if self.is_cluster else 1
        since, pause_s, agreed = self._clock(), self._retry.first_s, 0
        while agreed < wanted:
            agreed = agreed + 1 if seen() else 0
            if agreed:
                continue
            waited_s = self._clock() - since
            if not self.is_cluster or waited_s + pause_s > self._retry.seen_s:
                self.say(f"after {waited_s:.0f} s a node at {self._url} does not show {what}: it is behind the others")
                return False
            self._sleep(pause_s)
            pause_s = min(2 * pause_s, self._retry.longest_s)
        return True

    def now(self) -> float:
        return self._clock()

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    def say(self, text: str) -> None:
        """Tell whoever writes a generation what is going on, if anybody does."""
        if self._tell is not None:
            self._tell(text)


def _peers(client: QdrantClient) -> int:
    try:
        status = client.cluster_status()
    except NotImplementedError:  # qdrant-client's local mode
        return 1
    except UnexpectedResponse as error:
        if error.status_code == _FORBIDDEN:
            return 2
        raise
    return max(1, len(status.peers)) if isinstance(status, models.ClusterStatusOneOf1) else 1


def _not_seen(failed: Failure, waited_s: float) -> StoreUnreachable:
    problem = f"{failed.error.problem}, {waited_s:.0f} s after it was created: a node is behind the others"
    return StoreUnreachable(problem, "ask each node for GET /cluster, restart the one that is behind, and run it again")


def _some(ids: Sequence[str], at_once: int = _READ_AT_ONCE) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), at_once):
        yield ids[at : at + at_once]
