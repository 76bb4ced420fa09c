"""llama.cpp in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import ModelMissing

if TYPE_CHECKING:
    from llama_cpp import Llama


class LlamaGenerator:
    """A GGUF model through llama.cpp, greedy, with the chat template that the file carries."""

    def __init__(
        self, path: Path, name: str, languages: frozenset[str] | None, context_tokens: int, threads: int
    ) -> None:
        from llama_cpp import Llama

        self.name, self.languages = name, languages
        self.thinking_tokens, self.parallel = 0, 1
        try:
            with _without_amx():
                self._llama: Llama = Llama(
                    str(path), n_ctx=context_tokens, n_batch=512, n_threads=threads or None,
                    n_threads_batch=threads or None, flash_attn=True, verbose=False, seed=0,
                )  # fmt: skip
        except (ValueError, OSError, RuntimeError) as error:
            raise ModelMissing(
                f"llama.cpp does not load {path}: {error}",
                "set STIPPLE_LLM to a complete GGUF file of a kind that llama.cpp knows, or to none",
            ) from error
        self.context_tokens = self._llama.n_ctx()
        # llama.cpp's state is one: counting tokens while another thread generates is safe, generating twice is not.
        self._lock = threading.Lock()

    def count_tokens(self, text: str) -> int:
        return len(self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=False))

    def generate(
        self,
        system: str,
        user: str,
        max_tokens: int,
        stop: threading.Event,
        *,
        grammar: str | None = None,
        thinking_tokens: int | None = None,  # noqa: ARG002
        thoughts: Callable[[str], object] | None = None,  # noqa: ARG002
    ) -> Iterator[str]:
        from llama_cpp.llama_grammar import LlamaGrammar

        messages: list[Any] = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        with self._lock:
            chunks: Any = self._llama.create_chat_completion(
                messages,
                max_tokens=max_tokens,
                temperature=0.0,
                repeat_penalty=1.05,
                stream=True,
                grammar=LlamaGrammar.from_string(grammar) if grammar else None,
            )
            for chunk in chunks:
                if stop.is_set():
                    break
                piece = chunk["choices"][0]["delta"].get("content")
                if piece:
                    yield piece

    def close(self) -> None:
        with self._lock:
            self._llama.close()


def _without_amx() -> AbstractContextManager[None]:
    """On processors with AMX, load without llama.cpp's AMX kernels.

    A build on such a processor uses them unasked, and in some virtual machines their first instruction kills the
    process (SIGSEGV in ggml_backend_amx_mul_mat, seen with llama-cpp-python 0.3.36). The class Llama has no argument
    for it, so the parameters that it starts from are changed while it loads.
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

    with _LOADING:
        default = bindings.llama_model_default_params
        bindings.llama_model_default_params = plain
        try:
            yield
        finally:
            bindings.llama_model_default_params = default


_LOADING = threading.Lock()
