"""Errors of an endpoint, reported so that they can be fixed, and without its key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.answering.generation.endpoint.chat_stream import error_message
from app.answering.generation.protocol import ModelFailed, PromptTooLong
from retrieval.errors import FixableError

# Request fields that not every endpoint knows: once it refuses one by name, it is left out.
_DISPENSABLE = ("chat_template_kwargs", "max_tokens", "temperature")
_TOO_LONG = re.compile(
    r"context (length|size|window)|maximum context|too many tokens|exceeds? .*context", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where the endpoint is, and our key for it.

    Attributes:
        url: Of its /v1, without a trailing slash.
        shown: The same for people: without a password.
    """

    url: str
    shown: str
    api_key: str

    @classmethod
    def parse(cls, address: str, api_key: str) -> EndpointAddress:
        """From a setting: `http://host:8080`, with or without /v1, or with /v1/chat/completions appended.

        Raises:
            FixableError: It names no host.
        """
        parts = urlsplit(address.strip())
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host:
            raise FixableError(f"STIPPLE_LLM is {address!r}, which names no host", "write it as http://host:8080/v1")
        path = re.sub(r"/(chat/)?completions/?$", "", parts.path).rstrip("/") or "/v1"
        where = f"[{host}]" if ":" in host else host
        where = where if port is None else f"{where}:{port}"
        return cls(
            urlunsplit((parts.scheme, parts.netloc, path, "", "")),
            urlunsplit((parts.scheme, where, path, "", "")),
            api_key,
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def scrub(self, text: str) -> str:
        """An endpoint's message without our key: some repeat it when they refuse it."""
        return text.replace(self.api_key, "(the key)") if self.api_key else text


class Refused(Exception):
    """An answer other than 2xx.

    Attributes:
        failure: The error to raise when we give up.
        passing: Whether a retry may succeed.
        pause_s: How long it asks us to wait; None where it does not say.
        field: The request field that it does not know; "" where it is something else.
    """

    def __init__(
        self, failure: ModelFailed, *, passing: bool = False, pause_s: float | None = None, field: str = ""
    ) -> None:
        super().__init__(str(failure))
        self.failure, self.passing, self.pause_s, self.field = failure, passing, pause_s, field


def read_refusal(at: EndpointAddress, status: int, body: str, retry_after: str = "") -> Refused:
    """What a status and a body mean."""
    try:
        message = error_message(json.loads(body))
    except ValueError:
        message = error_message(re.sub(r"<[^>]*>", " ", body))
    message = at.scrub(message)
    because = f"{at.shown} answers {status}" + (f": {message}" if message else "")
    if status in {401, 403}:
        return Refused(ModelFailed(because, "set STIPPLE_LLM_API_KEY to a key that it accepts"))
    if status == 404:
        return Refused(
            ModelFailed(
                because, "correct STIPPLE_LLM (it ends in /v1) or STIPPLE_LLM_MODEL (`stipple doctor` lists them)"
            )
        )
    if status == 429:
        return Refused(
            ModelFailed(because, "lower STIPPLE_LLM_PARALLEL, or raise the limits of the endpoint"),
            passing=True,
            pause_s=_seconds(retry_after),
        )
    if status >= 500:
        return Refused(ModelFailed(because, "see the endpoint's own log"), passing=True, pause_s=_seconds(retry_after))
    if status in {400, 413, 422} and _TOO_LONG.search(message):
        return Refused(PromptTooLong(because, "set STIPPLE_LLM_CONTEXT_TOKENS to its context size"))
    named = next((name for name in _DISPENSABLE if name in message), "") if status in {400, 422} else ""
    return Refused(ModelFailed(because, "follow its message; check STIPPLE_LLM_REQUEST_FIELDS"), field=named)


def unreachable(at: EndpointAddress, error: httpx.HTTPError, read_timeout_s: float) -> ModelFailed:
    """The failure for a connection error."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return ModelFailed(
            f"{at.shown} accepted no connection in time", "check that it runs, or raise STIPPLE_LLM_CONNECT_TIMEOUT_S"
        )
    if isinstance(error, httpx.TimeoutException):
        return ModelFailed(
            f"{at.shown} was silent for {read_timeout_s:g} s",
            "check whether it is overloaded, or raise STIPPLE_LLM_READ_TIMEOUT_S",
        )
    if isinstance(error, httpx.ConnectError):
        return ModelFailed(
            f"{at.shown} cannot be reached: {at.scrub(str(error))}", "start the endpoint, or correct STIPPLE_LLM"
        )
    return ModelFailed(
        f"the connection to {at.shown} broke: {at.scrub(str(error)) or type(error).__name__}",
        "see the endpoint's own log",
    )


def _seconds(retry_after: str) -> float | None:
    """What Retry-After asks for: seconds, or a date."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
