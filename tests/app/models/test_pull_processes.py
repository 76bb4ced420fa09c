"""Pulls in processes of their own: killed at any moment, two at once, and where nothing may be written."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.models.model_folder import part_path, state_of
from app.models.pull import remove
from retrieval.errors import FixableError
from tests.app.models.tiny_model import DATA, PART_BYTES, a_model

MODEL = a_model()


def puller(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.app.models.tiny_model", str(folder), *options]
    root = Path(__file__).parents[3]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root)


def ran(folder: Path, *options: str) -> tuple[int, str]:
    process = puller(folder, *options)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def test_killed_at_twenty_moments_a_pull_never_leaves_a_file_that_looks_whole_and_always_goes_on(
    tmp_path: Path,
) -> None:
    code, said = ran(tmp_path / "first")
    assert code == 0, said
    moments = int(said.splitlines()[-1])
    chosen = random.Random(20)
    # The last five moments are those of the check, the rename and what follows: each is tried.
    kills = [*range(moments - 4, moments + 1), *(chosen.randrange(1, moments - 4) for _ in range(15))]
    folder = tmp_path / "killed"
    went_on = 0
    for kill in kills:
        before = state_of(MODEL, folder)
        if before.kind == "whole":
            remove(MODEL, folder)
        code, said = ran(folder, f"--die-at={kill}")
        went_on += "were there already" in said
        after = state_of(MODEL, folder)
        if after.kind == "whole":
            assert (folder / MODEL.file).read_bytes() == DATA
            continue
        assert code < 0, said
        if after.kind == "begun":
            kept = part_path(MODEL, folder).read_bytes()
            assert DATA.startswith(kept)
        assert not (folder / MODEL.file).exists()
    assert went_on > 0, "some of them were resumed"
    code, said = ran(folder)
    assert code == 0, said
    assert (folder / MODEL.file).read_bytes() == DATA
    assert sorted(path.name for path in folder.iterdir()) == [f".{MODEL.file}.lock", MODEL.file]


def test_of_two_pulls_at_once_one_waits_says_so_and_asks_for_nothing(tmp_path: Path) -> None:
    pulls = [puller(tmp_path, "--slow-s=0.2") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in pulls]
    assert [process.returncode for process in pulls] == [0, 0]
    assert (tmp_path / MODEL.file).read_bytes() == DATA
    waited = [text for text in said if "another process is pulling tiny-1b; waiting for it" in text]
    assert len(waited) == 1
    assert "".join(said).count("asked for") == 7
    assert "asked for" not in waited[0]


def test_a_pull_that_waits_goes_on_where_the_other_one_was_killed(tmp_path: Path) -> None:
    first = puller(tmp_path, "--slow-s=0.2")
    _wait_for(lambda: state_of(MODEL, tmp_path).size_bytes >= PART_BYTES)
    second = puller(tmp_path)
    assert second.stdout is not None
    assert "waiting" in second.stdout.readline()
    with pytest.raises(FixableError, match="is being pulled by another process"):
        remove(MODEL, tmp_path)
    first.kill()
    first.communicate()
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert "were there already" in said
    assert (tmp_path / MODEL.file).read_bytes() == DATA


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become a user who may write nowhere")
def test_a_read_only_folder_is_told_with_its_mend(tmp_path: Path) -> None:
    code, said = ran(tmp_path, "--nobody")
    assert code == 1
    assert "models cannot be used: Permission denied" in said
    assert "make it writable for this user, or set STIPPLE_DATA_DIR" in said


def test_a_file_that_may_not_grow_is_told_as_a_full_disk_and_what_came_is_kept(tmp_path: Path) -> None:
    code, said = ran(tmp_path, f"--largest-file={3 * PART_BYTES + 100}")
    assert code == 1
    assert "is full" in said
    assert DATA.startswith(part_path(MODEL, tmp_path).read_bytes())
    code, said = ran(tmp_path)
    assert code == 0
    assert "0.1 of 0.2 MB were there already" in said
    assert (tmp_path / MODEL.file).read_bytes() == DATA


def _wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")
