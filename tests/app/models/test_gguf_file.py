"""Unusable model files: each is named, with its fix, before or while llama.cpp reads it."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.generation import load_generator
from app.answering.generation.llama.chat_model import ChatModel
from app.answering.generation.llama.gguf_loader import load_llama
from app.models.gguf_file import GgufFile, open_gguf
from retrieval.errors import ModelMissing
from retrieval.settings import Settings
from tests.app.answering.generation.llama.families import FAMILIES, write_family

LLAMA = next(family for family in FAMILIES if family.architecture == "llama")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family(LLAMA, tmp_path_factory.mktemp("models") / "tiny.gguf")


def load(path: Path) -> None:
    ChatModel(open_gguf(path), path.stem, 512, 1).close()


def test_a_file_says_what_it_is(model: Path) -> None:
    file = open_gguf(model)
    assert (file.architecture, file.parts, file.size_bytes) == ("llama", (model,), model.stat().st_size)
    assert file.fields["llama.context_length"] == 2048
    cache = 4096 * 2 * 2 * (16 + 16) * 2  # tokens, layers, key heads, key and value, bytes
    assert file.memory_bytes(4096) - file.memory_bytes(0) == cache
    assert file.memory_bytes(0) - file.memory_bytes(0, weights=False) == file.size_bytes


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_named_so(model: Path, tmp_path: Path, share: float) -> None:
    data = model.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelMissing) as caught:
        load(cut)
    assert "cut.gguf" in caught.value.problem
    assert "download" in caught.value.fix


@pytest.mark.parametrize("size", [4, 10, 24, 60, 200])
def test_a_file_that_is_cut_off_within_its_head_is_named_so(model: Path, tmp_path: Path, size: int) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model.read_bytes()[:size])
    with pytest.raises(ModelMissing, match="cut off or damaged within its head"):
        open_gguf(cut)


def test_an_architecture_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = write_family(LLAMA, tmp_path / "new.gguf", architecture="brandnew9")
    with pytest.raises(ModelMissing, match="unknown model architecture: 'brandnew9'") as caught:
        load(path)
    assert "upgrade llama-cpp-python" in caught.value.fix


def test_a_tensor_that_is_missing_is_named(tmp_path: Path) -> None:
    path = write_family(LLAMA, tmp_path / "qwen.gguf", architecture="qwen3")
    with pytest.raises(ModelMissing, match=r"attn_[qk]_norm"):
        load(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "it is empty"), (b"PK\x03\x04 a zip", "begins with"), (b"<html>login", "no GGUF file")],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelMissing, match=problem):
        open_gguf(path)


def test_a_folder_a_file_within_a_file_and_nothing_at_all_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ModelMissing, match="Is a directory"):
        open_gguf(tmp_path)
    with pytest.raises(ModelMissing, match="Not a directory"):
        open_gguf(tmp_path / "file" / "model.gguf")
    with pytest.raises(ModelMissing, match="No such file"):
        open_gguf(tmp_path / "absent.gguf")


@given(st.binary(max_size=300))
def test_whatever_a_head_holds_the_file_is_read_or_named_damaged(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + rest)
    with contextlib.suppress(ModelMissing):  # and no other error
        assert open_gguf(path).memory_bytes(512) > 0


def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(model: Path) -> None:
    file = open_gguf(model)
    with pytest.raises(ModelMissing, match=r"needs about 0\.3 GB .* and 0\.1 GB are free") as caught:
        load_llama(file, 512, 1, available=100_000_000)
    assert "smaller model" in caught.value.fix
    huge = GgufFile(file.parts, 400_000_000_000, file.fields)
    with pytest.raises(ModelMissing, match=r"needs about 400\.\d GB"):
        load_llama(huge, 512, 1)


def test_a_context_larger_than_the_memory_is_refused(model: Path) -> None:
    with pytest.raises(ModelMissing, match="STIPPLE_LLM_CONTEXT_TOKENS"):
        load_llama(open_gguf(model), 1 << 34, 1)


def _split(model: Path, folder: Path) -> list[Path]:
    """The same model in three files, as llama.cpp's gguf-split leaves it."""
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama", split_max_tensors=8)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(
            field.name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        )
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.array(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("*.gguf"))


def test_a_model_in_parts_is_named_by_its_first_one(model: Path, tmp_path: Path) -> None:
    first, second, *_, last = parts = _split(model, tmp_path)
    file = open_gguf(first)
    assert file.parts == tuple(parts)
    assert file.size_bytes == sum(part.stat().st_size for part in parts)
    load(first)
    with pytest.raises(ModelMissing, match="part 2 of 3") as caught:
        open_gguf(second)
    assert first.name in caught.value.fix
    last.unlink()
    with pytest.raises(ModelMissing, match=f"these are missing: {last.name}"):
        open_gguf(first)


def test_settings_that_name_such_a_file_are_refused_before_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelMissing, match="damaged"):
        load_generator(Settings(data_dir=tmp_path, llm=str(path), _env_file=None))
