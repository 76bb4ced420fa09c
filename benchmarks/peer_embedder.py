"""Stipple's embedders in a peer's hands: the same models, joined in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from retrieval.models.e5_folder import E5_NAME, e5_folder
from retrieval.models.embedding import Embedder
from retrieval.models.ensemble import SEPARATOR, EnsembleEmbedder
from retrieval.models.factory import load_embedder, load_model
from retrieval.models.files import BUNDLED_NAME, bundled_folder
from retrieval.settings import Settings
from retrieval.types import Identity, Vectors

HOWS = ("sentence-transformers", "stipple")


class PeerEmbedder(Protocol):
    """What a peer needs of an embedder."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_query(self, text: str) -> Vectors: ...


def peer_embedder(settings: Settings, how: str) -> PeerEmbedder:
    """The embedder of the settings.

    Args:
        how: "sentence-transformers": each model as its makers run it, `SentenceTransformer(folder).encode(texts)`, as
            the peers do themselves with one model. "stipple": by the very functions that Stipple embeds
            with, so that all that differs is what is not embedding.
    """
    if how == "stipple":
        return load_embedder(settings)
    members: list[Any] = [PlainMember(settings, name) for name in settings.embedding_model.split(SEPARATOR)]
    found: PeerEmbedder = EnsembleEmbedder(members) if len(members) > 1 else members[0]
    return found


class PlainMember:
    """One model by `SentenceTransformer.encode`, in its default number format."""

    def __init__(self, settings: Settings, name: str) -> None:
        from sentence_transformers import SentenceTransformer

        folders = {E5_NAME: lambda: e5_folder(settings.data_dir), BUNDLED_NAME: bundled_folder}
        folder = folders.get(name, lambda: name)()
        self._model: Any = SentenceTransformer(str(folder), local_files_only=True)
        own: Embedder = load_model(settings, name)
        self.identity: Identity = own.identity
        self.languages: frozenset[str] | None = own.languages

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(texts, "passage")

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(texts, "query")

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def _encoded(self, texts: Sequence[str], kind: str) -> Vectors:
        prompt = self._model.prompts.get(kind) or None
        vectors: Vectors = self._model.encode(
            list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors
