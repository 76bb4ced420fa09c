"""llama.cpp in a process of its own: a model from a GGUF file, by greedy decoding and the file's own chat template."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.answering.generation.cancellation import when_set
from app.answering.generation.llama import wire
from app.answering.generation.llama.writer_process import WriterProcess
from app.answering.generation.protocol import EngineFigures, GenerateRequest, ModelFailed, PromptTooLong
from app.answering.generation.thoughts import Piece
from app.models.gguf_file import GgufFile

_POLL_S = 0.05  # how often a stop that calls nobody is looked at


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How a model is loaded, and how it behaves beside the server.

    Attributes:
        context_tokens: Of all replies being written together, and so the most of one; capped at what the model was
            trained with.
        threads: 0 is one per core.
        thinking_tokens: Most tokens of thought before a reply, where the model's template says that it thinks.
        gpu_layers: Layers put on a GPU, -1 for all; ignored without a GPU build of llama.cpp.
        parallel: Replies written at once.
        niceness: How far its threads give way to the server's: 0 not at all, 19 always.
        memory_bytes: Most memory beside the model's file; 0 for no limit.
    """

    context_tokens: int = 4096
    threads: int = 0
    thinking_tokens: int = 0
    gpu_layers: int = 0
    parallel: int = 4
    niceness: int = 10
    memory_bytes: int = 0


class LlamaGenerator:
    """A GGUF model in a WriterProcess. What prompts have in common is read once.

    Args:
        languages: That it writes; None for all.

    Raises:
        ModelMissing: The model cannot be loaded.
    """

    def __init__(
        self, file: GgufFile, name: str, languages: frozenset[str] | None, options: LlamaOptions | None = None
    ) -> None:
        o = options or LlamaOptions()
        self.name, self.languages, self.parallel = name, languages, o.parallel
        self._process = WriterProcess(
            wire.Load(
                str(file.parts[0]), name, o.context_tokens, o.threads, o.thinking_tokens, o.gpu_layers,
                o.parallel, o.niceness, o.memory_bytes,
            )
        )  # fmt: skip
        # The same few texts are counted again and again: what precedes the posts.
        self.count_tokens = lru_cache(256)(self._process.count_tokens)

    @property
    def context_tokens(self) -> int:
        return self._process.loaded.context_tokens

    @property
    def thinking_tokens(self) -> int:
        return self._process.loaded.thinking_tokens

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        r, process = request, self._process
        with process.exchange(lambda number: wire.Write(number, r.system, r.user, r.max_tokens, r.thinking_tokens)) as (
            number,
            mailbox,
        ):
            try:
                with when_set(stop, lambda: mailbox.put(wire.Ended(number))):
                    while not stop.is_set():
                        try:
                            message = mailbox.get(timeout=_POLL_S)
                        except queue.Empty:
                            continue
                        match message:
                            case wire.Wrote():
                                yield Piece(message.answer, message.thought)
                            case wire.Failed():
                                raise (PromptTooLong if message.too_long else ModelFailed)(message.problem, message.fix)
                            case None:
                                raise process.failure()
                            case _:
                                return
            finally:
                process.send(wire.Leave(number))

    def figures(self) -> EngineFigures:
        """What the process is and did."""
        return self._process.figures()

    def close(self) -> None:
        self._process.close()
