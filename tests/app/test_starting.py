"""After a server starts, its first request takes no longer than the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.testclient import TestClient

from app.main import create_app
from app.services import Services
from retrieval.models.embedding import HashEmbedder
from retrieval.settings import Settings
from retrieval.stores.factory import open_store
from retrieval.types import Vectors
from tests.small_index import POSTS, indexed


class Asked(HashEmbedder):
    """A hashed embedder that keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(64)
        self.queries: list[str] = []

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.queries += texts
        return super().embed_queries(texts)


def test_what_is_loaded_at_the_first_search_is_loaded_before_anybody_asks(tmp_path: Path) -> None:
    indexed(tmp_path, POSTS, HashEmbedder(64))
    settings, embedder = Settings(data_dir=tmp_path, _env_file=None, llm="none"), Asked()
    app = create_app(settings, Services(settings, open_store(settings), embedder, None))
    with TestClient(app) as client:
        [searched] = embedder.queries
        assert any(character.isascii() for character in searched), "English words"
        assert any("\u4e00" <= character <= "\u9fff" for character in searched), "and Chinese, which a dictionary tells"
        suggested = client.get("/api/suggest", params={"q": searched[:1]}).json()["suggestions"]
        assert searched not in [one["text"] for one in suggested], "it is nobody's past query"
