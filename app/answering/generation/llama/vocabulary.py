"""A model's vocabulary: text to token ids, and ids to bytes, since a token may hold half a character."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

from app.answering.generation.llama.chat_template import Part
from app.answering.generation.thoughts import TAG


class Vocabulary:
    """Reads alone, so any thread may use it while the model computes.

    Args:
        handle: llama.cpp's `llama_vocab *`.
    """

    def __init__(self, handle: Any) -> None:
        from llama_cpp import llama_cpp

        self._bindings, self._handle = llama_cpp, handle
        bos, eos = llama_cpp.llama_vocab_bos(handle), llama_cpp.llama_vocab_eos(handle)
        self._bos_token = bos if llama_cpp.llama_vocab_get_add_bos(handle) and bos >= 0 else None
        self.bos, self.eos = (
            self.piece(token).decode("utf-8", "replace") if token >= 0 else "" for token in (bos, eos)
        )
        self.size = int(llama_cpp.llama_vocab_n_tokens(handle))

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """Ids of a text's tokens.

        Args:
            special: Whether `<|im_end|>` and the like are special tokens or plain text.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 16
        while True:
            ids = (ctypes.c_int32 * room)()
            count = self._bindings.llama_tokenize(self._handle, data, len(data), ids, room, False, special)
            if count >= 0:
                return list(ids[:count])
            room = -count

    def prompt(self, parts: list[Part]) -> list[int]:
        """The whole prompt. Where contents spell out a special token, they get plain tokens instead."""
        if any(part.content and self._spells(part.text) for part in parts):
            tokens = []
            for part in parts:
                tokens += self._plain(part.text) if part.content else self.tokens(part.text, special=True)
        else:
            tokens = self.tokens(
                "".join(part.text for part in parts), special=True
            )  # may merge across parts, as trained
        if self._bos_token is not None and tokens[:1] != [self._bos_token]:
            tokens.insert(0, self._bos_token)
        return tokens

    def _spells(self, text: str) -> bool:
        return bool(TAG.search(text)) or self.tokens(text, special=True) != self.tokens(text, special=False)

    def _plain(self, text: str) -> list[int]:
        """Tokens of a text without special tokens.

        llama.cpp recognises some of them regardless: `<think>`, and those that make a turn in gpt-oss. Cut in two after
        their first character, they are plain text.
        """
        cuts = [0, *(found.start() + 1 for found in TAG.finditer(text)), len(text)]
        stretches = [text[start:end] for start, end in itertools.pairwise(cuts)]
        return [token for stretch in stretches for token in self.tokens(stretch, special=False)]

    def piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            wrote = self._bindings.llama_token_to_piece(self._handle, token, buffer, size, 0, True)
            if wrote >= 0:
                return buffer.raw[:wrote]
            size = -wrote

    def ends(self, token: int) -> bool:
        return bool(self._bindings.llama_vocab_is_eog(self._handle, token))
