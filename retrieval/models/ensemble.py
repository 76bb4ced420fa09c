"""Several embedders as one: each text's vectors side by side, so that one search weighs all their cosines.

The vector of a text is the members' vectors, each times a weight, one after the other. The inner product of two such
vectors is the weighted sum of the members' cosines: mixing models is linear, so that a store needs one vector a passage
and one graph, and each query may still weigh the models by its language (docs/decisions/0021-several-embedders.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.models.embedding import Embedder
from retrieval.models.token_vectors import TokenVectors, unit_rows
from retrieval.text.language import UNKNOWN, detect_language, knows
from retrieval.types import Identity, ModelRecipe, Vectors

SEPARATOR = "+"  # between the members' names, in the setting and in an index's identity

# What a specialist's cosine counts beside the generalist's 1
# (docs/decisions/0021-several-embedders.md).
_SPECIALIST = 1.2
# The cosine that a specialist's query gets with passages that it did not read, since they are in a language it does not
# know. 0 keeps posts in the other language out of sight, .4 puts them before same-language posts that are as good.
_UNREAD_COSINE = 0.3


class EnsembleEmbedder:
    """A generalist that reads every text, and specialists that also read those in the languages they know.

    Args:
        members: The generalist first. Each is used for passages and for queries alike.
    """

    def __init__(self, members: Sequence[Embedder]) -> None:
        assert len(members) > 1, "one embedder is no ensemble"
        self.members = tuple(members)
        self._generalist, *self._specialists = members
        # Behind each specialist's numbers stands one more: 1 where it did not read a passage, so that all passages have
        # the same length, and a query that no specialist reads finds those in every language alike.
        at, self._places = self._generalist.identity.dimension, list[int]()
        for member in self._specialists:
            self._places.append(at)
            at += member.identity.dimension + 1
        identities = [member.identity for member in members]
        name = SEPARATOR.join(identity.model for identity in identities)
        self._identity = Identity(model=name, dimension=at, recipe=_recipe(identities))

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
        vectors = self._begun(self._generalist.embed_passages(texts))
        languages = [detect_language(text) for text in texts]
        for member, at in zip(self._specialists, self._places, strict=True):
            end = at + member.identity.dimension
            read = np.array([knows(member.languages, language) for language in languages], bool)
            vectors[read, at:end] = member.embed_passages(
                [text for text, known in zip(texts, read, strict=True) if known]
            )
            vectors[~read, end] = 1
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
        vectors = self._begun(self._generalist.embed_queries(texts))
        language = detect_language(texts[0]) if texts else UNKNOWN  # queries that are alike are in one language
        for member, at in zip(self._specialists, self._places, strict=True):
            if knows(member.languages, language):
                end = at + member.identity.dimension
                vectors[:, at:end] = _SPECIALIST * member.embed_queries(texts)
                vectors[:, end] = _SPECIALIST * _UNREAD_COSINE
        return unit_rows(vectors)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """By the specialist that knows the language of all the texts, or else by the generalist: tokens of two models
        cannot be compared.
        """
        readers = [self._readers(detect_language(text))[-1] for text in texts]
        reader = readers[0] if len(set(map(id, readers))) == 1 else self._generalist
        return reader.embed_tokens(texts)

    def _begun(self, generalist: Vectors) -> Vectors:
        vectors: Vectors = np.zeros((len(generalist), self.identity.dimension), np.float32)
        vectors[:, : generalist.shape[1]] = generalist
        return vectors

    def _readers(self, language: str) -> list[Embedder]:
        """Who reads a query in this language, the generalist first."""
        return [self._generalist, *(one for one in self._specialists if knows(one.languages, language))]


def _recipe(identities: Sequence[Identity]) -> ModelRecipe | None:
    """How to load the members again; None where one of them does not say."""
    models = [identity.recipe.model for identity in identities if identity.recipe is not None]
    return ModelRecipe(SEPARATOR.join(models)) if len(models) == len(identities) else None


def generalist(embedder: Embedder) -> Embedder:
    """The member that reads every text; the embedder itself where it is one model."""
    return embedder.members[0] if isinstance(embedder, EnsembleEmbedder) else embedder


def specialist(embedder: Embedder) -> Embedder:
    """The last member, which knows its languages best; the embedder itself where it is one model."""
    return embedder.members[-1] if isinstance(embedder, EnsembleEmbedder) else embedder
