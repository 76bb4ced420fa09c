"""Loads a GGUF file with llama.cpp, and reports its log messages when that fails."""

from __future__ import annotations

import ctypes
import os
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from app.answering.generation.llama.context import MOST_ROWS, LlamaContext
from app.models.gguf_file import GgufFile
from retrieval.errors import ModelMissing
from retrieval.memory import available_bytes

_log = structlog.get_logger()
_WARNING, _ERROR, _CONTINUED = 3, 4, 5  # ggml_log_level
_LOADING = threading.Lock()
_said: deque[str] = deque(maxlen=40)
_callback: Any = None  # llama.cpp keeps its address, so it must live as long as the process


def load_llama(
    file: GgufFile,
    context_tokens: int,
    threads: int,
    gpu_layers: int = 0,
    available: int | None = None,
    sequences: int = 1,
) -> LlamaContext:
    """The model with a context, with flash attention where the model allows it.

    Args:
        threads: For reading and for writing; 0 is one per core.
        gpu_layers: Layers put on a GPU, -1 for all; ignored without a GPU build of llama.cpp.
        available: Memory that may be used, in bytes; None: what the system has left.
        sequences: How many share the context.

    Raises:
        ModelMissing: It does not fit into memory, or llama.cpp refuses it; says why, and what to do.
    """
    from llama_cpp import llama_cpp

    _listen(llama_cpp)
    threads = threads or os.cpu_count() or 1
    on_gpu = bool(gpu_layers) and llama_cpp.llama_supports_gpu_offload()
    _check_memory(file, context_tokens, on_gpu, available if available is not None else available_bytes())
    path = file.parts[0]
    with _LOADING, without_amx():
        _said.clear()
        llama_cpp.llama_backend_init()
        of_model = llama_cpp.llama_model_default_params()
        of_model.n_gpu_layers = gpu_layers if on_gpu else 0
        model = llama_cpp.llama_model_load_from_file(os.fsencode(path), of_model)
        if model is None:
            raise _refused(path)
        if llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model):
            _log.info("this model's state cannot be shared: each prompt is read from its beginning", file=path.name)
        of_context = llama_cpp.llama_context_default_params()
        of_context.n_ctx, of_context.n_batch, of_context.n_ubatch = context_tokens, MOST_ROWS, MOST_ROWS
        of_context.n_seq_max, of_context.kv_unified = sequences, True
        of_context.n_threads = of_context.n_threads_batch = threads
        of_context.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
        # With a sliding window a reused prompt prefix would be silently wrong (Gemma 3, gpt-oss).
        of_context.swa_full = True
        context = llama_cpp.llama_init_from_model(model, of_context)
        if context is None:
            llama_cpp.llama_model_free(model)
            raise _refused(path)
        # llama.cpp rounds a context up; the requested size is what counts.
        return LlamaContext(model, context, min(context_tokens, llama_cpp.llama_n_ctx(context)), sequences)


def _refused(path: Path) -> ModelMissing:
    reason = last_words() or "it does not say why"
    return ModelMissing(f"llama.cpp cannot load {path}: {reason}", _mend(reason))


def last_words() -> str:
    """llama.cpp's own reason for its last failure; "" where it gave none."""
    lines = [line.strip() for line in "".join(_said).splitlines() if line.strip()]
    lines = [line for line in lines if "failed to load model" not in line]  # says only that it failed
    causes = [line.partition("error loading model: ")[2] for line in lines if "error loading model: " in line]
    message = causes[-1] if causes else "; ".join(lines[-2:])
    return re.sub(r"^error loading model (hyperparameters|vocabulary|architecture): ", "", message)[:300]


def _listen(bindings: Any) -> None:
    global _callback  # noqa: PLW0603  # llama.cpp keeps one for the whole process
    if _callback is not None:
        return
    keeping = False

    def keep(level: int, text: bytes, _: Any) -> None:
        nonlocal keeping
        if level != _CONTINUED:
            keeping = _WARNING <= level <= _ERROR
        if keeping:
            _said.append(text.decode("utf-8", "replace"))

    _callback = bindings.llama_log_callback(keep)
    bindings.llama_log_set(_callback, ctypes.c_void_p(0))


def _check_memory(file: GgufFile, context_tokens: int, on_gpu: bool, available: int | None) -> None:
    needed = file.memory_bytes(context_tokens, weights=not on_gpu)
    if available is not None and needed > available:
        raise ModelMissing(
            f"{file.parts[0].name} needs about {needed / 1e9:.1f} GB of memory with a context of {context_tokens:,} "
            f"tokens, and {available / 1e9:.1f} GB are free",
            "choose a smaller model or quantisation, lower STIPPLE_LLM_CONTEXT_TOKENS, or free some memory "
            "(docs/models.md)",
        )


def _mend(reason: str) -> str:
    if "not within the file" in reason or "corrupt" in reason or "incomplete" in reason or "failed to read" in reason:
        return "the file is incomplete: download it again, and compare its size with the publisher's"
    if "unknown model architecture" in reason:
        return "upgrade llama-cpp-python (pip install -U llama-cpp-python), or choose another model (docs/models.md)"
    return "set STIPPLE_LLM to a complete GGUF file that llama.cpp supports, or to none"


def without_amx() -> AbstractContextManager[None]:
    """On processors with AMX, load without llama.cpp's AMX kernels.

    A build on such a processor uses them by default, and in some virtual machines their first instruction kills the
    process (SIGSEGV in ggml_backend_amx_mul_mat, seen with llama-cpp-python 0.3.36). The bindings' default parameters
    are changed while it loads: their own class Llama, which benchmarks and tests load too, has no argument for it.
    """
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists() or "amx_int8" not in cpuinfo.read_text("utf-8", "replace"):
        return nullcontext()
    return _plain_buffers()


@contextmanager
def _plain_buffers() -> Iterator[None]:
    bindings: Any = import_module("llama_cpp.llama_cpp")

    def plain() -> Any:
        parameters = default()
        parameters.use_extra_bufts = False
        return parameters

    default = bindings.llama_model_default_params
    bindings.llama_model_default_params = plain
    try:
        yield
    finally:
        bindings.llama_model_default_params = default
