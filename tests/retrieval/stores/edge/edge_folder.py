"""The folder of an embedded store: where a generation is in it, and other processes that use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from retrieval.stores.contract import GenerationInfo

REPOSITORY = Path(__file__).parents[4]


def elsewhere(script: str, *given: Path | str, user: int | None = None) -> subprocess.Popen[str]:
    """Another process, with everything from `offered` and the store on the given folder."""
    prelude = """
import os, sys
from pathlib import Path
from retrieval.errors import FixableError
from retrieval.stores.edge.store import EdgeStore
from tests.retrieval.stores.offered import *
store = EdgeStore(Path(sys.argv[1]))
"""
    become = "" if user is None else f"os.setgroups([]); os.setgid({user}); os.setuid({user})\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + become + script, *map(str, given)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def killed(process: subprocess.Popen[str]) -> None:
    assert process.communicate() == ("", "")
    assert process.returncode == -9


def folder_of(data: Path, info: GenerationInfo) -> Path:
    return data / "index" / "generations" / info.name
