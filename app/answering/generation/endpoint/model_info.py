"""What an endpoint says about itself: which model it serves, and how large its context is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """What the endpoint reported.

    Attributes:
        models: Names that it offers, in its order.
        context_tokens: Context of the model that is used; 0 where it does not say.
    """

    models: tuple[str, ...]
    context_tokens: int


async def ask_endpoint(client: httpx.AsyncClient, base: str, model: str) -> EndpointInfo:
    """Read /v1/models, and /props where llama-server has it. Missing routes are not errors.

    Raises:
        httpx.HTTPError: /v1/models does not answer, or answers with an error other than 404.
    """
    response = await client.get(f"{base}/models")
    if response.status_code == httpx.codes.NOT_FOUND:
        offered = []  # the list is optional
    else:
        response.raise_for_status()
        offered = _offered(response)
    names = tuple(str(one["id"]) for one in offered)
    used = next((one for one in offered if one["id"] == model), offered[0] if offered and not model else {})
    properties = await _properties(client, base)
    context = _first_number(
        properties.get("n_ctx"),
        used.get("max_model_len"),  # vLLM, SGLang
        used.get("loaded_context_length"),  # LM Studio
        used.get("context_length"),  # OpenRouter and others
    )
    return EndpointInfo(names, context)


def _offered(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        body = response.json()
    except ValueError:
        return []
    listed = body.get("data", []) if isinstance(body, dict) else body
    return [one for one in listed if isinstance(one, dict) and "id" in one] if isinstance(listed, list) else []


async def _properties(client: httpx.AsyncClient, base: str) -> dict[str, Any]:
    """`default_generation_settings` of llama-server: its n_ctx is what one request may use."""
    try:
        response = await client.get(f"{base.removesuffix('/v1')}/props")
        body = response.json() if response.is_success else {}
    except (httpx.HTTPError, ValueError):
        return {}
    found = body.get("default_generation_settings") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _first_number(*candidates: object) -> int:
    return next((one for one in candidates if isinstance(one, int) and not isinstance(one, bool) and one > 0), 0)
