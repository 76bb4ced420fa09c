"""Calls to a Qdrant server: tried again where that is safe and may help, and failing in words that help."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from retrieval.errors import StoreUnreachable

_T = TypeVar("_T")
_READ_AT_ONCE = 256
_OVERLOADED = {429, 502, 503, 504}
_FORBIDDEN = {401, 403}


class ServerCalls:
    """A client whose failures are StoreUnreachable. Safe to use from several threads, as the client is.

    Args:
        url: For messages.
        pauses_s: Before each further try of a write.
    """

    def __init__(self, client: QdrantClient, url: str, pauses_s: Sequence[float]) -> None:
        self._client, self._url, self._pauses_s = client, url, tuple(pauses_s)

    def read(self, call: Callable[[QdrantClient], _T]) -> _T:
        """Asks once: somebody waits for the answer, and will ask again."""
        return self._tried(call, ())

    def write(self, call: Callable[[QdrantClient], _T]) -> _T:
        """Asks a few times: every write of ours may be repeated, and a reindex should survive the server's restart."""
        return self._tried(call, self._pauses_s)

    def payloads(self, collection: str, ids: Sequence[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        """These fields of the points of these ids; an id that is not there is left out."""
        for at in range(0, len(ids), _READ_AT_ONCE):
            yield from self._payloads(collection, ids[at : at + _READ_AT_ONCE], fields)

    def _payloads(self, collection: str, ids: Sequence[str], fields: list[str]) -> list[dict[str, Any]]:
        points = self.read(lambda client: client.retrieve(collection, ids, with_payload=fields))
        return [point.payload or {} for point in points]

    def _tried(self, call: Callable[[QdrantClient], _T], pauses_s: Sequence[float]) -> _T:
        for pause_s in pauses_s:
            try:
                return call(self._client)
            except (ResponseHandlingException, UnexpectedResponse) as error:
                if isinstance(error, UnexpectedResponse) and error.status_code not in _OVERLOADED:
                    raise self._told(error) from error
                time.sleep(pause_s)
        try:
            return call(self._client)
        except (ResponseHandlingException, UnexpectedResponse) as error:
            raise self._told(error) from error

    def _told(self, error: ApiException) -> StoreUnreachable:
        if not isinstance(error, UnexpectedResponse):
            return StoreUnreachable(
                f"the Qdrant server at {self._url} does not answer: {error}",
                "start it, correct STIPPLE_QDRANT_URL, or raise STIPPLE_QDRANT_TIMEOUT_S",
            )
        if error.status_code in _FORBIDDEN:
            problem = f"the Qdrant server at {self._url} refuses the key ({error.status_code})"
            return StoreUnreachable(problem, "correct STIPPLE_QDRANT_API_KEY")
        said = error.content.decode("utf-8", "replace")[:300]
        return StoreUnreachable(
            f"the Qdrant server at {self._url} answers {error.status_code} {error.reason_phrase}: {said}",
            "look at its log and its free disk space; Stipple needs Qdrant 1.16 or newer",
        )
