"""Text is cut as SentencePiece cuts it, and each token knows its place."""

from __future__ import annotations

import pytest

from retrieval.models.e5_tokenizer import e5_tokenizer
from tests.retrieval.models.small_e5 import PIECES


def pieces_of(text: str) -> list[str]:
    encoded = e5_tokenizer(PIECES, [-1.0 - number / 10 for number in range(len(PIECES))]).encode(text)
    assert encoded.tokens[0] == "<s>"
    assert encoded.tokens[-1] == "</s>"
    return encoded.tokens[1:-1]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("query: 咖啡", ["▁query", ":", "▁", "咖", "啡"]),
        ("", []),
        ("  ab \t\u3000 c\n", ["▁", "a", "b", "▁", "c"]),
        ("ａ\u0007ｂ\u200bc", ["▁", "a", "b", "▁", "c"]),
        ("ab～", ["▁", "a", "b", "～"]),
        ("e\u0301", ["▁", "é"]),
        ("aЖb", ["▁", "a", "<unk>", "b"]),
    ],
)
def test_a_text_becomes_these_pieces(text: str, pieces: list[str]) -> None:
    assert [piece if piece in PIECES else "<unk>" for piece in pieces_of(text)] == pieces


def test_a_words_first_token_does_not_begin_with_the_space_before_it() -> None:
    tokenizer = e5_tokenizer(PIECES, [-1.0] * len(PIECES))
    text = "query: query 咖啡"
    encoded = tokenizer.encode(text)
    # A ▁ that is a token of its own stands where the word's first letter does.
    assert [text[start:end] for start, end in encoded.offsets[1:-1]] == ["query", ":", "query", "咖", "咖", "啡"]
