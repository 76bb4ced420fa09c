"""Text to vectors. Queries and passages have separate methods, since many models want different prompts."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from retrieval.models.passage_encoder import PassageEncoder, like_lengths
from retrieval.models.pinyin_spelling import respeller
from retrieval.models.query_encoder import ALL_THREADS, Encode, trace, use_threads
from retrieval.models.token_vectors import TokenVectors, read_tokens, unit_rows
from retrieval.types import Identity, ModelRecipe, Span, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Convert = Callable[["SentenceTransformer", Encode], PassageEncoder | None]


# Converting takes 2 to 3 s, which a server that embeds a few sentences at a time never pays.
_MANY = 64


class Embedder(Protocol):
    """Turns text into unit vectors. Safe to call from several threads."""

    @property
    def identity(self) -> Identity:
        """What a generation must have been written with to match the queries of this embedder."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes that the model was trained on; None for all."""
        ...

    @property
    def window(self) -> int:
        """Tokens of one passage that are read, besides its prompt and those at both ends; the rest is ignored."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special tokens that the model adds at both ends."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n,) texts -> (n, dimension) float32, each row of L2 norm 1; n = 0 gives (0, dimension)."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """One text -> (dimension,) float32 of L2 norm 1."""
        ...

    def alike(self, text: str, others: Sequence[str]) -> list[str]:
        """Those of the other queries that cost little to embed together with this one."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n,) queries that are alike -> (n, dimension) float32, each row exactly as `embed_query` gives it."""
        ...

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Each text as embed_passages reads it, with a vector for each of its tokens."""
        ...


class SentenceTransformersEmbedder:
    """Any sentence-transformers model, with the query and passage prompts that it declares or the settings give.

    Args:
        batch_tokens: Most tokens that the model reads at once, including padding.
        convert: Returns a faster way to embed many texts, or None; called with the first large batch.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        languages: frozenset[str] | None,
        query_prompt: str = "",
        passage_prompt: str = "",
        recipe: ModelRecipe | None = None,
        batch_tokens: int = 4096,
        convert: Convert | None = None,
    ) -> None:
        self._model = model
        declared = {key: value for key, value in model.prompts.items() if value}
        self._query_prompt = query_prompt or declared.get("query", "")
        self._passage_prompt = passage_prompt or declared.get("passage", "") or declared.get("document", "")
        self._batch_tokens = batch_tokens
        self._convert = convert
        self._converted: PassageEncoder | None = None
        self._converting = threading.Lock()
        self._lock = threading.Lock()  # the tokenizer's truncation setting is shared and not thread-safe
        dimension = model.get_embedding_dimension()
        assert dimension is not None, f"{name} does not declare the dimension of its vectors"
        if self._passage_prompt:
            name += "+" + hashlib.sha256(self._passage_prompt.encode()).hexdigest()[:8]
        self._respell = respeller(self._lacks)
        if self._respell is not None:
            name += "+pinyin"
        self._identity = Identity(model=name, dimension=dimension, recipe=recipe)
        self._languages = languages
        self._most = int(model.max_seq_length or 512)
        self._window = self._most - 2 - sum(self.count_tokens([self._passage_prompt] if self._passage_prompt else []))
        self._traced = trace(model, self._embed)

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def languages(self) -> frozenset[str] | None:
        return self._languages

    @property
    def window(self) -> int:
        return self._window

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        with self._lock:
            encoded = self._model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        readable = [self._passage_prompt + self._readable(text) for text in texts]
        if len(texts) >= _MANY and self._convert is not None:
            with self._converting:
                if self._convert is not None:
                    self._converted, self._convert = self._convert(self._model, self._embed), None
        if len(texts) >= _MANY and self._converted is not None:
            return unit_rows(self._converted(readable))
        return self._embed(readable)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def alike(self, text: str, others: Sequence[str]) -> list[str]:
        if self._traced is None or not self._traced.together:
            return []
        tokens = self._traced.count(self._asked(text))
        return [other for other in others if self._traced.count(self._asked(other)) == tokens]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        asked = [self._asked(text) for text in texts]
        if self._traced is None:
            return np.concatenate([self._embed([one]) for one in asked])
        return unit_rows(self._traced(asked))

    def _asked(self, text: str) -> str:
        return self._query_prompt + self._readable(text)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        with self._lock:
            return read_tokens(self._model, texts, self._passage_prompt)

    def _readable(self, text: str) -> str:
        return text if self._respell is None else self._respell(text)

    def _lacks(self, character: str) -> bool:
        unknown = self._model.tokenizer.unk_token_id
        with self._lock:
            ids = self._model.tokenizer(character, add_special_tokens=False, verbose=False)["input_ids"]
        return unknown is not None and unknown in ids

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.identity.dimension), np.float32)
        use_threads(ALL_THREADS)
        tokens = [count + 2 for count in self.count_tokens(texts)] if len(texts) > 1 else [0]
        vectors: Vectors = np.empty((len(texts), self.identity.dimension), np.float32)
        for places in like_lengths([min(count, self._most) for count in tokens], self._batch_tokens):
            with self._lock:
                tensors = self._model.encode(
                    [texts[place] for place in places], batch_size=len(places), convert_to_numpy=False,
                    convert_to_tensor=True, normalize_embeddings=False, show_progress_bar=False, prompt="",
                )  # fmt: skip
            vectors[places] = tensors.float().cpu().numpy()
        # bfloat16 keeps 8 bits: normalising after the cast to float32 gives unit length to the last digit.
        return unit_rows(vectors)


class HashEmbedder:
    """A small real embedder for tests: hashed character trigrams. Texts that share words are near one another."""

    def __init__(self, dimension: int = 64, name: str = "hash", languages: frozenset[str] | None = None) -> None:
        self._identity = Identity(model=f"{name}-{dimension}", dimension=dimension)
        self._languages = languages

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def languages(self) -> frozenset[str] | None:
        return self._languages

    @property
    def window(self) -> int:
        return 128

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 3 + 1 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = f"  {text.lower()} "
            for at in range(len(padded) - 2):
                digest = hashlib.blake2b(padded[at : at + 3].encode("utf-8", "surrogatepass"), digest_size=4).digest()
                row[int.from_bytes(digest, "little") % len(row)] += 1.0
        return unit_rows(vectors)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_passages([text])[0]
        return vector

    def alike(self, text: str, others: Sequence[str]) -> list[str]:  # noqa: ARG002  # each costs as much as the next
        return []

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        read = []
        for text, whole in zip(texts, self.embed_passages(texts), strict=True):
            words = list(re.finditer(r"[a-z0-9]+|[^\W\da-z]", text, re.IGNORECASE))
            spans = tuple(Span(word.start(), word.end()) for word in words)
            read.append(TokenVectors(whole, self.embed_passages([word.group() for word in words]), spans))
        return read
