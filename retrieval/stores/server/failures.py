"""What went wrong with a call to a Qdrant server, whether to retry, and what to tell an operator. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError

from httpx import TimeoutException
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from retrieval.errors import FixableError, IndexMismatch, StoreUnreachable

# What qdrant-client raises. A 200 whose body is not JSON raises JSONDecodeError, unexpected JSON AssertionError.
FAILURES = (ApiException, QdrantException, JSONDecodeError, AssertionError)
# A cluster answers 500 while a shard has too few replicas. All our writes may be repeated.
_MAY_PASS = {408, 429, 500, 502, 503, 504}
# What a node that goes away costs: its own answer, or that of a balancer or another node about it.
_ELSEWHERE = {500, 502, 503, 504}
_MISSING = re.compile(r"Collection `([^`]+)` doesn't exist")
_FORBIDDEN = {401, 403}
_DIMENSION = re.compile(r"expected dim: (\d+), got (\d+)")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF")
_CORRECT_URL = "correct STIPPLE_QDRANT_URL"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call.

    Attributes:
        error: What to raise if it is not retried.
        may_pass: Whether the same call may succeed later.
        reason: In a few words, for progress messages.
        retry_after_s: How long the server asks to wait; 0 if it does not say.
        elsewhere: Whether another node, or the same one in a moment, may answer at once.
        missing: The collection that is not there.
    """

    error: FixableError
    may_pass: bool
    reason: str
    retry_after_s: float = 0.0
    elsewhere: bool = False
    missing: str = ""


def failure(error: Exception, url: str) -> Failure:
    """What one of FAILURES means.

    Args:
        url: Of the server, for messages.
    """
    if isinstance(error, ResourceExhaustedResponse):
        problem = f"the Qdrant server at {url} answers 429: {error}"
        reason = "429, too much at once"
        return Failure(StoreUnreachable(problem, _ask_less()), True, reason, float(error.retry_after_s))
    if isinstance(error, UnexpectedResponse):
        return _answered(error, url)
    if isinstance(error, ResponseHandlingException):
        return _unanswered(error.source, url)
    if isinstance(error, AssertionError):
        if "returned None" not in str(error):
            raise error
        return _no_qdrant(url, "its answer is not in Qdrant's format")
    if isinstance(error, JSONDecodeError):
        return _no_qdrant(url, "its answer is not JSON")
    # A Retry-After that is a date: qdrant-client reads only numbers.
    return Failure(StoreUnreachable(f"the Qdrant server at {url} asks to wait: {error}", _ask_less()), True, str(error))


def _answered(error: UnexpectedResponse, url: str) -> Failure:
    status, body = error.status_code or 0, error.content.decode("utf-8", "replace")
    reason = _reason(body)
    if status in _FORBIDDEN:
        problem = f"the Qdrant server at {url} refuses the key ({status})"
        return _final(StoreUnreachable(problem, "correct STIPPLE_QDRANT_API_KEY; it must be allowed to write"))
    if 300 <= status < 400:
        return _no_qdrant(url, f"it answers {status}, elsewhere: {error.headers.get('location', 'nowhere')}")
    if reason is None and status not in _MAY_PASS:
        return _no_qdrant(url, f"it answers {status} {error.reason_phrase} but not in Qdrant's format")
    problem = f"the Qdrant server at {url} answers {status} {error.reason_phrase}: {(reason or body)[:300]}"
    if wrong := _DIMENSION.search(problem):
        held, given = wrong.groups()
        problem = f"the collection on {url} keeps vectors of {held} dimensions, and these have {given}"
        return _final(IndexMismatch(problem, "run `stipple reindex PATH` with the model of STIPPLE_EMBEDDING_MODEL"))
    if "No space left" in problem:
        return _final(StoreUnreachable(problem, "free space on the server's disk: a reindex writes a second index"))
    if status == 413 or "larger than allowed" in problem:
        fix = "raise QDRANT__SERVICE__MAX_REQUEST_SIZE_MB there, or leave out the longest posts"
        return _final(StoreUnreachable(problem, fix))
    if status == 404:
        gone = StoreUnreachable(problem, "it was deleted meanwhile: run `stipple status`, then reindex")
        found = _MISSING.search(problem)
        return Failure(gone, False, "404", elsewhere=found is not None, missing=found[1] if found else "")
    fix = "check its log and free disk space; Stipple needs Qdrant 1.16 or newer"
    after_s = error.headers.get("retry-after", "")
    return Failure(
        StoreUnreachable(problem, fix), status in _MAY_PASS, f"{status} {error.reason_phrase}",
        float(after_s) if after_s.isdecimal() else 0.0, elsewhere=status in _ELSEWHERE,
    )  # fmt: skip


def _unanswered(source: object, url: str) -> Failure:
    if isinstance(source, ValueError):  # pydantic's: unexpected JSON
        return _no_qdrant(url, "its answer is not in Qdrant's format")
    reason = _innermost(source)
    if "CERTIFICATE" in reason or "certificate" in reason:
        fix = "name the authority that signed it in SSL_CERT_FILE, or correct the host in STIPPLE_QDRANT_URL"
        return _final(StoreUnreachable(f"the certificate of {url} is not trusted: {reason}", fix))
    if any(word in reason for word in _NO_TLS):
        problem = f"{url} says https, but the server there does not speak TLS: {reason}"
        return _final(StoreUnreachable(problem, "write http:// in STIPPLE_QDRANT_URL, or put TLS before it"))
    fix = "start it, correct STIPPLE_QDRANT_URL, or raise STIPPLE_QDRANT_TIMEOUT_S (of a search: …_SEARCH_TIMEOUT_S)"
    problem = f"the Qdrant server at {url} does not answer: {reason}"
    # After a time limit there is no time left.
    return Failure(StoreUnreachable(problem, fix), True, reason, elsewhere=not isinstance(source, TimeoutException))


def _innermost(source: object) -> str:
    """The message of the first in a chain of exceptions, or its name if the message is empty."""
    chain = list(_chain(source))
    return next((str(one) for one in reversed(chain) if str(one)), type(source).__name__)


def _chain(error: object) -> Iterator[BaseException]:
    while isinstance(error, BaseException):
        yield error
        error = error.__cause__ or error.__context__


def _reason(body: str) -> str | None:
    """The reason given in an answer of Qdrant; None if it is not from Qdrant."""
    try:
        status = json.loads(body)["status"]
        return str(status["error"] if isinstance(status, dict) else status)
    except (ValueError, KeyError, TypeError):
        return None


def _no_qdrant(url: str, why: str) -> Failure:
    return _final(StoreUnreachable(f"what answers at {url} is not a Qdrant server: {why}", _CORRECT_URL))


def _final(error: FixableError) -> Failure:
    return Failure(error, may_pass=False, reason=error.problem)


def _ask_less() -> str:
    return "raise the server's limit of requests, or index from fewer processes at once"
