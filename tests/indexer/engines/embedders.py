"""Small embedders for workers, which can die or be missing."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from retrieval.errors import ModelMissing
from retrieval.models.embedding import HashEmbedder
from retrieval.types import Vectors


class MortalEmbedder(HashEmbedder):
    """Kills its process, like `kill -9`, when it reads "fatal", as many times as there are files in a folder."""

    def __init__(self, lives: Path) -> None:
        super().__init__()
        self._lives = lives

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if any("fatal" in text for text in texts):
            for life in self._lives.iterdir():
                life.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_passages(texts)


def absent_embedder() -> HashEmbedder:
    raise ModelMissing("the model bge-m3 is not on disk", "copy it there")


def other_embedder() -> HashEmbedder:
    return HashEmbedder(name="other")
