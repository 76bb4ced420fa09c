"""llama.cpp's context: one KV cache that several sequences share, and one batch at a time that adds to them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 512
"""Most rows of a batch; llama.cpp computes them in one go, so that an aborted batch leaves nothing behind."""


class Row(NamedTuple):
    """A token to be read at a position of a sequence, and whether what may follow it is wanted."""

    token: int
    position: int
    sequence: int
    wanted: bool


class Decoded(Enum):
    """What became of a batch. Where it is not DONE, the sequences are as they were."""

    DONE = auto()
    FULL = auto()  # the cache has no room for it
    ABORTED = auto()


class LlamaContext:
    """A loaded model with its KV cache.

    Attributes:
        window: Tokens that the cache holds, of all sequences together; those that two share count once.
        sequences: How many there are, numbered from 0.
        shares: Whether a sequence can be cut, and copied to another, at any token. Recurrent models cannot.

    Args:
        model, context: llama.cpp's own handles; released by `close`.
    """

    def __init__(self, model: Any, context: Any, window: int, sequences: int) -> None:
        from llama_cpp import llama_cpp

        self._c, self._model, self._context = llama_cpp, model, context
        self._memory = llama_cpp.llama_get_memory(context)
        self.vocabulary_handle = llama_cpp.llama_model_get_vocab(model)
        self.window, self.sequences = window, sequences
        self.shares = not (llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model))
        self._width = llama_cpp.llama_vocab_n_tokens(self.vocabulary_handle)
        self._batch = llama_cpp.llama_batch_init(MOST_ROWS, 0, 1)
        self._flag = _abort_flag(context)

    @property
    def template(self) -> str:
        """The chat template in the file; "" without one."""
        return (self._c.llama_model_chat_template(self._model, None) or b"").decode("utf-8", "replace")

    def decode(self, rows: Sequence[Row]) -> Decoded:
        """Read the rows, at most MOST_ROWS. `abort` ends it early.

        Raises:
            RuntimeError: llama.cpp failed; what the cache holds is then unknown.
        """
        assert len(rows) <= MOST_ROWS, f"{len(rows)} rows are more than a batch holds"
        batch = self._batch
        batch.n_tokens = len(rows)
        for at, row in enumerate(rows):
            batch.token[at], batch.pos[at], batch.logits[at] = row.token, row.position, row.wanted
            batch.n_seq_id[at], batch.seq_id[at][0] = 1, row.sequence
        code = self._c.llama_decode(self._context, batch)
        self._flag[0] = b"\x00"
        if code in {0, 1, 2}:
            return (Decoded.DONE, Decoded.FULL, Decoded.ABORTED)[code]
        raise RuntimeError(f"llama_decode returned {code}")

    def logits(self, row: int) -> NDArray[np.float32]:
        """(vocabulary,) float32 of what may follow a wanted row of the last batch; valid until the next one."""
        pointer = self._c.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self._width,))

    def keep(self, sequence: int, tokens: int) -> None:
        """Leave a sequence only so many of its first tokens."""
        removed = self._c.llama_memory_seq_rm(self._memory, sequence, tokens, -1)
        assert removed or tokens, "a whole sequence can always be removed"
        assert removed, "a sequence of a model that does not share is kept whole or removed whole"

    def copy(self, source: int, target: int, tokens: int) -> None:
        """Give an empty sequence the first tokens of another one; they share the cells."""
        self._c.llama_memory_seq_cp(self._memory, source, target, 0, tokens)

    def abort(self) -> None:
        """End the batch that is being read, from another thread. Without one, the next batch may end at once."""
        self._flag[0] = b"\x01"

    def close(self) -> None:
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)


def _abort_flag(context: Any) -> Any:
    """A flag that llama.cpp checks between two operations, without running any Python.

    llama.cpp calls a C function with one address to ask whether to abort. A Python function would need the
    interpreter's lock hundreds of times per token; C's own strlen, given a string of no or one letter, does as well.
    """
    from llama_cpp import llama_cpp

    flag = ctypes.create_string_buffer(2)
    try:
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value or 0
    except (AttributeError, OSError, TypeError):  # no such library: it then stops between two batches
        return flag
    asked = llama_cpp.ggml_abort_callback(strlen)
    llama_cpp.llama_set_abort_callback(context, asked, ctypes.cast(flag, ctypes.c_void_p))
    flag.asked = asked  # type: ignore[attr-defined]  # llama.cpp keeps its address
    return flag
