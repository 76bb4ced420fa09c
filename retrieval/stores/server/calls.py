"""Calls to a Qdrant server, retried where that is safe and useful, with helpful errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from qdrant_client import QdrantClient

from retrieval.stores.server.failures import FAILURES, Failure, failure

_T = TypeVar("_T")
_READ_AT_ONCE = 256
_REPEATED_AFTER_S = 15.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait for a server that does not answer, in seconds.

    Attributes:
        run_s: In total, for one call while a generation is written.
        write_s: In total, for any other write: somebody waits, or will try again.
        first_s: Before the first retry. Each further pause is twice as long, and randomly a little shorter, so that
            many writers do not return at the same moment.
        longest_s: The longest pause, unless the server asks for more.
    """

    run_s: float = 300.0
    write_s: float = 4.0
    first_s: float = 0.5
    longest_s: float = 10.0


class ServerCalls:
    """A client whose failures are FixableError. Safe to use from several threads, as the client is.

    Args:
        url: For messages.
        asking: The client for searches, with a shorter time limit.
        clock, sleep: Time, in seconds.
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
    ) -> None:
        self._client, self._asking, self._url = client, asking or client, url
        self._retry, self._clock, self._sleep = retry, clock, sleep
        self._tell: Callable[[str], None] | None = None

    @contextmanager
    def filling(self, tell: Callable[[str], None]) -> Iterator[None]:
        """During this block every call but `ask` waits long for the server; `tell` is told what for."""
        before, self._tell = self._tell, tell
        try:
            yield
        finally:
            self._tell = before

    def ask(self, call: Callable[[QdrantClient], _T]) -> _T:
        """One try with a short time limit: somebody waits for the answer, and will ask again."""
        return self._tried(call, self._asking, 0.0)

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

    def asked_payloads(self, collection: str, ids: Sequence[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        """As `payloads`, for a search."""
        for some in _some(ids):
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
                next_s = max(pause_s * random.uniform(0.75, 1.0), failed.retry_after_s)  # noqa: S311  # no secret
                if not failed.may_pass or waited_s + next_s > total_s:
                    raise failed.error from error
                if waited_s - told_at >= _REPEATED_AFTER_S:
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

    def say(self, text: str) -> None:
        """Tell whoever writes a generation what is going on, if anybody does."""
        if self._tell is not None:
            self._tell(text)


def _some(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), _READ_AT_ONCE):
        yield ids[at : at + _READ_AT_ONCE]
