"""From the settings to an embedder: which model, from where, in which number format; several as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import FixableError, ModelMissing
from retrieval.models.e5_folder import E5_LANGUAGES, E5_NAME, e5_folder
from retrieval.models.embedding import Convert, Embedder, SentenceTransformersEmbedder
from retrieval.models.ensemble import SEPARATOR, EnsembleEmbedder
from retrieval.models.files import BUNDLED_NAME, BUNDLED_SHA256, bundled_folder, fingerprint, hub_folder
from retrieval.models.passage_encoder import PassageEncoder, converted
from retrieval.models.query_encoder import Encode
from retrieval.settings import Settings
from retrieval.text.language import parse_languages
from retrieval.types import ModelRecipe

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_GPU_TIMES = 16  # a GPU has more to do at once


def load_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name; of several, joined by "+", an ensemble.

    Raises:
        ModelMissing: A model is missing, or its files are not the published ones.
        FixableError: Languages or prompts are set, and it would not be clear for which of several models.
    """
    name = settings.embedding_model
    if SEPARATOR not in name or Path(name).expanduser().is_dir():
        return load_model(settings, name)
    for field in ("embedding_languages", "embedding_query_prompt", "embedding_passage_prompt"):
        if getattr(settings, field):
            raise FixableError(
                f"STIPPLE_{field.upper()} is set, and STIPPLE_EMBEDDING_MODEL names several models ({name})",
                "leave it empty, or name one model",
            )
    return EnsembleEmbedder([_load_member(settings, one) for one in name.split(SEPARATOR)])


def _load_member(settings: Settings, name: str) -> Embedder:
    """As `load_model`, for one of several: it can be done without, too."""
    try:
        return load_model(settings, name)
    except ModelMissing as error:
        others = SEPARATOR.join(one for one in settings.embedding_model.split(SEPARATOR) if one != name)
        without = f"without it: set STIPPLE_EMBEDDING_MODEL={others} and run `stipple reindex PATH`"
        raise ModelMissing(error.problem, f"{error.fix}; {without}") from error


def embedder_of(recipe: ModelRecipe, settings: Settings) -> Embedder:
    """The embedder of a recipe, with the number format and threads of the settings; otherwise as `load_embedder`."""
    chosen = {
        "embedding_model": recipe.model,
        "embedding_languages": recipe.languages,
        "embedding_query_prompt": recipe.query_prompt,
        "embedding_passage_prompt": recipe.passage_prompt,
    }
    return load_embedder(settings.model_copy(update=chosen))


def load_model(settings: Settings, name: str) -> SentenceTransformersEmbedder:
    """One model by its name, loaded from disk; a hub ID that is not on disk yet is downloaded.

    Raises:
        ModelMissing: It is missing, or its files are not the published ones.
    """
    bundled = name == BUNDLED_NAME
    if bundled:
        folder = bundled_folder()
    elif name == E5_NAME:
        folder = e5_folder(settings.data_dir)
    else:
        folder = Path(name).expanduser()
        if not folder.is_dir():
            if folder.is_absolute() or name.startswith("."):  # no name of the hub begins like this
                raise ModelMissing(
                    f"the embedding model's folder {folder} is not there",
                    "bring the folder back, or correct STIPPLE_EMBEDDING_MODEL",
                )
            folder = hub_folder(name)
    weights = BUNDLED_SHA256 if bundled else fingerprint(folder)

    # Imported only here: it takes seconds, too long for `stipple --help`.
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]  # "Loading weights" flashes by in every command's output
    if settings.threads:
        torch.set_num_threads(settings.threads)
    dtype = settings.embedding_dtype
    if dtype == "auto":
        dtype = "bfloat16" if torch.cuda.is_available() or _has_bfloat16() else "float32"
    try:
        model = SentenceTransformer(
            str(folder), local_files_only=True, model_kwargs={"dtype": dtype}, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelMissing(
            f"the embedding model in {folder} does not load: {error}",
            "set STIPPLE_EMBEDDING_MODEL to a complete sentence-transformers model",
        ) from error
    known = {BUNDLED_NAME: "en", E5_NAME: E5_LANGUAGES}
    listed = settings.embedding_languages or known.get(name, "*")
    return SentenceTransformersEmbedder(
        model,
        f"{BUNDLED_NAME if bundled else name.rstrip('/').rsplit('/', 1)[-1]}@{weights[:8]}",
        parse_languages(listed),
        settings.embedding_query_prompt,
        settings.embedding_passage_prompt,
        ModelRecipe(
            str(folder.resolve()) if Path(name).expanduser().is_dir() and name not in known else name,
            settings.embedding_languages,
            settings.embedding_query_prompt,
            settings.embedding_passage_prompt,
        ),
        settings.embedding_batch_tokens * (1 if model.device.type == "cpu" else _GPU_TIMES),
        None if settings.embedding_backend == "torch" else _converter(settings, dtype == "bfloat16"),
    )


def _converter(settings: Settings, bfloat16: bool) -> Convert:
    """How many texts are embedded faster, as the settings ask; None for torch alone.

    Raises:
        ModelMissing: When called: OpenVINO was requested explicitly and does not work.
    """

    def convert(model: SentenceTransformer, encode: Encode) -> PassageEncoder | None:
        if model.device.type != "cpu":
            return None
        found = converted(model, encode, settings.embedding_batch_tokens, bfloat16, settings.threads)
        if isinstance(found, str) and settings.embedding_backend == "openvino":
            fix = "install stipple[openvino], or set STIPPLE_EMBEDDING_BACKEND to auto"
            raise ModelMissing(f"the embedding model cannot run on OpenVINO: {found}", fix)
        return None if isinstance(found, str) else found

    return convert


def _has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively; otherwise bfloat16 is slower than float32."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "avx512_bf16" in cpuinfo.read_text("utf-8", "replace")
