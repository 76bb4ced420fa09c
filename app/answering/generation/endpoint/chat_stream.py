"""Reads what an OpenAI-compatible endpoint streams, event by event, well formed or not. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


class BrokenStreamError(Exception):
    """The data is not such a stream; says what it is instead."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What one event adds.

    Attributes:
        text, thought: Either may be empty. A thought here is one that the endpoint itself separates.
        finish: Why the reply ends with this event: "stop", "length", ...; "" where it continues.
        done: The stream says that it is over.
        prompt_tokens: What the endpoint counted; 0 where it does not say.
    """

    text: str = ""
    thought: str = ""
    finish: str = ""
    done: bool = False
    prompt_tokens: int = 0


def read_line(line: str) -> Delta | None:
    """What a line of the stream says; None for comments, blank lines and fields other than data.

    Raises:
        BrokenStreamError: Its data is not JSON, has another shape, or is an error by the endpoint.
    """
    if not line.startswith("data:"):
        return None
    data = line.removeprefix("data:").strip()
    if not data:
        return None
    if data == "[DONE]":
        return Delta(done=True)
    return read_object(data)


def read_object(data: str) -> Delta:
    """The same for a JSON object: an event of a stream, or a whole reply of an endpoint that does not stream.

    Raises:
        BrokenStreamError: As above.
    """
    try:
        event = json.loads(data)
    except ValueError:
        raise BrokenStreamError(f"no JSON: {_excerpt(data)}") from None
    if not isinstance(event, dict):
        raise BrokenStreamError(f"JSON of another shape: {_excerpt(data)}")
    if event.get("error"):
        raise BrokenStreamError(f"an error: {error_message(event)}")
    usage = event.get("usage")
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    prompt_tokens = counted if isinstance(counted, int) else 0
    choices = event.get("choices")
    if choices == [] or (choices is None and usage is not None):
        return Delta(prompt_tokens=prompt_tokens)  # the last event, with the token counts
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise BrokenStreamError(f"JSON of another shape: {_excerpt(data)}")
    delta = choices[0].get("delta") or choices[0].get("message") or {}
    if not isinstance(delta, dict):
        raise BrokenStreamError(f"JSON of another shape: {_excerpt(data)}")
    text, thought = _content(delta.get("content"))
    # `reasoning` in vLLM since 0.12; `reasoning_content` in llama-server, DeepSeek and older ones.
    apart = next((delta[name] for name in ("reasoning_content", "reasoning") if isinstance(delta.get(name), str)), "")
    finish = choices[0].get("finish_reason")
    return Delta(text, thought + apart, finish if isinstance(finish, str) else "", prompt_tokens=prompt_tokens)


def error_message(body: Any) -> str:
    """The message of an error object in any of the usual shapes; at most 200 characters."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error, ensure_ascii=False)
    return _excerpt(str(error))


def _content(content: object) -> tuple[str, str]:
    """Text and thought of a `content`: a string or, as Mistral streams it, a list of typed parts."""
    if isinstance(content, str):
        return content, ""
    text = thought = ""
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and part.get("type") == "text":
            text += str(part.get("text", ""))
        elif isinstance(part, dict) and part.get("type") == "thinking":
            inner = part.get("thinking")
            thought += _content(inner)[0] if isinstance(inner, list) else str(inner or "")
    return text, thought


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else flat[:200] + "…"
