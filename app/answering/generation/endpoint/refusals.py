"""What goes wrong with an endpoint, said so that somebody can mend it, and never with its key."""

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

# Fields of ours that not every endpoint knows: named in its refusal, they are left out from then on.
_DISPENSABLE = ("chat_template_kwargs", "max_tokens", "temperature", "grammar")
_TOO_LONG = re.compile(
    r"context (length|size|window)|maximum context|too many tokens|exceeds? .*context", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where it is, and who we are there.

    Attributes:
        url: Of its /v1, without a slash at the end.
        shown: The same for people: without a password that stood in it.
    """

    url: str
    shown: str
    api_key: str

    @classmethod
    def parse(cls, address: str, api_key: str) -> EndpointAddress:
        """From a setting: `http://host:8080`, with or without /v1, or with /v1/chat/completions pasted along.

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
        """What an endpoint said, without our key: some repeat it when they refuse it."""
        return text.replace(self.api_key, "(the key)") if self.api_key else text


class Refused(Exception):
    """An answer other than 2xx.

    Attributes:
        failure: What the asker's log is told where we give up.
        passing: Whether it may go better in a moment.
        pause_s: How long it asks us to wait; None where it does not say.
        field: The field of ours that it does not know; "" where it is not about one.
    """

    def __init__(
        self, failure: ModelFailed, *, passing: bool = False, pause_s: float | None = None, field: str = ""
    ) -> None:
        super().__init__(str(failure))
        self.failure, self.passing, self.pause_s, self.field = failure, passing, pause_s, field


def read_refusal(at: EndpointAddress, status: int, body: str, retry_after: str = "") -> Refused:
    """What a status and a body mean."""
    try:
        said = error_message(json.loads(body))
    except ValueError:
        said = error_message(re.sub(r"<[^>]*>", " ", body))
    said = at.scrub(said)
    because = f"{at.shown} answers {status}" + (f": {said}" if said else "")
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
    if status in {400, 413, 422} and _TOO_LONG.search(said):
        return Refused(PromptTooLong(because, "set STIPPLE_LLM_CONTEXT_TOKENS to what it can read"))
    named = next((name for name in _DISPENSABLE if name in said), "") if status in {400, 422} else ""
    return Refused(ModelFailed(because, "see what it says, and STIPPLE_LLM_REQUEST_FIELDS"), field=named)


def unreachable(at: EndpointAddress, error: httpx.HTTPError, read_timeout_s: float) -> ModelFailed:
    """The failure behind an error of the connection."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return ModelFailed(
            f"{at.shown} accepts no connection in time", "see whether it runs; STIPPLE_LLM_CONNECT_TIMEOUT_S"
        )
    if isinstance(error, httpx.TimeoutException):
        return ModelFailed(
            f"{at.shown} was silent for {read_timeout_s:g} s",
            "see whether it is overloaded, or raise STIPPLE_LLM_READ_TIMEOUT_S",
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
