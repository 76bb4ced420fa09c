"""Several embedders as one: each passage's vectors side by side, so that one search weighs all their cosines.

The vector of a text is the members' vectors, each times a weight, one after the other. The inner product of two such
vectors is the weighted sum of the members' cosines: fusing models is linear, so that a store needs one vector and one
graph, and each query may still weigh the models by its language (docs/decisions/0021-several-embedders.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.models.token_vectors import TokenVectors, unit_rows
from retrieval.text.language import detect_language, knows
from retrieval.types import Identity, ModelRecipe, Vectors

SEPARATOR = "+"  # between the members' names, in the setting and in an index's identity

# What a specialist's cosine counts beside the generalist's 1, in a query's vector and in a passage's. A passage in a
# language that a specialist does not know has the generalist's vector alone.
_SPECIALIST_IN_QUERY = 1.0
_SPECIALIST_IN_PASSAGE = 1.0


class EnsembleEmbedder:
    """A generalist that reads every text, and specialists that also read those in the languages they know.

    Args:
        members: The generalist first. Each is used for passages and for queries alike.
    """

    def __init__(self, members: Sequence[Embedder]) -> None:
        assert len(members) > 1, "one embedder is no ensemble"
        self.members = tuple(members)
        self._generalist, *self._specialists = members
        ends = np.cumsum([member.identity.dimension for member in members]).tolist()
        self._slices = [slice(end - member.identity.dimension, end) for member, end in zip(members, ends, strict=True)]
        identities = [member.identity for member in members]
        self._identity = Identity(
            model=SEPARATOR.join(identity.model for identity in identities),
            dimension=ends[-1],
            recipe=_recipe(identities),
        )

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def languages(self) -> frozenset[str] | None:
        known = [member.languages for member in self.members]
        return None if None in known else frozenset().union(*(languages or () for languages in known))

    @property
    def window(self) -> int:
        return min(member.window for member in self.members)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The most tokens that any member makes of each text."""
        return [max(counts) for counts in zip(*(member.count_tokens(texts) for member in self.members), strict=True)]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        vectors[:, self._slices[0]] = self._generalist.embed_passages(texts)
        languages = [detect_language(text) for text in texts]
        for member, place in zip(self._specialists, self._slices[1:], strict=True):
            rows = [row for row, language in enumerate(languages) if knows(member.languages, language)]
            vectors[rows, place] = _SPECIALIST_IN_PASSAGE * member.embed_passages([texts[row] for row in rows])
        return unit_rows(vectors)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def alike(self, text: str, others: Sequence[str]) -> list[str]:
        language = detect_language(text)
        alike = [other for other in others if detect_language(other) == language]
        for member in self._readers(language):
            alike = member.alike(text, alike) if alike else []
        return alike

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        if not texts:
            return vectors
        vectors[:, self._slices[0]] = self._generalist.embed_queries(texts)
        language = detect_language(texts[0])  # queries that are alike are in one language
        for member, place in zip(self._specialists, self._slices[1:], strict=True):
            if knows(member.languages, language):
                vectors[:, place] = _SPECIALIST_IN_QUERY * member.embed_queries(texts)
        return unit_rows(vectors)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """By the specialist that knows the language of all the texts, or else by the generalist: tokens of two models
        cannot be compared.
        """
        readers = [self._readers(detect_language(text))[-1] for text in texts]
        reader = readers[0] if len(set(map(id, readers))) == 1 else self._generalist
        return reader.embed_tokens(texts)

    def _readers(self, language: str) -> list[Embedder]:
        """Who reads a query in this language, the generalist first."""
        return [self._generalist, *(one for one in self._specialists if knows(one.languages, language))]


def _recipe(identities: Sequence[Identity]) -> ModelRecipe | None:
    """How to load the members again; None where one of them does not say."""
    models = [identity.recipe.model for identity in identities if identity.recipe is not None]
    return ModelRecipe(SEPARATOR.join(models)) if len(models) == len(identities) else None
